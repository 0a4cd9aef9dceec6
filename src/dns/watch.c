#include "dns/watch.h"

#include <string.h>

#include "base/mem.h"
#include "health/monitor.h"

#define ITSELF ((size_t)-1)

struct watched {
    struct monitor *monitor;
    bool known;              /* a route was set, or none is needed */
    enum health_state state; /* of the route */
    size_t served_by;        /* index of the standby server, or ITSELF */
    struct addr addresses[DNS_ADDRESSES_MAX];
    size_t address_count;
};

struct dns_watch {
    struct loop *loop;
    const struct config *config;
    struct watched *servers;
    struct monitor **relays;
    size_t *homes; /* of the domains: index of the routed server */
    struct mono_time valid_until;
    struct loop_timer *expiry, *tell;
    struct dns_view view;
    void (*on_change)(void *arg);
    void *arg;
};

static void on_state(void *arg, struct monitor *m, enum health_state before)
{
    struct dns_watch *w = arg;
    (void)m;
    (void)before;
    loop_timer_start(w->tell, 0);
}

static void on_tell(void *arg)
{
    struct dns_watch *w = arg;
    w->on_change(w->arg);
}

static const struct monitor_events events = {.on_change = on_state};

static void use_configured_addresses(struct watched *s, const struct config_server *config)
{
    s->address_count = 0;
    for (; s->address_count < config->address.count && s->address_count < DNS_ADDRESSES_MAX;
         s->address_count++)
        s->addresses[s->address_count] = config->address.addrs[s->address_count];
}

static void watch_servers(struct dns_watch *w, const char *helo)
{
    for (size_t i = 0; i < w->config->server_count; i++) {
        const struct config_server *config = &w->config->servers[i];
        struct monitor_spec spec = {.name = config->name,
                                    .checks = config->checks,
                                    .check_count = config->check_count,
                                    .protocol = config->protocol,
                                    .helo = helo,
                                    .tls_of = config};
        struct watched *s = &w->servers[i];
        s->monitor = monitor_new(w->loop, &spec, &events, w);
        s->served_by = ITSELF;
        use_configured_addresses(s, config);
    }
}

static void watch_relays(struct dns_watch *w, const char *helo)
{
    for (size_t i = 0; i < w->config->relay_count; i++) {
        const struct config_relay *config = &w->config->relays[i];
        struct monitor_spec spec = {.name = config->name, .protocol = SERVER_SMTP, .helo = helo};
        struct monitor_target target;
        w->relays[i] = monitor_new(w->loop, &spec, &events, w);
        monitor_target_of_relay(config, &target);
        monitor_set_target(w->relays[i], &target);
    }
}

void dns_watch_reload(struct dns_watch *w)
{
    for (size_t i = 0; i < w->config->server_count; i++)
        monitor_reload(w->servers[i].monitor);
}

static size_t server_index(const struct dns_watch *w, const char *name)
{
    const struct config_server *s = name && name[0] ? config_server_find(w->config, name) : NULL;
    return s ? (size_t)(s - w->config->servers) : ITSELF;
}

static void reset_homes(struct dns_watch *w)
{
    for (size_t i = 0; i < w->config->domain_count; i++)
        w->homes[i] = (size_t)(w->config->domains[i].server - w->config->servers);
}

struct dns_watch *dns_watch_new(struct loop *l, const struct config *config, const char *helo,
                                void (*on_change)(void *arg), void *arg)
{
    struct dns_watch *w = mem_zalloc(sizeof(*w));
    w->loop = l;
    w->config = config;
    w->on_change = on_change;
    w->arg = arg;
    w->tell = loop_timer_new(l, on_tell, w);
    w->expiry = loop_timer_new(l, on_tell, w);
    w->servers = mem_calloc(config->server_count + 1, sizeof(*w->servers));
    w->relays = mem_calloc(config->relay_count + 1, sizeof(struct monitor *));
    w->homes = mem_calloc(config->domain_count + 1, sizeof(*w->homes));
    w->valid_until = loop_now(l); /* nothing is valid yet */
    reset_homes(w);
    watch_servers(w, helo);
    watch_relays(w, helo);
    dns_view_init(&w->view, config);
    return w;
}

void dns_watch_free(struct dns_watch *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->config->server_count; i++)
        monitor_free(w->servers[i].monitor);
    for (size_t i = 0; i < w->config->relay_count; i++)
        monitor_free(w->relays[i]);
    loop_timer_free(w->tell);
    loop_timer_free(w->expiry);
    dns_view_fini(&w->view);
    free(w->servers);
    free(w->relays);
    free(w->homes);
    free(w);
}

static void aim(struct watched *s, const struct config_server *config, int64_t epoch, const char *expect)
{
    struct monitor_target target;
    if (!s->known || s->state != HEALTH_OPERATIONAL || s->served_by != ITSELF || s->address_count == 0) {
        monitor_set_target(s->monitor, NULL);
        return;
    }
    monitor_target_of_server(config, &s->addresses[0], &target);
    target.epoch = epoch;
    target.expect = expect;
    monitor_set_target(s->monitor, &target);
}

static const struct dns_route *find_route(const struct dns_routes *routes, const char *server)
{
    for (size_t i = 0; i < routes->server_count; i++)
        if (strcmp(routes->servers[i].server, server) == 0)
            return &routes->servers[i];
    return NULL;
}

/* An instance of ours is bound to the address of its route alone; an external server that is where it was
 * configured to be has all that was configured. */
static bool has_route_address_only(const struct dns_route *route, const struct config_server *config)
{
    if (!route || route->address_count == 0)
        return false;
    return config->kind == SERVER_BUILTIN || !config_listen_has_ip(&config->address, &route->addresses[0]);
}

static void set_route(struct dns_watch *w, struct watched *s, const struct config_server *config,
                      const struct dns_route *route)
{
    s->known = route || config->kind == SERVER_EXTERNAL;
    s->state = route ? route->state : HEALTH_OPERATIONAL;
    s->served_by = route ? server_index(w, route->served_by) : ITSELF;
    if (has_route_address_only(route, config)) {
        s->address_count =
            route->address_count < DNS_ADDRESSES_MAX ? route->address_count : DNS_ADDRESSES_MAX;
        memcpy(s->addresses, route->addresses, s->address_count * sizeof(*s->addresses));
    } else if (route || config->kind == SERVER_EXTERNAL) {
        use_configured_addresses(s, config);
    }
    aim(s, config, route ? route->epoch : 0, route ? route->expect : NULL);
}

static void set_homes(struct dns_watch *w, const struct dns_routes *routes)
{
    reset_homes(w);
    for (size_t i = 0; i < routes->domain_count; i++) {
        const struct config_domain *d = config_domain_find(w->config, str_from(routes->domains[i].domain));
        size_t server = server_index(w, routes->domains[i].server);
        if (d && server != ITSELF)
            w->homes[d - w->config->domains] = server;
    }
}

void dns_watch_set_routes(struct dns_watch *w, const struct dns_routes *routes)
{
    int64_t left_ms = mono_diff_ms(routes->valid_until, loop_now(w->loop));
    for (size_t i = 0; i < w->config->server_count; i++) {
        const struct config_server *config = &w->config->servers[i];
        set_route(w, &w->servers[i], config, find_route(routes, config->name));
    }
    set_homes(w, routes);
    w->valid_until = routes->valid_until;
    loop_timer_start(w->expiry, left_ms >= 0 ? left_ms + 1 : 0); /* + 1: not before it has passed */
    loop_timer_start(w->tell, 0);
}

/* The server that has what is of server i: the standby that stands in for it, or itself. */
static size_t holder(const struct dns_watch *w, size_t i)
{
    return w->servers[i].served_by == ITSELF ? i : w->servers[i].served_by;
}

static void view_server(struct dns_watch *w, size_t i, bool valid)
{
    const struct watched *own = &w->servers[i], *held = &w->servers[holder(w, i)];
    struct dns_view_server *v = &w->view.servers[i];
    bool overruled = own->state != HEALTH_OPERATIONAL;
    v->state = overruled ? own->state : monitor_word(held->monitor)->state;
    v->leased = valid && own->known;
    memcpy(v->addresses, held->addresses, sizeof(v->addresses));
    v->address_count = held->address_count;
}

const struct dns_view *dns_watch_view(struct dns_watch *w)
{
    bool valid = mono_before(loop_now(w->loop), w->valid_until);
    for (size_t i = 0; i < w->config->server_count; i++)
        view_server(w, i, valid);
    for (size_t i = 0; i < w->config->relay_count; i++)
        w->view.relays[i] = monitor_word(w->relays[i])->state;
    for (size_t i = 0; i < w->config->domain_count; i++)
        w->view.domain_servers[i] = holder(w, w->homes[i]);
    return &w->view;
}

const struct health_word *dns_watch_word(const struct dns_watch *w, size_t server)
{
    CHECK(server < w->config->server_count);
    return monitor_word(w->servers[server].monitor);
}
