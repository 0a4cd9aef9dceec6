#include "web/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "health/words.h"

/* ---- the format ---- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_append_fmt(out, "# HELP holdfast_%s %s\n# TYPE holdfast_%s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void append_value(struct buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n') {
            buf_append_text(out, "\\n");
            continue;
        }
        if (*value == '"' || *value == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, *value);
    }
}

struct label {
    const char *name, *value; /* name NULL: none */
};

static void sample(struct buf *out, const char *name, struct label a, struct label b, double value)
{
    const struct label labels[] = {a, b};
    const char *before = "{";
    buf_append_fmt(out, "holdfast_%s", name);
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        if (!labels[i].name)
            continue;
        buf_append_fmt(out, "%s%s=\"", before, labels[i].name);
        append_value(out, labels[i].value);
        buf_append_char(out, '"');
        before = ",";
    }
    buf_append_fmt(out, "%s %.15g\n", *before == ',' ? "}" : "", value);
}

static const struct label no_label = {NULL, NULL};

/* ---- from JSON ---- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value ? value : "";
}

/* Numbers as they are, true as 1, all else as 0. */
static double value_of(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : json_is_true(value);
}

/* ---- one number of each object of a list ---- */

static const struct {
    const char *list, *label, *member, *name;
    double scale;
    const char *help;
} numbers[] = {
    {"servers", "server", "epoch", "server_epoch", 1, "Epoch of the current instance."},
    {"servers", "server", "queued", "server_queued", 1, "Deliveries not yet ended whose home it is."},
    {"servers", "server", "held", "server_held", 1, "Of these, held by an operator."},
    {"servers", "server", "oldest_age_ms", "server_oldest_age_seconds", 0.001,
     "Age of the oldest of these; 0 when there is none."},
    {"servers", "server", "quarantined", "server_quarantined", 1,
     "Deliveries in quarantine, which no longer count as queued."},
    {"relays", "relay", "alive", "relay_alive", 1, "Whether its lease runs."},
    {"relays", "relay", "queued", "relay_queued", 1, "Deliveries not yet ended in its queue."},
    {"relays", "relay", "oldest_age_ms", "relay_oldest_age_seconds", 0.001,
     "Age of the oldest of these; 0 when there is none."},
    {"relays", "relay", "unroutable", "relay_unroutable", 1,
     "Of these, those that no domain or server of the configuration takes."},
    {"relays", "relay", "quarantined", "relay_quarantined", 1, "Deliveries in quarantine in its queue."},
    {"relays", "relay", "counted", "relay_counted", 1, "Whether its queue could be counted."},
    {"nodes", "node", "alive", "node_alive", 1, "Whether the lease of its director or relay runs."},
    {"nodes", "node", "director", "node_director_alive", 1, "Whether the lease of its director runs."},
    {"sites", "site", "lost", "site_lost", 1, "Whether the site is recorded as lost."},
};

static void write_number(struct buf *out, const json_t *list, size_t number)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const json_t *value = json_object_get(item, numbers[number].member);
        if (value && !json_is_null(value)) /* a node has no director to be alive */
            sample(out, numbers[number].name, (struct label){numbers[number].label, text_of(item, "name")},
                   no_label, value_of(value) * numbers[number].scale);
    }
}

static void write_numbers(struct buf *out, const json_t *status)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const char *list = numbers[i].list;
        family(out, numbers[i].name, "gauge", numbers[i].help);
        write_number(out, json_object_get(status, list), i);
        if (strcmp(list, "relays") == 0) /* whose queues may still hold mail */
            write_number(out, json_object_get(status, "removed_relays"), i);
    }
}

/* ---- the relays' work ---- */

static const struct {
    const char *name, *help; /* name NULL: another sample of the family before */
    const char *member, *label, *value;
    const char *type; /* NULL: counter */
} works[] = {
    {"relay_sessions_total", "Connections that senders made.", "sessions", NULL, NULL},
    {"relay_accepted_total", "Messages answered with 250.", "accepted", NULL, NULL},
    {"relay_accepted_bytes_total", "Bytes of these.", "accepted_bytes", NULL, NULL},
    {"relay_spooled_total", "Of these, messages that the relay took into its spool: the store was away.",
     "spooled", NULL, NULL},
    {"relay_spool_waiting", "Deliveries in the relay's spool, to be handed over.", "spool_waiting", NULL,
     NULL, "gauge"},
    {"relay_refused_total", "Refusals: transient (replies of 4yz), or for good (5yz).", "refused_later",
     "for", "now"},
    {NULL, NULL, "refused_for_good", "for", "good"},
    {"relay_limited_total", "Refusals by a limit on what comes in a time; those of now hold them, too.",
     "limited_connections", "of", "connections"},
    {NULL, NULL, "limited_messages", "of", "messages"},
    {NULL, NULL, "limited_recipients", "of", "recipients"},
    {NULL, NULL, "limited_errors", "of", "errors"},
    {"relay_deliveries_total", "What became of attempts to deliver, each recipient counted.", "delivered",
     "outcome", "delivered"},
    {NULL, NULL, "deferred", "outcome", "deferred"},
    {NULL, NULL, "lost", "outcome", "lost"},
    {NULL, NULL, "quarantined", "outcome", "quarantined"},
    {NULL, NULL, "bounced", "outcome", "bounced"},
    {"relay_reports_total", "Reports to senders that were made (RFC 3464).", "reports", NULL, NULL},
    {"relay_expired_total", "Deliveries that waited too long, now in quarantine or bounced.", "expired", NULL,
     NULL},
    {"relay_kept", "Delivered messages in the safety net.", "kept", NULL, NULL, "gauge"},
    {"relay_kept_bytes", "Bytes of these.", "kept_bytes", NULL, NULL, "gauge"},
    {"relay_kept_after_timestamp_seconds",
     "The safety net has all that was delivered later than this; 0: all there ever was.", "kept_after_s",
     NULL, NULL, "gauge"},
    {"relay_durability_degraded",
     "Whether no database in another site takes copies, though that is asked for.", "degraded", NULL, NULL,
     "gauge"},
};

/* The counters begin at 0 with each start of the relay's process, as Prometheus expects. */
static void write_works(struct buf *out, const json_t *relays)
{
    const char *name = "";
    for (size_t i = 0; i < ARRAY_LEN(works); i++) {
        size_t k;
        json_t *relay;
        if (works[i].name)
            family(out, name = works[i].name, works[i].type ? works[i].type : "counter", works[i].help);
        json_array_foreach(relays, k, relay)
        {
            const json_t *value = json_object_get(json_object_get(relay, "work"), works[i].member);
            if (value)
                sample(out, name, (struct label){"relay", text_of(relay, "name")},
                       (struct label){works[i].label, works[i].value}, value_of(value));
        }
    }
}

/* ---- servers ---- */

static bool serves(const char *state)
{
    enum health_state parsed;
    return health_state_parse(str_from(state), &parsed) == 0 && health_state_serves(parsed);
}

static void write_servers(struct buf *out, const json_t *servers)
{
    size_t i;
    json_t *s;
    family(out, "server_up", "gauge", "Whether it serves: operational, or suspect.");
    json_array_foreach(servers, i, s) sample(out, "server_up", (struct label){"server", text_of(s, "name")},
                                             no_label, serves(text_of(s, "state")));
    family(out, "server_state", "gauge", "1 for the state that it is in.");
    json_array_foreach(servers, i, s)
        sample(out, "server_state", (struct label){"server", text_of(s, "name")},
               (struct label){"state", text_of(s, "state")}, 1);
}

static void write_observations(struct buf *out, const json_t *servers, const char *member, const char *name)
{
    size_t i, k;
    json_t *s, *o;
    json_array_foreach(servers, i, s)
    {
        json_array_foreach(json_object_get(s, "observers"), k, o)
            sample(out, name, (struct label){"server", text_of(s, "name")},
                   (struct label){"node", text_of(o, "node")}, value_of(json_object_get(o, member)));
    }
}

/* ---- routes, lease, store ---- */

static void write_routes(struct buf *out, json_t *routes)
{
    const char *domain;
    json_t *r;
    family(out, "route_generation", "counter", "Changes of the domain's server or of its instance.");
    json_object_foreach(routes, domain, r)
        sample(out, "route_generation", (struct label){"domain", domain},
               (struct label){"server", text_of(r, "server")}, value_of(json_object_get(r, "generation")));
}

static void write_lease(struct buf *out, const json_t *status, const json_t *lease)
{
    size_t i;
    json_t *n;
    family(out, "director_lease_held", "gauge", "Whether any director leads.");
    sample(out, "director_lease_held", no_label, no_label, value_of(json_object_get(lease, "held")));
    family(out, "director_leads", "gauge", "Whether the node's director leads.");
    json_array_foreach(json_object_get(status, "nodes"), i, n)
        sample(out, "director_leads", (struct label){"node", text_of(n, "name")}, no_label,
               str_eq(str_from(text_of(n, "name")), str_from(text_of(lease, "holder"))));
}

/* What others may write and this process may not is well. */
static double health_of(const char *name)
{
    return str_eq(str_from(name), STR("ok")) || str_eq(str_from(name), STR("fenced"));
}

static void part_sample(struct buf *out, const char *name, const char *part, const json_t *object,
                        const char *member)
{
    const json_t *value = json_object_get(object, member);
    if (value)
        sample(out, name, (struct label){"part", part}, no_label,
               json_is_string(value) ? health_of(json_string_value(value)) : value_of(value));
}

static void write_parts(struct buf *out, const json_t *store, const char *name, const char *member)
{
    const char *queue;
    json_t *q;
    part_sample(out, name, "network", json_object_get(store, "network"), member);
    part_sample(out, name, "mail", json_object_get(store, "mail"), member);
    json_object_foreach(json_object_get(store, "queues"), queue, q) part_sample(out, name, queue, q, member);
}

static void write_store(struct buf *out, const json_t *store)
{
    family(out, "store_healthy", "gauge",
           "Whether the part of the store takes all that it may be given; as last seen, while store_answers "
           "is 0.");
    write_parts(out, store, "store_healthy", "health");
    family(out, "store_size_bytes", "gauge", "Size of the part's file.");
    write_parts(out, store, "store_size_bytes", "size_bytes");
    family(out, "store_log_bytes", "gauge", "Size of the part's write-ahead log.");
    write_parts(out, store, "store_log_bytes", "log_bytes");
}

void metrics_write(struct buf *out, const json_t *status)
{
    const json_t *servers = json_object_get(status, "servers");
    write_servers(out, servers);
    write_numbers(out, status);
    write_works(out, json_object_get(status, "relays"));
    family(out, "observation_failed", "gauge", "Attempts of the node that failed in a row.");
    write_observations(out, servers, "failed", "observation_failed");
    family(out, "observation_heard", "gauge", "Whether the observing relay is alive.");
    write_observations(out, servers, "heard", "observation_heard");
    write_routes(out, json_object_get(status, "routes"));
    write_lease(out, status, json_object_get(status, "lease"));
    write_store(out, json_object_get(status, "store"));
}

void metrics_write_live(struct buf *out, const struct metrics_live *live)
{
    family(out, "store_answers", "gauge", "Whether the store has answered lately.");
    sample(out, "store_answers", no_label, no_label, live->store_answers);
    if (live->store_age_ms >= 0) {
        family(out, "store_read_age_seconds", "gauge",
               "Since the store was read for all that is not of this process.");
        sample(out, "store_read_age_seconds", no_label, no_label, (double)live->store_age_ms / 1000);
    }
    family(out, "web_requests_total", "counter", "Requests that this process answered.");
    sample(out, "web_requests_total", no_label, no_label, (double)live->requests);
    family(out, "web_refused_total", "counter",
           "Of these, for no page, or by a method other than GET and HEAD.");
    sample(out, "web_refused_total", no_label, no_label, (double)live->refused);
}
