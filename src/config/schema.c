#include "config/schema.h"

#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "config/schema_parts.h"

static const struct schema_word role_words[] = {
    {"dns", ROLE_DNS}, {"relay", ROLE_RELAY}, {"director", ROLE_DIRECTOR}, {"mailbox", ROLE_MAILBOX},
    {NULL, 0},
};

static const struct schema_word log_words[] = {
    {"debug", LOG_DEBUG}, {"info", LOG_INFO}, {"warning", LOG_WARNING}, {"error", LOG_ERROR}, {NULL, 0},
};

static const struct schema_word log_messages_words[] = {
    {"all", LOG_MESSAGES_ALL},
    {"none", LOG_MESSAGES_NONE},
    {NULL, 0},
};

/* ---- the whole network ---- */

static const struct schema_key no_keys[] = {{.name = NULL}};

static const struct schema_word durability_words[] = {
    {"local", DURABILITY_LOCAL}, {"replicated", DURABILITY_REPLICATED}, {NULL, 0}};
static const struct schema_word on_degraded_words[] = {
    {"refer", ON_DEGRADED_REFER}, {"accept", ON_DEGRADED_ACCEPT}, {NULL, 0}};

static const struct schema_key store_keys[] = {
    {FIELD("url", config, store_url), SCHEMA_STORE_URL, RELOAD_RESTART, "\"sqlite:store\"",
     .help =
         "`sqlite:FOLDER` (below the state folder unless absolute; all nodes on one machine); "
         "`postgresql://USER@HOST:PORT,HOST:PORT/DATABASE?PARAMETER=VALUE` as libpq reads it, for machines "
         "of "
         "several sites: the host that is writable is used, and hosts off this machine want "
         "`sslmode=verify-full` and `sslrootcert=FILE`; or `memory:` (for tests only: nothing survives the "
         "process)."},
    {FIELD("password_file", config, store_password_file), SCHEMA_PATH, RELOAD_RESTART, "",
     .help = "The first line is the password for PostgreSQL, read again at each connection; unset: it asks "
             "for none "
             "(a certificate, or the system's user). Others must not be able to read it."},
    {FIELD("durability", config, durability), SCHEMA_WORD, RELOAD_RESTART, "", .words = durability_words,
     .help = "What a `250` means: `local`, the message is on the disk of the store; `replicated`, on that of "
             "a database in another site, too, which replicates synchronously. Unset: `replicated` with "
             "PostgreSQL, which needs the `databases` of at least two sites, else `local`."},
    {FIELD("on_degraded", config, on_degraded), SCHEMA_WORD, RELOAD_RESTART, "\"refer\"",
     .words = on_degraded_words,
     .help = "While no database in another site takes copies: new mail is referred to a later time (451), or "
             "accepted with an alert. What is held is delivered and read in either case."},
    {FIELD("standby_timeout", config, standby_timeout_ms), SCHEMA_DURATION, RELOAD_RESTART, "\"10s\"",
     LIMITS(100, 5 * MINUTE_MS),
     .help = "How long a write waits for its copy in another site, until that counts as not there. Longer "
             "than the database needs to elect another primary, and a site that is cut off tells of nothing "
             "that is lost."},
    {FIELD("events_max", config, events_max), SCHEMA_INT, RELOAD_RESTART, "100000", LIMITS(1000, 10000000),
     .help = "How many events are kept of what happened in the network."},
    {FIELD("events_age", config, events_age_ms), SCHEMA_DURATION, RELOAD_RESTART, "\"90d\"",
     LIMITS(HOUR_MS, 3650 * DAY_MS), .help = "How long an event is kept."},
    {.name = NULL},
};

static const struct schema_key users_keys[] = {
    {FIELD("file", config, users_file), SCHEMA_PATH, RELOAD_NONE, "",
     .help = "passwd-file lines `address:{SCHEME}hash`, read into a store that has no users yet."},
    {.name = NULL},
};

static const struct schema_key system_keys[] = {
    {FIELD("user", config, user), SCHEMA_USER, RELOAD_RESTART, "",
     .help =
         "The system user that roles run as once their ports are bound, and commands that open the store, "
         "when they were started as root; unset: no change for roles, and commands run as the state "
         "folder's owner. It must be able to read this file and what it names: `check-config`, called by "
         "root, looks with that user's rights."},
    {FIELD("log", config, log_level), SCHEMA_WORD, RELOAD_LIVE, "\"info\"", .words = log_words,
     .help = "The least level that is logged, to standard error. (`run` passes `SIGHUP` on to the roles; an "
             "instance of a messaging server, which the director started, wants its own.)"},
    {FIELD("log_messages", config, log_messages), SCHEMA_WORD, RELOAD_LIVE, "\"all\"",
     .words = log_messages_words,
     .help = "Whether each message accepted, refused, delivered, deferred or quarantined, and each login, "
             "has its "
             "line in the log."},
    {.name = NULL},
};

static const struct schema_key timing_keys[] = {
    {FIELD("lease", config, lease_ms), SCHEMA_DURATION, RELOAD_RESTART, "\"2500ms\"",
     LIMITS(500, 5 * MINUTE_MS),
     .help = "How long a lease of a director, relay or instance holds without renewal: others may take over "
             "after that."},
    {.name = NULL},
};

/* ---- nodes and what runs on them ---- */

static const struct schema_key site_keys[] = {
    {FIELD("databases", config_site, databases), SCHEMA_TEXTS, RELOAD_RESTART_ALL, "{}", LIMITS(0, 16),
     .help = "The databases of a PostgreSQL store that are there, each by all of its names: as "
             "pg_stat_replication shows a standby (`application_name`, `client_addr`), and as `url` names "
             "the host, as `HOST` or `HOST:PORT`."},
    {FIELD("fence", config_site, fence), SCHEMA_PROGRAM, RELOAD_LIVE, "",
     .help = "A fence agent that turns the whole site off, by the absolute path of one or its name in "
             "`fence/`; the director calls it when the site is gone and new mail waits for its copies, and "
             "records the site as lost once it is off. Unset: only an operator records that. Not in manual "
             "mode: at least one server has `mode = \"automatic\"`, and each that is in the site."},
    {FIELD("fence_after", config_site, fence_after_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"1m\"",
     LIMITS(SECOND_MS, DAY_MS),
     .help = "How long the site has to be gone before; and to be back, with its copies, before what the "
             "director recorded ends. Longer than the databases need to elect another primary and to end the "
             "old one, and than one site needs to start later than another."},
    {FIELD("fence_timeout", config_site, fence_timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"1m\"",
     LIMITS(SECOND_MS, HOUR_MS), .help = "How long the agent may take."},
    {.name = NULL},
};

static const struct schema_key node_keys[] = {
    {FIELD("site", config_node, site), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "site",
     .help = "The data centre it is in."},
    {FIELD("roles", config_node, roles), SCHEMA_WORDS, RELOAD_RESTART, NULL, LIMITS(1, 4),
     .words = role_words,
     .help = "What it runs. A mailbox needs a director beside it, whose process starts its instances."},
    {FIELD("host", config_node, host), SCHEMA_TEXT, RELOAD_RESTART, "",
     .help = "Name of the machine that it runs on; unset: this one, as all nodes without it."},
    {.name = NULL},
};

static const struct schema_key dns_keys[] = {
    {FIELD("node", config_dns, node), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "node",
     .help = "Where it runs."},
    {FIELD("hostname", config_dns, hostname), SCHEMA_HOSTNAME, RELOAD_RESTART, NULL,
     .help = "Its name in the made NS records."},
    {FIELD("address", config_dns, address), SCHEMA_IPS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What DNS answers for its name."},
    {FIELD("listen", config_dns, listen), SCHEMA_ENDPOINTS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What is bound, UDP and TCP."},
    {FIELD("udp_threads", config_dns, udp_threads), SCHEMA_INT, RELOAD_RESTART, "0", LIMITS(0, 64),
     .help = "Threads that answer UDP; 0: one per core, at most 8."},
    {.name = NULL},
};

static const struct schema_key web_keys[] = {
    {FIELD("node", config_web, node), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "node",
     .help = "Where it runs."},
    {FIELD("listen", config_web, listen), SCHEMA_ENDPOINTS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What is bound, HTTP."},
    {.name = NULL},
};

static const struct schema_key zone_keys[] = {
    {FIELD("file", config_zone, file), SCHEMA_PATH, RELOAD_LIVE, "",
     .help = "Static records, an RFC 1035 master file."},
    {FIELD("ttl", config_zone, ttl_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"15s\"", LIMITS(0, TTL_MAX_MS),
     .help = "TTL of steered answers, at most; whole seconds."},
    {.name = NULL},
};

static const struct schema_key certificate_keys[] = {
    {FIELD("certificate", tls_files, certificate), SCHEMA_PATH, RELOAD_LIVE, NULL,
     .help = "The certificate, and those between it and the authority, in PEM. The names in it say for which "
             "names it is shown (SNI)."},
    {FIELD("key", tls_files, key), SCHEMA_PATH, RELOAD_LIVE, NULL,
     .help = "Its private key in PEM, without a pass phrase; readable by the user that roles run as."},
    {.name = NULL},
};

static const struct schema_word outside_tls_words[] = {
    {"none", TLS_NONE},
    {"opportunistic", TLS_OPPORTUNISTIC},
    {"required", TLS_REQUIRED},
    {NULL, 0},
};

static const struct schema_word bounce_words[] = {
    {"never", BOUNCE_NEVER},
    {"authenticated", BOUNCE_AUTHENTICATED},
    {"always", BOUNCE_ALWAYS},
    {NULL, 0},
};

static const struct schema_word spool_words[] = {
    {"no", SPOOL_NO},
    {"yes", SPOOL_YES},
    {NULL, 0},
};

static const struct schema_word bare_newlines_words[] = {
    {"refuse", BARE_NEWLINES_REFUSE},
    {"normalise", BARE_NEWLINES_NORMALISE},
    {NULL, 0},
};

static const struct schema_key relay_keys[] = {
    {FIELD("node", config_relay, node), SCHEMA_REF, RELOAD_RESTART, NULL, .ref = "node",
     .help = "Where it runs, and whose queue it owns."},
    {FIELD("hostname", config_relay, hostname), SCHEMA_HOSTNAME, RELOAD_RESTART, NULL,
     .help = "Its name in MX records, greetings and Received lines."},
    {FIELD("address", config_relay, address), SCHEMA_IPS, RELOAD_RESTART_ALL, NULL, ADDRESSES,
     .help = "What DNS answers for its name."},
    {FIELD("listen", config_relay, listen), SCHEMA_ENDPOINTS, RELOAD_RESTART, NULL, ADDRESSES,
     .help = "What is bound, SMTP."},
    {FIELD("proxy_from", config_relay, proxy_from), SCHEMA_BLOCKS, RELOAD_LIVE, "{}", LIMITS(0, 64),
     .help = PROXY_FROM_HELP},
    {FIELD("xclient_from", config_relay, xclient_from), SCHEMA_BLOCKS, RELOAD_LIVE, "{}", LIMITS(0, 64),
     .help = "Servers that may speak for their clients by `XCLIENT`, by address or network, as Postfix's "
             "`smtpd_authorized_xclient_hosts`; it is offered to them alone."},
    {FIELD("certificates", config_relay, certificates), SCHEMA_REFS, RELOAD_RESTART, "{}", LIMITS(0, 100),
     .ref = "certificate", .more_offset = offsetof(struct config_relay, certificate_count),
     .help = "`STARTTLS` is offered with them; the first is shown to who names none of their hosts."},
    {FIELD("retry", config_relay, retry_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"1s\"", LIMITS(100, DAY_MS),
     .help = "Time between attempts at a server that is down."},
    {FIELD("retry_max", config_relay, retry_max_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"30m\"",
     LIMITS(100, DAY_MS),
     .help =
         "A message that a working server put off (4yz) is tried again after `retry`, then after twice as "
         "long each time, up to this, a quarter less at times; at once when the server recovers."},
    {FIELD("expire", config_relay, expire_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"5d\"",
     LIMITS(SECOND_MS, 90 * DAY_MS),
     .help = "Age at which a message is given up (RFC 5321 4.5.4.1: four to five days)."},
    {FIELD("bounce", config_relay, bounce), SCHEMA_WORD, RELOAD_LIVE, "\"never\"", .words = bounce_words,
     .help =
         "Whose mail goes back to its sender, with a report (RFC 3464), when a server refuses it for good "
         "or it expires: nobody's, that of users who had logged in and named a sender of the network, or "
         "all. Else it is quarantined, with "
         "an event. Never bounced: what has a null reverse-path, and `NOTIFY=NEVER`."},
    {FIELD("delay_notice", config_relay, delay_notice_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"4h\"",
     LIMITS(0, 90 * DAY_MS),
     .help = "Age at which a sender is told, once, that his mail still waits: who asked for it "
             "(`NOTIFY=DELAY`), and who asked for nothing but is told by `bounce`; \"0s\": nobody."},
    {FIELD("safety_net", config_relay, safety_net_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"2d\"",
     LIMITS(0, 90 * DAY_MS),
     .help = "How long delivered messages are kept, for holdfast replay; \"0s\": not at all."},
    {FIELD("safety_net_max", config_relay, safety_net_max_bytes), SCHEMA_SIZE, RELOAD_LIVE, "\"1024GiB\"",
     LIMITS(0, 1024 * 1024 * GIB),
     .help = "Bytes of them at the most; never more than half of what the disk has for them and all that is "
             "new. Beyond it the oldest go, with an event when they are younger than `safety_net`."},
    {FIELD("custody_age", config_relay, custody_age_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"30d\"",
     LIMITS(DAY_MS, 3650 * DAY_MS),
     .help = "How long a message that has ended is known: for holdfast trace, and so that it is not taken a "
             "second time from a part of this network that got no answer. Longer than `expire` and "
             "`safety_net` of any relay together, which it is by a day at least where it is not given."},
    {FIELD("spool", config_relay, spool), SCHEMA_WORD, RELOAD_RESTART, "\"no\"", .words = spool_words,
     .help =
         "While a shared store (a `url` of `postgresql:`) cannot be reached: mail is refused with 451, or it "
         "is taken into a queue of the relay's own below its state folder, on this disk alone whatever "
         "durability the store has, and handed over once the store is back. A relay that starts without the "
         "store takes mail for the users that it knew when the store last answered."},
    {FIELD("message_size_max", config_relay, message_size_max_bytes), SCHEMA_SIZE, RELOAD_RESTART,
     "\"50MiB\"", MESSAGE_SIZE_LIMITS, .help = "The largest message taken, announced by SIZE."},
    {FIELD("bare_newlines", config_relay, bare_newlines), SCHEMA_WORD, RELOAD_RESTART, "\"refuse\"",
     .words = bare_newlines_words,
     .help =
         "A message with a CR or a LF alone, which RFC 5321 forbids, is refused with `550 5.6.0`; or each of "
         "them becomes CRLF (which breaks signatures), for clients that cannot be mended. Only CRLF.CRLF "
         "ends a message, either way."},
    {FIELD("connections_max", config_relay, connections_max), SCHEMA_INT, RELOAD_LIVE, "2000",
     LIMITS(1, 100000),
     .help =
         "Sessions at once, fewer where the limit of open files does not allow it. A new one then ends the "
         "one that is idle longest; when all are amid something it gets 421."},
    {FIELD("client_connections_max", config_relay, client_connections_max), SCHEMA_INT, RELOAD_LIVE, "200",
     LIMITS(1, 100000), .help = CLIENT_CONNECTIONS_HELP},
    {FIELD("client_connection_rate", config_relay, client_connection_rate), SCHEMA_RATE, RELOAD_LIVE,
     "\"none\"",
     .help =
         "Connections that one client may make in a time, whatever becomes of them; more get `421 4.7.0`. "
         "A client is as for `client_connections_max`, and by the word of a named proxy or `XCLIENT` peer, "
         "which are exempt themselves; so are the loopback interface, the network's own parts, and "
         "`rate_exempt`. This holds for all rates."},
    {FIELD("client_message_rate", config_relay, client_message_rate), SCHEMA_RATE, RELOAD_LIVE, "\"none\"",
     .help = "Messages that one client may begin (`MAIL`); more get `450 4.7.1`."},
    {FIELD("client_recipient_rate", config_relay, client_recipient_rate), SCHEMA_RATE, RELOAD_LIVE,
     "\"none\"", .help = "Recipients that one client may name (`RCPT`); more get `450 4.7.1`."},
    {FIELD("client_error_rate", config_relay, client_error_rate), SCHEMA_RATE, RELOAD_LIVE, "\"600/1h\"",
     .help =
         "Errors of one client, in all his sessions: what `errors_max` counts. With more the session ends "
         "with `421 4.7.0`, and until one is given back a new one begins so."},
    {FIELD("connection_rate", config_relay, connection_rate), SCHEMA_RATE, RELOAD_LIVE, "\"none\"",
     .help = "The same of all clients together: connections; more get `421 4.3.2`."},
    {FIELD("message_rate", config_relay, message_rate), SCHEMA_RATE, RELOAD_LIVE, "\"none\"",
     .help = "Messages of all; more get `451 4.3.2`."},
    {FIELD("recipient_rate", config_relay, recipient_rate), SCHEMA_RATE, RELOAD_LIVE, "\"none\"",
     .help = "Recipients of all; more get `451 4.3.2`."},
    {FIELD("error_rate", config_relay, error_rate), SCHEMA_RATE, RELOAD_LIVE, "\"none\"",
     .help = "Errors of all: with more, a session ends with its first; who makes none is not concerned."},
    {FIELD("rate_clients_max", config_relay, rate_clients_max), SCHEMA_INT, RELOAD_LIVE, "10000",
     LIMITS(100, 1000000),
     .help =
         "Clients that are told apart at once, for their rates. For one more, the one is forgotten who did "
         "nothing for longest and is over no limit."},
    {FIELD("rate_exempt", config_relay, rate_exempt), SCHEMA_BLOCKS, RELOAD_LIVE, "{}", LIMITS(0, 64),
     .help = "Clients that no rate holds for, by address or network, such as a filter in front."},
    {FIELD("errors_max", config_relay, errors_max), SCHEMA_INT, RELOAD_LIVE, "20", LIMITS(1, 1000),
     .help =
         "Wrong commands, refused messages and recipients refused for good (5yz) in one session since the "
         "last message that was taken; then it ends with `421 4.7.0`."},
    {FIELD("recipients_max", config_relay, recipients_max), SCHEMA_INT, RELOAD_LIVE, "1000",
     LIMITS(100, 100000), .help = "Recipients of one message (RFC 5321 4.5.3.1.8: 100 at least)."},
    {FIELD("idle_timeout", config_relay, idle_timeout_ms), SCHEMA_DURATION, RELOAD_LIVE, "\"5m\"",
     LIMITS(SECOND_MS, HOUR_MS),
     .help = "How long a client may be silent (RFC 5321 4.5.3.2.7: five minutes)."},
    {FIELD("delivery_sessions_max", config_relay, delivery_sessions_max), SCHEMA_INT, RELOAD_LIVE, "10",
     LIMITS(1, 1000), .help = "Sessions to one server at once."},
    {FIELD("losses_max", config_relay, losses_max), SCHEMA_INT, RELOAD_LIVE, "5", LIMITS(1, 100),
     .help = "Connections lost during a message before it is quarantined; the waits between grow eightfold, "
             "from `retry`: ten minutes in all."},
    {FIELD("smarthost", config_relay, smarthost), SCHEMA_TEXT, RELOAD_RESTART, "",
     .help =
         "Where all mail goes that leaves the network (notices), `HOST:PORT`, by name or address; unset: to "
         "the servers that the DNS names for each recipient's domain."},
    {FIELD("outside_port", config_relay, outside_port), SCHEMA_INT, RELOAD_RESTART, "25", LIMITS(1, 65535),
     .help = "Without a smarthost: the port of those servers."},
    {FIELD("outside_tls", config_relay, outside_tls), SCHEMA_WORD, RELOAD_LIVE, "\"opportunistic\"",
     .words = outside_tls_words,
     .help =
         "How `STARTTLS` is used with them: never; when it is offered, with any certificate, else in plain "
         "text; only with a certificate for the smarthost's name by an authority of the system."},
    {FIELD("resolver", config_relay, resolver), SCHEMA_ENDPOINTS, RELOAD_RESTART, "{}", LIMITS(0, 16),
     .help = "Recursive name servers, `ADDRESS:PORT`, that are asked about outside names; unset: those of "
             "/etc/resolv.conf."},
    {FIELD("trust_anchor", config_relay, trust_anchor), SCHEMA_PATH, RELOAD_RESTART, "",
     .help = "The root's `DNSKEY` or `DS` records, in a file: their answers are validated (DNSSEC), and mail "
             "waits "
             "where they do not hold; unset: they are not."},
    {.name = NULL},
};

/* ---- sections ---- */

static const struct schema_section store_section = {.name = "store",
                                                    .owner = OWNER_EVERYONE,
                                                    .keys = store_keys,
                                                    .help = "Where everything durable is kept."};
static const struct schema_section users_section = {
    .name = "users", .owner = OWNER_EVERYONE, .keys = users_keys, .help = "The first users."};
static const struct schema_section system_section = {
    .name = "system", .owner = OWNER_EVERYONE, .keys = system_keys, .help = "How roles run on a machine."};
static const struct schema_section timing_section = {
    .name = "timing", .owner = OWNER_EVERYONE, .keys = timing_keys, .help = "How soon others take over."};
static const struct schema_section site_section = {.name = "site",
                                                   .title = TITLE_NAME,
                                                   .many = true,
                                                   .size = sizeof(struct config_site),
                                                   ARRAY(config, sites, site_count),
                                                   .owner = OWNER_EVERYONE,
                                                   .reload = RELOAD_RESTART,
                                                   .keys = site_keys,
                                                   .help = "A data centre."};
static const struct schema_section node_section = {
    .name = "node",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_node),
    ARRAY(config, nodes, node_count),
    .owner = OWNER_EVERYONE,
    .reload = RELOAD_RESTART,
    .keys = node_keys,
    .help = "A machine, or a part of one, that runs some of the roles."};
static const struct schema_section dns_section = {.name = "dns",
                                                  .title = TITLE_NAME,
                                                  .many = true,
                                                  .size = sizeof(struct config_dns),
                                                  ARRAY(config, dns, dns_count),
                                                  .owner = OWNER_DNS,
                                                  .reload = RELOAD_RESTART,
                                                  .keys = dns_keys,
                                                  .help = "The name server of a node with the role `dns`."};
static const struct schema_section web_section = {
    .name = "web",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_web),
    ARRAY(config, web, web_count),
    .owner = OWNER_DIRECTOR,
    .reload = RELOAD_RESTART,
    .keys = web_keys,
    .help = "Status page, API and metrics, served by a node's director."};
static const struct schema_section zone_section = {.name = "zone",
                                                   .title = TITLE_DOMAIN,
                                                   .many = true,
                                                   .size = sizeof(struct config_zone),
                                                   ARRAY(config, zones, zone_count),
                                                   .owner = OWNER_DNS,
                                                   .reload = RELOAD_RESTART,
                                                   .keys = zone_keys,
                                                   .help = "A zone that all name servers answer for."};
static const struct schema_section certificate_section = {
    .name = "certificate",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct tls_files),
    ARRAY(config, certificates, certificate_count),
    .owner = OWNER_EVERYONE,
    .reload = RELOAD_RESTART,
    .keys = certificate_keys,
    .help = "A certificate of ours for TLS. The files are read again soon after they have changed, and by "
            "`SIGHUP`; what cannot be read leaves the old one in use."};
static const struct schema_section relay_section = {
    .name = "relay",
    .title = TITLE_NAME,
    .many = true,
    .size = sizeof(struct config_relay),
    ARRAY(config, relays, relay_count),
    .owner = OWNER_RELAY,
    .reload = RELOAD_RESTART,
    .keys = relay_keys,
    .help = "The store-and-forward server of a node with the role `relay`."};
const struct schema_section schema_root = {.name = "",
                                           .keys = no_keys,
                                           .sections = (const struct schema_section *const[]){
                                               &store_section, &users_section, &system_section,
                                               &timing_section, &site_section, &node_section, &dns_section,
                                               &web_section, &zone_section, &certificate_section,
                                               &relay_section, &schema_domain, &schema_server, NULL}};

const struct schema_key *schema_key_find(const struct schema_section *s, const char *name)
{
    for (const struct schema_key *key = s->keys; key->name; key++)
        if (strcmp(key->name, name) == 0)
            return key;
    return NULL;
}

const struct schema_section *schema_section_find(const struct schema_section *s, const char *name)
{
    for (size_t i = 0; s->sections && s->sections[i]; i++)
        if (strcmp(s->sections[i]->name, name) == 0)
            return s->sections[i];
    return NULL;
}
