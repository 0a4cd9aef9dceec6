#include "cli/status_data.h"

#include <stdlib.h>

#include "base/mem.h"

/* What waits in a queue, by domain and home. */
struct waiting {
    size_t relay; /* whose queue it is: its index in the configuration */
    char *domain, *home;
    int64_t count;
};

/* The queues are read first: a view must not be kept over a wait. */
struct gather {
    struct context *cx;
    const struct view *view;
    struct waiting *waiting;
    size_t waiting_count, relay;
};

static json_t *text(struct str s)
{
    return json_stringn(s.ptr ? s.ptr : "", s.len);
}

static struct str route_server(const struct gather *g, const struct config_domain *d)
{
    const struct view_route *route = view_route_find(g->view, str_from(d->name));
    return route ? route->record.server : str_from(d->server->name);
}

static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct gather *g = arg;
    for (size_t i = 0; !err && i < count; i++) {
        g->waiting = mem_reallocarray(g->waiting, g->waiting_count + 1, sizeof(*g->waiting));
        g->waiting[g->waiting_count++] =
            (struct waiting){g->relay, str_dup(counts[i].domain), str_dup(counts[i].home),
                             (int64_t)(counts[i].waiting + counts[i].held + counts[i].quarantined)};
    }
    context_done(g->cx);
}

static void count_queues(struct gather *g)
{
    for (g->relay = 0; g->relay < g->cx->config->relay_count; g->relay++) {
        struct queue *q = NULL;
        if (store_queue_read(g->cx->store, str_from(g->cx->config->relays[g->relay].name), &q, NULL) < 0)
            continue; /* never made: nothing waits */
        queue_summary(q, on_summary, g);
        context_wait(g->cx);
        queue_close(q);
    }
}

static void free_waiting(struct gather *g)
{
    for (size_t i = 0; i < g->waiting_count; i++) {
        free(g->waiting[i].domain);
        free(g->waiting[i].home);
    }
    free(g->waiting);
}

static int64_t queued_at(const struct gather *g, size_t relay)
{
    int64_t count = 0;
    for (size_t i = 0; i < g->waiting_count; i++)
        if (g->waiting[i].relay == relay)
            count += g->waiting[i].count;
    return count;
}

static int64_t queued_for(const struct gather *g, struct str server)
{
    int64_t count = 0;
    for (size_t i = 0; i < g->waiting_count; i++) {
        struct str home = str_from(g->waiting[i].home);
        const struct config_domain *domain =
            config_domain_find(g->cx->config, str_from(g->waiting[i].domain));
        if (home.len == 0 && domain)
            home = route_server(g, domain);
        if (str_eq(home, server))
            count += g->waiting[i].count;
    }
    return count;
}

static json_t *relay_status(const struct gather *g, size_t at)
{
    const struct config_relay *r = &g->cx->config->relays[at];
    const struct view_queue *record = view_queue_find(g->view, str_from(r->name));
    const struct view_node *node = view_node_find(g->view, str_from(r->node->name));
    char address[ADDR_TEXT_MAX] = "";
    if (r->address.count)
        addr_format_ip(&r->address.addrs[0], address);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:b}", "name", r->name, "node", r->node->name,
                     "site", r->node->site->name, "hostname", r->hostname, "address", address, "queue_owner",
                     record ? text(record->record.owner) : json_string(r->node->name), "queued",
                     (json_int_t)queued_at(g, at), "alive", node && node->alive);
}

/* What the observers whose node is alive say: the best-informed wins. */
static const struct view_observation *observation_of(const struct view *v, struct str server)
{
    const struct view_observation *best = NULL;
    for (size_t i = 0; i < v->observation_count; i++) {
        const struct view_observation *o = &v->observations[i];
        const struct view_node *node = view_node_find(v, o->node);
        if (!str_eq(o->server, server) || (node && !node->alive))
            continue;
        if (!best || o->age_ms < best->age_ms)
            best = o;
    }
    return best;
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

static json_t *server_status(const struct gather *g, size_t at)
{
    const struct config_server *s = &g->cx->config->servers[at];
    struct str name = str_from(s->name);
    const struct view_server *record = view_server_find(g->view, name);
    const struct view_observation *seen = observation_of(g->view, name);
    struct record_instance none = {.node = STR_EMPTY, .site = STR_EMPTY, .address = STR_EMPTY};
    const struct record_instance *i =
        record && record->record.instance.address.len ? &record->record.instance : &none;
    char address[ADDR_TEXT_MAX] = "";
    if (s->address.count)
        addr_format_ip(&s->address.addrs[0], address);
    bool external = s->kind == SERVER_EXTERNAL;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o}", "name", s->name,
                     "hostname", s->hostname, "kind", external ? "external" : "builtin", "site",
                     i->site.len ? text(i->site) : json_string(s->site->name), "node", text(i->node),
                     "address", i->address.len || !external ? text(i->address) : json_string(address),
                     "state", text(server_state(record, seen)), "epoch", (json_int_t)i->epoch, "pid",
                     (json_int_t)i->pid, "queued", (json_int_t)queued_for(g, name), "reason",
                     text(record ? record->record.reason : STR_EMPTY), "detail",
                     text(seen ? seen->record.detail : STR_EMPTY));
}

static json_t *node_status(const struct gather *g, const struct config_node *n)
{
    const struct view_node *record = view_node_find(g->view, str_from(n->name));
    bool alive = record && record->alive;
    return json_pack("{s:s, s:s, s:b, s:I}", "name", n->name, "site", n->site->name, "alive", alive, "pid",
                     (json_int_t)(alive ? record->record.supervisor_pid : 0));
}

static json_t *site_status(const struct gather *g, const struct config_site *s)
{
    const struct view_site *record = view_site_find(g->view, str_from(s->name));
    bool lost = record && record->record.lost;
    return json_pack("{s:s, s:b, s:s}", "name", s->name, "lost", lost, "state", lost ? "lost" : "ok");
}

static json_t *routes_status(const struct gather *g)
{
    json_t *routes = json_object();
    for (size_t i = 0; i < g->cx->config->domain_count; i++) {
        const struct config_domain *d = &g->cx->config->domains[i];
        struct str server = route_server(g, d);
        const struct view_server *record = view_server_find(g->view, server);
        const struct view_route *route = view_route_find(g->view, str_from(d->name));
        struct record_instance none = {.site = STR_EMPTY, .address = STR_EMPTY, .node = STR_EMPTY};
        const struct record_instance *at = record ? &record->record.instance : &none;
        json_int_t generation =
            (route ? route->record.generation : 0) + (record ? record->record.generation : 0);
        json_object_set_new(routes, d->name,
                            json_pack("{s:o, s:o, s:o, s:o, s:I}", "server", text(server), "instance",
                                      text(at->node), "address", text(at->address), "site", text(at->site),
                                      "generation", generation));
    }
    return routes;
}

static json_t *lease_status(const struct gather *g)
{
    const struct view_lease *lease = view_lease_find(g->view, STR("director"));
    bool held = lease && lease->remaining_ms > 0;
    return json_pack("{s:o, s:b, s:I}", "holder", held ? text(lease->holder) : json_string(""), "held", held,
                     "remaining_ms", (json_int_t)(held ? lease->remaining_ms : 0));
}

static json_t *store_status(const struct gather *g)
{
    char *raw = store_status_json(g->cx->store);
    json_t *value = json_loads(raw, 0, NULL);
    free(raw);
    return value ? value : json_object();
}

json_t *status_gather(struct context *cx)
{
    struct gather g = {.cx = cx};
    count_queues(&g);
    struct viewer *viewer = context_view(cx);
    const struct config *c = cx->config;
    g.view = viewer_view(viewer);
    json_t *all = json_object(), *relays = json_array(), *servers = json_array(), *nodes = json_array(),
           *sites = json_array();
    for (size_t i = 0; i < c->relay_count; i++)
        json_array_append_new(relays, relay_status(&g, i));
    for (size_t i = 0; i < c->server_count; i++)
        json_array_append_new(servers, server_status(&g, i));
    for (size_t i = 0; i < c->node_count; i++)
        json_array_append_new(nodes, node_status(&g, &c->nodes[i]));
    for (size_t i = 0; i < c->site_count; i++)
        json_array_append_new(sites, site_status(&g, &c->sites[i]));
    json_object_set_new(all, "servers", servers);
    json_object_set_new(all, "relays", relays);
    json_object_set_new(all, "nodes", nodes);
    json_object_set_new(all, "sites", sites);
    json_object_set_new(all, "routes", routes_status(&g));
    json_object_set_new(all, "lease", lease_status(&g));
    json_object_set_new(all, "store", store_status(&g));
    free_waiting(&g);
    viewer_free(viewer);
    return all;
}
