#include "web/status.h"

#include <stdio.h>

static json_t *text(struct str s)
{
    json_t *value = json_stringn(s.ptr ? s.ptr : "", s.len);
    return value ? value : json_string("?"); /* not UTF-8 */
}

static json_t *number(int64_t n)
{
    return json_integer((json_int_t)n);
}

static struct str route_server(const struct status_input *in, const struct config_domain *d)
{
    return view_route_server(in->view, str_from(d->name), str_from(d->server->name));
}

/* ---- what waits ---- */

struct waits {
    uint64_t waiting, held, quarantined;
    uint64_t unroutable; /* of those that wait or are held: the configuration has no server for them */
    uint64_t outside;    /* of the same: they leave the network */
    struct wall_time oldest;
    bool counted;
};

static void add(struct waits *w, const struct counts_place *p)
{
    w->waiting += p->waiting;
    w->held += p->held;
    w->quarantined += p->quarantined;
    if (p->oldest.ms > 0 && (w->oldest.ms == 0 || p->oldest.ms < w->oldest.ms))
        w->oldest = p->oldest;
}

static struct waits waits_at(const struct status_input *in, const struct counts_queue *q)
{
    struct waits w = {.counted = q->counted};
    for (size_t i = 0; i < q->count; i++) {
        const struct counts_place *p = &q->places[i];
        add(&w, p);
        if (!config_has_place(in->config, str_from(p->domain), str_from(p->home)))
            w.unroutable += p->waiting + p->held;
        if (str_eq(str_from(p->home), STR(CONFIG_HOME_OUTSIDE)))
            w.outside += p->waiting + p->held;
    }
    return w;
}

static bool is_for(const struct status_input *in, const struct counts_place *p, struct str server)
{
    struct str home = str_from(p->home);
    const struct config_domain *domain = config_domain_find(in->config, str_from(p->domain));
    if (home.len == 0 && domain)
        home = route_server(in, domain);
    return str_eq(home, server);
}

static struct waits waits_for(const struct status_input *in, struct str server)
{
    struct waits w = {.counted = true};
    for (size_t i = 0; i < in->counts->queue_count; i++) {
        const struct counts_queue *q = &in->counts->queues[i];
        w.counted &= q->counted;
        for (size_t k = 0; k < q->count; k++)
            if (is_for(in, &q->places[k], server))
                add(&w, &q->places[k]);
    }
    return w;
}

static void set_waits(json_t *into, const struct status_input *in, const struct waits *w)
{
    int64_t age_ms = w->oldest.ms > 0 ? in->now.ms - w->oldest.ms : 0;
    json_object_set_new(into, "queued", number((int64_t)(w->waiting + w->held)));
    json_object_set_new(into, "held", number((int64_t)w->held));
    json_object_set_new(into, "quarantined", number((int64_t)w->quarantined));
    json_object_set_new(into, "oldest_age_ms", number(age_ms > 0 ? age_ms : 0));
    json_object_set_new(into, "counted", json_boolean(w->counted));
}

static void set_queue(json_t *into, const struct status_input *in, const struct counts_queue *q)
{
    struct waits waits = waits_at(in, q);
    set_waits(into, in, &waits);
    json_object_set_new(into, "unroutable", number((int64_t)waits.unroutable));
    json_object_set_new(into, "outside", number((int64_t)waits.outside));
    json_object_set_new(into, "queue_problem", json_string(q->problem ? q->problem : ""));
}

/* ---- servers ---- */

/* The history as text: JavaScript has no integers of 64 bits. */
static json_t *observer_status(const struct status_input *in, const struct view_observation *o)
{
    char history[17];
    snprintf(history, sizeof(history), "%016llx", (unsigned long long)o->record.history);
    return json_pack("{s:o, s:b, s:o, s:s, s:I, s:I, s:I, s:o}", "node", text(o->node), "heard",
                     view_observation_is_heard(in->view, o), "state", text(o->record.state), "history",
                     history, "history_len", (json_int_t)o->record.history_len, "failed",
                     (json_int_t)o->record.failed, "age_ms", (json_int_t)o->age_ms, "detail",
                     text(o->record.detail));
}

static json_t *observers_of(const struct status_input *in, struct str server)
{
    json_t *all = json_array();
    for (size_t i = 0; i < in->view->observation_count; i++)
        if (str_eq(in->view->observations[i].server, server))
            json_array_append_new(all, observer_status(in, &in->view->observations[i]));
    return all;
}

static bool being_changed(struct str state)
{
    return !str_eq(state, STR("running")) && !str_eq(state, STR("observed")) && state.len > 0;
}

static struct str server_state(const struct view_server *record, const struct view_observation *seen)
{
    if (record && being_changed(record->record.state))
        return record->record.state;
    return seen ? seen->record.state : STR("unknown");
}

static struct record_instance instance_of(const struct view_server *record)
{
    struct record_instance none = {.node = STR_EMPTY, .site = STR_EMPTY, .address = STR_EMPTY};
    return record ? record->record.instance : none;
}

static json_t *server_address(const struct config_server *s, struct str of_instance)
{
    char address[ADDR_TEXT_MAX] = "";
    if (of_instance.len == 0 && s->kind == SERVER_EXTERNAL && s->address.count)
        addr_format_ip(&s->address.addrs[0], address);
    return of_instance.len ? text(of_instance) : json_string(address);
}

static json_t *server_status(const struct status_input *in, const struct config_server *s)
{
    struct str name = str_from(s->name);
    const struct view_server *record = view_server_find(in->view, name);
    const struct view_observation *seen = view_observation_newest(in->view, name);
    struct record_instance i = instance_of(record);
    struct waits waits = waits_for(in, name);
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "name", s->name, "hostname",
        s->hostname, "kind", s->kind == SERVER_EXTERNAL ? "external" : "builtin", "site",
        i.site.len ? text(i.site) : json_string(s->site->name), "node", text(i.node), "address",
        server_address(s, i.address), "state", text(server_state(record, seen)), "epoch", (json_int_t)i.epoch,
        "pid", (json_int_t)i.pid, "generation", (json_int_t)(record ? record->record.generation : 0),
        "reason", text(record ? record->record.reason : STR_EMPTY), "detail",
        text(seen ? seen->record.detail : STR_EMPTY));
    set_waits(all, in, &waits);
    json_object_set_new(all, "observers", observers_of(in, name));
    return all;
}

/* ---- the rest ---- */

/* null: it has not said anything yet. */
static json_t *work_status(const struct view_work *found)
{
    if (!found)
        return json_null();
    const struct record_work *w = &found->record;
    char since[WALL_TEXT_MAX];
    wall_format_iso((struct wall_time){w->since_ms}, since);
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}",
        "since", since, "sessions", (json_int_t)w->sessions, "accepted", (json_int_t)w->accepted,
        "accepted_bytes", (json_int_t)w->accepted_bytes, "spooled", (json_int_t)w->spooled, "spool_waiting",
        (json_int_t)w->spool_waiting, "refused_later", (json_int_t)w->refused_later, "refused_for_good",
        (json_int_t)w->refused_for_good, "limited_connections", (json_int_t)w->limited_connections,
        "limited_messages", (json_int_t)w->limited_messages, "limited_recipients",
        (json_int_t)w->limited_recipients, "limited_errors", (json_int_t)w->limited_errors, "delivered",
        (json_int_t)w->delivered, "deferred", (json_int_t)w->deferred, "lost", (json_int_t)w->lost,
        "quarantined", (json_int_t)w->quarantined, "expired", (json_int_t)w->expired, "bounced",
        (json_int_t)w->bounced, "reports", (json_int_t)w->reports, "kept", (json_int_t)w->kept, "kept_bytes",
        (json_int_t)w->kept_bytes, "kept_after_s", (json_int_t)w->kept_after_s, "degraded", w->degraded,
        "durability", text(w->durability), "durability_detail", text(w->detail));
}

static json_t *relay_status(const struct status_input *in, size_t at)
{
    const struct config_relay *r = &in->config->relays[at];
    const struct view_queue *record = view_queue_find(in->view, str_from(r->name));
    char address[ADDR_TEXT_MAX] = "";
    if (r->address.count)
        addr_format_ip(&r->address.addrs[0], address);
    json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b}", "name", r->name, "node", r->node->name,
                            "site", r->node->site->name, "hostname", r->hostname, "address", address,
                            "queue_owner", record ? text(record->record.owner) : json_string(r->node->name),
                            "alive", view_relay_is_alive(in->view, str_from(r->name)));
    set_queue(all, in, &in->counts->queues[at]);
    json_object_set_new(all, "work", work_status(view_work_find(in->view, str_from(r->name))));
    return all;
}

/* Queues whose relays the configuration has no more: what waits in them is still ours to deliver. */
static json_t *removed_relays(const struct status_input *in)
{
    json_t *all = json_array();
    for (size_t i = 0; i < in->counts->queue_count; i++) {
        const struct counts_queue *q = &in->counts->queues[i];
        const struct view_queue *record = view_queue_find(in->view, str_from(q->name));
        if (!q->removed)
            continue;
        json_t *one = json_pack("{s:s, s:o}", "name", q->name, "queue_owner",
                                text(record ? record->record.owner : STR_EMPTY));
        set_queue(one, in, q);
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *node_status(const struct status_input *in, const struct config_node *n)
{
    const struct view_node *told = view_node_told(in->view, str_from(n->name));
    bool alive = view_node_is_alive(in->view, str_from(n->name));
    json_t *director = n->roles & ROLE_DIRECTOR
                           ? json_boolean(view_agent_is_alive(in->view, str_from(n->name)))
                           : json_null();
    return json_pack("{s:s, s:s, s:b, s:o, s:I}", "name", n->name, "site", n->site->name, "alive", alive,
                     "director", director, "pid", (json_int_t)(told ? told->record.supervisor_pid : 0));
}

static json_t *site_status(const struct status_input *in, const struct config_site *s)
{
    const struct view_site *record = view_site_find(in->view, str_from(s->name));
    bool lost = record && record->record.lost;
    return json_pack("{s:s, s:b, s:s, s:o}", "name", s->name, "lost", lost, "state", lost ? "lost" : "ok",
                     "who", text(lost ? record->record.who : STR_EMPTY));
}

static json_t *route_status(const struct status_input *in, const struct config_domain *d)
{
    struct str server = route_server(in, d);
    const struct view_server *record = view_server_find(in->view, server);
    const struct view_route *route = view_route_find(in->view, str_from(d->name));
    struct record_instance at = instance_of(record);
    json_int_t generation = (route ? route->record.generation : 0) + (record ? record->record.generation : 0);
    return json_pack("{s:o, s:o, s:o, s:o, s:I}", "server", text(server), "instance", text(at.node),
                     "address", text(at.address), "site", text(at.site), "generation", generation);
}

static json_t *lease_status(const struct status_input *in)
{
    const struct view_lease *lease = view_lease_find(in->view, STR("director"));
    bool held = lease && lease->remaining_ms > 0;
    return json_pack("{s:o, s:b, s:I}", "holder", held ? text(lease->holder) : json_string(""), "held", held,
                     "remaining_ms", (json_int_t)(held ? lease->remaining_ms : 0));
}

static json_t *store_status(const struct status_input *in)
{
    json_t *value = json_loads(in->store_json, 0, NULL);
    return value ? value : json_object();
}

json_t *status_build(const struct status_input *in)
{
    const struct config *c = in->config;
    char read_at[WALL_TEXT_MAX];
    json_t *all = json_object(), *relays = json_array(), *servers = json_array(), *nodes = json_array(),
           *sites = json_array(), *routes = json_object();
    wall_format_iso(in->now, read_at);
    for (size_t i = 0; i < c->server_count; i++)
        json_array_append_new(servers, server_status(in, &c->servers[i]));
    for (size_t i = 0; i < c->relay_count; i++)
        json_array_append_new(relays, relay_status(in, i));
    for (size_t i = 0; i < c->node_count; i++)
        json_array_append_new(nodes, node_status(in, &c->nodes[i]));
    for (size_t i = 0; i < c->site_count; i++)
        json_array_append_new(sites, site_status(in, &c->sites[i]));
    for (size_t i = 0; i < c->domain_count; i++)
        json_object_set_new(routes, c->domains[i].name, route_status(in, &c->domains[i]));
    json_object_set_new(all, "read_at", json_string(read_at));
    json_object_set_new(all, "servers", servers);
    json_object_set_new(all, "relays", relays);
    json_object_set_new(all, "removed_relays", removed_relays(in));
    json_object_set_new(all, "nodes", nodes);
    json_object_set_new(all, "sites", sites);
    json_object_set_new(all, "routes", routes);
    json_object_set_new(all, "lease", lease_status(in));
    json_object_set_new(all, "store", store_status(in));
    return all;
}
