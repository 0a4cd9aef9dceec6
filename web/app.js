"use strict";

const POLL_MS = 1000;
const LIMIT_MS = 5000; // of one request
const OLD_MS = 5000; // without a new reading of the store, what is shown is called old
const OUTCOMES = 64;
const EVENTS = 20; // the newest of them
const SVG = "http://www.w3.org/2000/svg";

const TONES = {
  operational: "good", ok: "good", alive: "good",
  suspect: "warn", recovering: "warn", "alive, its director is not": "warn",
  inoperable: "bad", fenced: "bad", lost: "bad", dead: "bad", failed: "bad",
  unknown: "", retired: "", absent: "",
};

let lastReading = ""; // read_at of what is shown
let lastChange = performance.now(); // when that was new

function tone(word) {
  return word in TONES ? TONES[word] : "move"; // all other states are steps of a move
}

function make(name, classes, ...children) {
  const element = document.createElement(name);
  element.className = classes;
  element.append(...children);
  return element;
}

function head(name, word, wordTone) {
  return make("div", "head", make("strong", "", name), make("span", `word ${wordTone}`, word));
}

// [[term, text]...]; those without a text are left out.
function facts(pairs) {
  const list = make("dl", "");
  for (const [term, text] of pairs) {
    if (text !== "") {
      list.append(make("dt", "", term), make("dd", "", String(text)));
    }
  }
  return list;
}

function span(ms) {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

function waiting(item) {
  const parts = [`${item.queued}${item.counted ? "" : " or more (a queue cannot be counted)"}`];
  if (item.held) parts.push(`${item.held} held`);
  if (item.quarantined) parts.push(`${item.quarantined} in quarantine`);
  if (item.oldest_age_ms) parts.push(`the oldest for ${span(item.oldest_age_ms)}`);
  return parts.join(", ");
}

// Newest at the right. history: 16 hexadecimal digits, the newest outcome in the lowest bit.
function bar(history, count) {
  const bits = BigInt(`0x${history}`);
  const picture = document.createElementNS(SVG, "svg");
  let good = 0;
  picture.setAttribute("class", "bar");
  picture.setAttribute("viewBox", `0 0 ${OUTCOMES * 4} 16`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("role", "img");
  for (let age = 0; age < OUTCOMES; age++) {
    const ok = ((bits >> BigInt(age)) & 1n) === 1n;
    const rect = document.createElementNS(SVG, "rect");
    const height = age < count && !ok ? 16 : age < count ? 11 : 3; // told apart without colours, too
    rect.setAttribute("x", (OUTCOMES - 1 - age) * 4);
    rect.setAttribute("y", 16 - height);
    rect.setAttribute("width", 3);
    rect.setAttribute("height", height);
    if (age < count) {
      rect.setAttribute("class", ok ? "ok" : "failed");
      good += ok ? 1 : 0;
    }
    picture.append(rect);
  }
  picture.setAttribute("aria-label", `${good} of the last ${count} outcomes were good`);
  return picture;
}

function observer(o) {
  const word = o.heard ? o.state : `${o.state}, ${span(o.age_ms)} ago`;
  const line = make("div", "head", make("span", "", `seen from ${o.node}`),
    make("span", `word ${o.heard ? tone(o.state) : ""}`, word));
  const box = make("div", o.heard ? "observer" : "observer silent", line, bar(o.history, o.history_len));
  if (o.detail && tone(o.state) !== "good") box.append(make("p", "detail", o.detail));
  return box;
}

function server(s) {
  const place = [s.address, s.node && `on ${s.node}`, s.site && `in ${s.site}`].filter(Boolean).join(" ");
  const instance = s.epoch ? `epoch ${s.epoch}${s.pid ? `, process ${s.pid}` : ""}` : "";
  const card = make("article", tone(s.state), head(s.name, s.state, tone(s.state)),
    facts([["kind", s.kind], ["at", place], ["instance", instance], ["queued", waiting(s)], ["why", s.reason]]));
  card.append(...s.observers.map(observer));
  return card;
}

function relay(r) {
  const word = r.alive ? "alive" : "dead";
  const adopted = r.queue_owner === r.node ? "" : r.queue_owner;
  return make("article", tone(word), head(r.name, word, tone(word)),
    facts([["at", `${r.address} on ${r.node} in ${r.site}`], ["queued", waiting(r)], ["queue with", adopted], ["queue", r.queue_problem],
      ["no server for", r.unroutable || ""]]));
}

function site(s, nodes, leader) {
  const own = nodes.filter((node) => node.site === s.name);
  const alive = own.filter((node) => node.alive).length;
  const word = s.lost ? `lost, by ${s.who}` : alive === own.length ? s.state : alive ? "partly alive" : "no node alive";
  const color = s.lost || !alive ? "bad" : alive < own.length ? "warn" : "good";
  const card = make("article", color, head(s.name, word, color));
  for (const node of own) {
    const state = !node.alive ? "dead" : node.director === false ? "alive, its director is not" : "alive";
    const name = node.name === leader ? `${node.name}, leads` : node.name;
    const process = node.pid ? `, process ${node.pid}` : "";
    card.append(make("div", "head observer", make("span", "", name + process),
      make("span", `word ${tone(state)}`, state)));
  }
  return card;
}

function route(domain, r, servers) {
  const target = servers.find((s) => s.name === r.server);
  const word = target ? target.state : "unknown";
  const place = [r.address, r.instance && `on ${r.instance}`, r.site && `in ${r.site}`].filter(Boolean).join(" ");
  return make("article", tone(word), head(domain, r.server, ""),
    facts([["instance", place], ["generation", r.generation]]));
}

// Of an operator's order: what, to whom, by whom, why and how it ended; else what the detail says.
function eventText(e) {
  const d = e.detail;
  if (!d.verb) return Object.entries(d).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
  const target = d.args && d.args !== "{}" ? ` ${d.args}` : "";
  return `${d.verb}${target}${d.who ? ` by ${d.who}` : ""}${d.why ? `: ${d.why}` : ""}${d.state ? ` (${d.state})` : ""}`;
}

function event(e) {
  return make("tr", "", make("td", "", e.at.replace("T", " ").replace(/\.\d+Z$/, "")), make("td", "", e.kind),
    make("td", "", e.subject), make("td", "", eventText(e)));
}

function fill(id, cards) {
  document.getElementById(id).replaceChildren(...cards);
}

// The network in a few words: what is not as it should be, or that all is.
function verdict(all) {
  const out = (things, isWell) => things.filter((thing) => !isWell(thing)).map((thing) => thing.name);
  const servers = out(all.servers, (s) => tone(s.state) === "good");
  const dead = [...out(all.relays, (r) => r.alive), ...out(all.nodes, (n) => n.alive)];
  const parts = [];
  if (servers.length) parts.push(`not operational: ${servers.join(", ")}`);
  if (dead.length) parts.push(`dead: ${dead.join(", ")}`);
  return make("span", `word ${parts.length ? "bad" : "good"}`, parts.join("; ") || "all is well");
}

function show(all) {
  fill("servers", all.servers.map(server));
  fill("relays", all.relays.map(relay));
  fill("sites", all.sites.map((s) => site(s, all.nodes, all.lease.holder)));
  fill("routes", Object.entries(all.routes).map(([domain, r]) => route(domain, r, all.servers)));
  const lead = all.lease.held ? `${all.lease.holder} leads` : "no director leads";
  document.getElementById("lead").replaceChildren(verdict(all), ` · ${lead}`);
  document.getElementById("read-at").textContent = `read ${all.read_at.replace("T", " ").replace(/\.\d+Z$/, " UTC")}`;
  const down = all.servers.filter((s) => tone(s.state) !== "good").length;
  document.title = down ? `(${down}) Holdfast` : "Holdfast";
}

function notice(text) {
  const place = document.getElementById("notice");
  place.hidden = text === "";
  place.textContent = text;
}

async function ask(path) {
  const reply = await fetch(path, { signal: AbortSignal.timeout(LIMIT_MS) });
  const all = await reply.json();
  if (!reply.ok) throw new Error(all.error);
  return all;
}

async function poll() {
  let problem = "";
  try {
    const [all, happened] = await Promise.all([ask("/api/v1/status"), ask(`/api/v1/events?limit=${EVENTS}`)]);
    if (all.read_at !== lastReading) {
      lastReading = all.read_at;
      lastChange = performance.now();
    }
    show(all);
    fill("events", happened.events.reverse().map(event));
  } catch (error) {
    problem = `${location.host} does not tell: ${error.message}. `;
  }
  const old = performance.now() - lastChange > OLD_MS;
  if (old && !problem) problem = "The store does not answer. ";
  if (problem && lastReading) problem += `What is shown was read at ${lastReading}.`;
  notice(problem);
  document.body.classList.toggle("old", old || problem !== "");
  setTimeout(poll, POLL_MS);
}

poll();
