#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/role_main.h"
#include "dns/role.h"
#include "run/supervisor.h"

#define STORE_RETRY_MS 1000
#define ROUTE_LEASES   4 /* how many of a node's leases the last known routes are kept for */

struct dns_main {
    struct role_main rm;
    struct dns_role *role;
    struct viewer *viewer;
    struct loop_timer *retry;
};

/* ---- routes, as the store has them ---- */

static enum health_state route_state(struct str state)
{
    if (str_eq(state, STR("running")))
        return HEALTH_OPERATIONAL;
    if (str_eq(state, STR("fencing")) || str_eq(state, STR("fenced")))
        return HEALTH_FENCED;
    return str_eq(state, STR("retired")) ? HEALTH_RETIRED : HEALTH_CREATING;
}

static void fill_route(struct dns_route *route, char *expect, size_t size, const struct view_server *s)
{
    const struct record_instance *instance = &s->record.instance;
    route->server = s->name.ptr;
    route->state = route_state(s->record.state);
    route->served_by = s->record.served_by.len ? s->record.served_by.ptr : NULL;
    route->epoch = instance->epoch;
    route->address_count = addr_parse_ip(instance->address, 0, &route->addresses[0]) == 0;
    if (instance->node.len == 0)
        return;
    snprintf(expect, size, "instance=%lld@%.*s", (long long)instance->epoch, STR_ARG(instance->node));
    route->expect = expect;
}

static bool is_builtin(const struct config *c, struct str name)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (str_eq(str_from(c->servers[i].name), name))
            return c->servers[i].kind == SERVER_BUILTIN;
    return false;
}

#define EXPECT_MAX 96

static void on_view(void *arg, const struct view *v)
{
    struct dns_main *m = arg;
    const struct config *c = m->rm.cx.config;
    struct dns_route *servers = mem_calloc(v->server_count, sizeof(*servers));
    struct dns_domain_route *domains = mem_calloc(v->route_count, sizeof(*domains));
    char(*expects)[EXPECT_MAX] = mem_calloc(v->server_count, sizeof(*expects));
    for (size_t i = 0; i < v->server_count; i++) {
        fill_route(&servers[i], expects[i], EXPECT_MAX, &v->servers[i]);
        if (!is_builtin(c, v->servers[i].name))
            servers[i].expect = NULL;
    }
    for (size_t i = 0; i < v->route_count; i++)
        domains[i] = (struct dns_domain_route){v->routes[i].domain.ptr, v->routes[i].record.server.ptr};
    struct dns_routes routes = {
        .servers = servers,
        .server_count = v->server_count,
        .domains = domains,
        .domain_count = v->route_count,
        .valid_until = mono_add_ms(v->read_at, ROUTE_LEASES * c->lease_ms),
    };
    dns_role_set_routes(m->role, &routes);
    free(servers);
    free(domains);
    free(expects);
}

/* The store may come later: answers need none. */
static void open_store(void *arg)
{
    struct dns_main *m = arg;
    if (context_open_store(&m->rm.cx, false) == EXIT_DONE)
        m->viewer = viewer_new(m->rm.cx.loop, store_network(m->rm.cx.store), on_view, m);
    else
        loop_timer_start(m->retry, STORE_RETRY_MS);
}

/* ---- start and stop ---- */

static void on_stop(void *arg)
{
    struct dns_main *m = arg;
    role_main_end(&m->rm, EXIT_DONE);
}

static int on_reload(void *arg, struct err_buf *eb)
{
    struct dns_main *m = arg;
    return dns_role_reload(m->role, eb);
}

static int start(struct dns_main *m)
{
    struct err_buf eb = {""};
    const struct config_dns *dns = config_dns_of_node(m->rm.cx.config, m->rm.node);
    int rc = dns_role_open(m->rm.cx.loop, m->rm.cx.config, dns, &m->role, &eb);
    if (rc < 0) {
        log_event(LOG_ERROR, eb.text);
        return supervisor_refusal();
    }
    int status = role_main_become(&m->rm);
    if (status != EXIT_DONE)
        return status;
    if (dns_role_start(m->role, &eb) < 0) {
        log_event(LOG_ERROR, eb.text);
        return EXIT_FAILED;
    }
    m->retry = loop_timer_new(m->rm.cx.loop, open_store, m);
    open_store(m);
    log_event(LOG_INFO, "name server started", LOG_TEXT("dns", dns->name));
    return 0;
}

int cmd_dns(int argc, char **argv)
{
    struct dns_main m = {0};
    int status = role_main_init(&m.rm, "dns", ROLE_DNS, argc, argv, NULL);
    if (status == 0)
        status = role_main_claim(&m.rm, false);
    if (status == 0)
        status = start(&m);
    m.rm.on_reload = on_reload;
    if (status == 0)
        status = role_main_run(&m.rm, on_stop, &m);
    viewer_free(m.viewer);
    loop_timer_free(m.retry);
    dns_role_free(m.role);
    role_main_fini(&m.rm);
    return status;
}
