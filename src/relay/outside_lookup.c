#include "relay/outside_lookup.h"

#include <stdio.h>

#include "base/mem.h"

/* One host's question. */
struct asked {
    struct outside_lookup *lookup;
    size_t host;
    enum resolver_type type;
    struct resolver_question *question; /* NULL: answered */
};

struct outside_lookup {
    struct outside_lookup_options options;
    char *domain;
    void (*on_route)(void *arg, const struct route *route);
    void *arg;
    struct route route;
    struct resolver_question *mx;
    struct asked asked[2 * ROUTE_HOSTS_MAX];
    size_t asked_count, open; /* open: without an answer */
    struct loop_timer *timer; /* tells what is known */
};

void outside_lookup_cancel(struct outside_lookup *l)
{
    if (!l)
        return;
    resolver_cancel(l->mx);
    for (size_t i = 0; i < l->asked_count; i++)
        resolver_cancel(l->asked[i].question);
    loop_timer_free(l->timer);
    free(l->domain);
    free(l);
}

static void on_known(void *arg)
{
    struct outside_lookup *l = arg;
    l->on_route(l->arg, &l->route);
    outside_lookup_cancel(l);
}

static void on_addresses(void *arg, const struct resolver_answer *answer)
{
    struct asked *a = arg;
    struct outside_lookup *l = a->lookup;
    a->question = NULL;
    route_on_addresses(&l->route, &l->options.self, a->host, a->type, answer);
    if (--l->open > 0)
        return;
    route_finish(&l->route, l->domain, l->options.port);
    on_known(l);
}

static void ask(struct outside_lookup *l, size_t host, enum resolver_type type)
{
    struct asked *a = &l->asked[l->asked_count++];
    *a = (struct asked){.lookup = l, .host = host, .type = type};
    l->open++;
    a->question = resolver_ask(l->options.resolver, type, l->route.hosts[host].name, on_addresses, a);
}

static void ask_addresses(struct outside_lookup *l)
{
    for (size_t i = 0; i < l->route.host_count; i++) {
        ask(l, i, RESOLVER_A);
        ask(l, i, RESOLVER_AAAA);
    }
}

static void on_mx(void *arg, const struct resolver_answer *answer)
{
    struct outside_lookup *l = arg;
    uint64_t seed;
    l->mx = NULL;
    loop_random(l->options.loop, &seed, sizeof(seed));
    route_on_mx(&l->route, &l->options.self, l->domain, answer, seed);
    if (l->route.verdict == ROUTE_OPEN)
        ask_addresses(l);
    else
        on_known(l);
}

/* A smarthost's address; it is the operator's word, and checked with the configuration. */
static bool is_given(struct outside_lookup *l)
{
    struct addr at;
    if (addr_parse_ip(str_from(l->options.smarthost), l->options.port, &at) < 0)
        return false;
    l->route = (struct route){.verdict = ROUTE_READY, .place_count = 1};
    l->route.places[0].addr = at;
    snprintf(l->route.places[0].host, sizeof(l->route.places[0].host), "%s", l->options.smarthost);
    return true;
}

static bool is_known(struct outside_lookup *l, bool smarthost)
{
    if (smarthost ? is_given(l)
                  : route_of_literal(&l->route, &l->options.self, str_from(l->domain), l->options.port) == 0)
        return true;
    if (l->options.resolver)
        return false;
    l->route = (struct route){.verdict = ROUTE_LATER, .why = "4.3.5 There is no resolver of outside names"};
    return true;
}

struct outside_lookup *outside_lookup_new(const struct outside_lookup_options *options, const char *domain,
                                          void (*on_route)(void *arg, const struct route *route), void *arg)
{
    struct outside_lookup *l = mem_zalloc(sizeof(*l));
    bool smarthost = options->smarthost && options->smarthost[0];
    l->options = *options;
    l->domain = mem_strdup(domain);
    l->on_route = on_route;
    l->arg = arg;
    l->timer = loop_timer_new(options->loop, on_known, l);
    if (is_known(l, smarthost)) {
        loop_timer_start(l->timer, 0);
    } else if (smarthost) {
        route_on_host_name(&l->route, options->smarthost);
        ask_addresses(l);
    } else {
        l->mx = resolver_ask(options->resolver, RESOLVER_MX, domain, on_mx, l);
    }
    return l;
}
