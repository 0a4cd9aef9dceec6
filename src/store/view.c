#include "store/view.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "store/presence.h"

#define VIEW_ARENA_MAX_BYTES (64 << 20) /* thousands of servers, domains and nodes */
#define RETRY_MS             200        /* after a failed reading */
#define REFRESH_MS           500        /* a lease that runs out fires no change */

struct snapshot {
    struct arena arena;
    struct view view;
};

void view_tell_lost_sites(const struct view *v, struct store *s)
{
    struct str lost[STORE_SITES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < v->site_count && count < ARRAY_LEN(lost); i++)
        if (v->sites[i].record.lost)
            lost[count++] = v->sites[i].name;
    store_set_lost_sites(s, lost, count);
}

struct viewer {
    struct loop *loop;
    struct network *network;
    void (*on_view)(void *arg, const struct view *v);
    void *arg;
    struct network_watch *watch;
    struct loop_timer *timer;
    struct store_op *op;
    bool reading, again;
    struct snapshot *building, *current;
};

static struct snapshot *snapshot_new(void)
{
    struct snapshot *s = mem_zalloc(sizeof(*s));
    arena_init(&s->arena, VIEW_ARENA_MAX_BYTES);
    return s;
}

static void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    arena_fini(&s->arena);
    free(s);
}

/* A record that cannot be decoded is left out: a neighbouring version's, which
 * this program cannot act on anyway. */
#define DEFINE_TAKE(noun, member, key_field)                                                                 \
    static void take_##noun##s(struct snapshot *s, const struct network_record *records, size_t count)       \
    {                                                                                                        \
        s->view.member##s = arena_alloc(&s->arena, count * sizeof(struct view_##noun));                      \
        for (size_t i = 0; s->view.member##s && i < count; i++) {                                            \
            struct view_##noun *item = &s->view.member##s[s->view.member##_count];                           \
            if (record_##noun##_decode(&s->arena, records[i].value, &item->record) < 0)                      \
                continue;                                                                                    \
            item->key_field = arena_str(&s->arena, records[i].key);                                          \
            item->version = records[i].version;                                                              \
            s->view.member##_count++;                                                                        \
        }                                                                                                    \
    }

DEFINE_TAKE(server, server, name)
DEFINE_TAKE(route, route, domain)
DEFINE_TAKE(queue, queue, name)
DEFINE_TAKE(node, node, name)
DEFINE_TAKE(site, site, name)
DEFINE_TAKE(work, work, relay)
#undef DEFINE_TAKE

static void take_orders(struct snapshot *s, const struct network_record *records, size_t count)
{
    s->view.orders = arena_alloc(&s->arena, count * sizeof(struct view_order));
    for (size_t i = 0; s->view.orders && i < count; i++) {
        struct view_order *item = &s->view.orders[s->view.order_count];
        if (record_order_decode(&s->arena, records[i].value, &item->record) < 0)
            continue;
        item->key = arena_str(&s->arena, records[i].key);
        item->version = records[i].version;
        item->age_ms = records[i].age_ms;
        s->view.order_count++;
    }
}

static void take_observations(struct snapshot *s, const struct network_record *records, size_t count)
{
    s->view.observations = arena_alloc(&s->arena, count * sizeof(struct view_observation));
    for (size_t i = 0; s->view.observations && i < count; i++) {
        struct view_observation *item = &s->view.observations[s->view.observation_count];
        struct str rest = arena_str(&s->arena, records[i].key);
        if (!str_split(&rest, '/', &item->node) || !rest.ptr ||
            record_observation_decode(&s->arena, records[i].value, &item->record) < 0)
            continue;
        item->server = rest;
        item->age_ms = records[i].age_ms;
        s->view.observation_count++;
    }
}

static void take_secret(struct snapshot *s, const struct network_record *records, size_t count)
{
    struct record_secret secret;
    for (size_t i = 0; i < count; i++)
        if (str_eq(records[i].key, STR("peer")) &&
            record_secret_decode(&s->arena, records[i].value, &secret) == 0)
            s->view.peer_secret_hex = secret.hex;
}

static void take_revision(struct snapshot *s, const struct network_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(records[i].key, STR("users")))
            s->view.users_revision = records[i].version;
}

static const struct {
    const char *kind;
    void (*take)(struct snapshot *s, const struct network_record *records, size_t count);
} kinds[] = {
    {"order", take_orders},      {"server", take_servers},
    {"route", take_routes},      {"queue", take_queues},
    {"node", take_nodes},        {"site", take_sites},
    {"work", take_works},        {"secret", take_secret},
    {"revision", take_revision}, {"observation", take_observations},
};

static void failed(struct viewer *w)
{
    snapshot_free(w->building);
    w->building = NULL;
    w->reading = false;
    loop_timer_start(w->timer, RETRY_MS);
}

static void finish(struct viewer *w)
{
    snapshot_free(w->current);
    w->current = w->building;
    w->building = NULL;
    w->reading = false;
    loop_timer_start(w->timer, w->again ? 0 : REFRESH_MS);
    w->again = false;
    w->on_view(w->arg, &w->current->view); /* last: the callee may free w */
}

static void take_leases(struct snapshot *s, const struct network_lease *leases, size_t count)
{
    s->view.leases = arena_alloc(&s->arena, count * sizeof(struct view_lease));
    for (size_t i = 0; s->view.leases && i < count; i++) {
        s->view.leases[i] =
            (struct view_lease){arena_str(&s->arena, leases[i].name), arena_str(&s->arena, leases[i].holder),
                                leases[i].token, leases[i].remaining_ms};
        s->view.lease_count++;
    }
}

/* Those of one kind stand together. */
static void take_records(struct snapshot *s, const struct network_sight *seen)
{
    for (size_t from = 0, to; from < seen->record_count; from = to) {
        struct str kind = seen->records[from].kind;
        for (to = from + 1; to < seen->record_count && str_eq(seen->records[to].kind, kind); to++)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
            if (str_eq(kind, str_from(kinds[i].kind)))
                kinds[i].take(s, &seen->records[from], to - from);
    }
}

static void on_look(void *arg, int err, const struct network_sight *seen)
{
    struct viewer *w = arg;
    w->op = NULL;
    if (err) {
        failed(w);
        return;
    }
    take_records(w->building, seen);
    take_leases(w->building, seen->leases, seen->lease_count);
    finish(w);
}

_Static_assert(ARRAY_LEN(kinds) <= NETWORK_LOOK_KINDS_MAX, "one look sees them all");

static void read_all(struct viewer *w)
{
    struct str names[ARRAY_LEN(kinds)];
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        names[i] = str_from(kinds[i].kind);
    w->op = network_look(w->network, names, ARRAY_LEN(names), on_look, w);
}

static void begin(struct viewer *w)
{
    if (w->reading) {
        w->again = true;
        return;
    }
    loop_timer_stop(w->timer);
    w->reading = true;
    w->again = false;
    w->building = snapshot_new();
    w->building->view.peer_secret_hex = STR_EMPTY;
    w->building->view.read_at = loop_now(w->loop);
    read_all(w);
}

static void on_trigger(void *arg)
{
    begin(arg);
}

struct viewer *viewer_new(struct loop *l, struct network *n, void (*on_view)(void *arg, const struct view *v),
                          void *arg)
{
    struct viewer *w = mem_zalloc(sizeof(*w));
    w->loop = l;
    w->network = n;
    w->on_view = on_view;
    w->arg = arg;
    w->timer = loop_timer_new(l, on_trigger, w);
    w->watch = network_watch_new(n, on_trigger, w);
    begin(w);
    return w;
}

void viewer_free(struct viewer *w)
{
    if (!w)
        return;
    if (w->op)
        store_op_forget(w->op);
    network_watch_free(w->watch);
    loop_timer_free(w->timer);
    snapshot_free(w->building);
    snapshot_free(w->current);
    free(w);
}

const struct view *viewer_view(const struct viewer *w)
{
    return w->current ? &w->current->view : NULL;
}

void viewer_refresh(struct viewer *w)
{
    begin(w);
}

#define DEFINE_FIND(noun, member, key_field)                                                                 \
    const struct view_##noun *view_##noun##_find(const struct view *v, struct str key)                       \
    {                                                                                                        \
        for (size_t i = 0; i < v->member##_count; i++)                                                       \
            if (str_eq(v->member##s[i].key_field, key))                                                      \
                return &v->member##s[i];                                                                     \
        return NULL;                                                                                         \
    }

DEFINE_FIND(server, server, name)
DEFINE_FIND(route, route, domain)
DEFINE_FIND(queue, queue, name)
DEFINE_FIND(node, node, name)
DEFINE_FIND(site, site, name)
DEFINE_FIND(work, work, relay)
DEFINE_FIND(order, order, key)
DEFINE_FIND(lease, lease, name)

struct str view_route_server(const struct view *v, struct str domain, struct str home)
{
    const struct view_route *route = view_route_find(v, domain);
    return route ? route->record.server : home;
}

/* ---- who lives ---- */

static bool ran(const struct view_lease *lease, const char *kind, int64_t grace_ms)
{
    return lease->remaining_ms > -grace_ms && str_starts(lease->name, str_from(kind));
}

static bool is_held(const struct view *v, const char *kind, struct str name)
{
    for (size_t i = 0; i < v->lease_count; i++)
        if (ran(&v->leases[i], kind, 0) && str_eq(str_sub(v->leases[i].name, strlen(kind), SIZE_MAX), name))
            return true;
    return false;
}

bool view_agent_is_alive(const struct view *v, struct str node)
{
    return is_held(v, PRESENCE_NODE, node);
}

bool view_relay_is_alive(const struct view *v, struct str relay)
{
    return is_held(v, PRESENCE_RELAY, relay);
}

bool view_node_relayed(const struct view *v, struct str node, int64_t grace_ms)
{
    for (size_t i = 0; i < v->lease_count; i++)
        if (ran(&v->leases[i], PRESENCE_RELAY, grace_ms) && str_eq(v->leases[i].holder, node))
            return true;
    return false;
}

bool view_node_relays(const struct view *v, struct str node)
{
    return view_node_relayed(v, node, 0);
}

bool view_node_is_alive(const struct view *v, struct str node)
{
    return view_agent_is_alive(v, node) || view_node_relays(v, node);
}

static const struct view_node *told_by_relay(const struct view *v, struct str node)
{
    for (size_t i = 0; i < v->lease_count; i++)
        if (ran(&v->leases[i], PRESENCE_RELAY, 0) && str_eq(v->leases[i].holder, node))
            return view_node_find(v, v->leases[i].name);
    return NULL;
}

const struct view_node *view_node_told(const struct view *v, struct str node)
{
    return view_agent_is_alive(v, node) ? view_node_find(v, node) : told_by_relay(v, node);
}

/* ---- observations ---- */

bool view_observation_is_heard(const struct view *v, const struct view_observation *o)
{
    return view_node_relays(v, o->node);
}

const struct view_observation *view_observation_newest(const struct view *v, struct str server)
{
    const struct view_observation *best = NULL;
    for (size_t i = 0; i < v->observation_count; i++) {
        const struct view_observation *o = &v->observations[i];
        if (str_eq(o->server, server) && view_observation_is_heard(v, o) &&
            (!best || o->age_ms < best->age_ms))
            best = o;
    }
    return best;
}
