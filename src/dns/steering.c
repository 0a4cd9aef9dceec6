#include "dns/steering.h"

#include <string.h>

#include "base/mem.h"

bool dns_relay_lives(enum health_state relay)
{
    return relay == HEALTH_UNKNOWN || health_state_serves(relay);
}

static void add(struct dns_exchangers *e, size_t host)
{
    e->hosts[e->count++] = host;
}

static void add_relays(struct dns_exchangers *e, const enum health_state *relays, size_t count, bool dead_too)
{
    for (size_t i = 0; i < count; i++)
        if (dead_too || dns_relay_lives(relays[i]))
            add(e, i);
}

void dns_steer(enum health_state server, bool leased, const enum health_state *relays, size_t relay_count,
               struct dns_exchangers *ret_exchangers)
{
    bool tries = server == HEALTH_RECOVERING || server == HEALTH_UNKNOWN;
    size_t count = relay_count < DNS_HOSTS_MAX ? relay_count : DNS_HOSTS_MAX - 1;
    ret_exchangers->count = 0;
    if (leased && health_state_serves(server))
        add(ret_exchangers, DNS_HOST_SERVER);
    add_relays(ret_exchangers, relays, count, false);
    if (leased && tries)
        add(ret_exchangers, DNS_HOST_SERVER);
    if (ret_exchangers->count > 0)
        return;
    add_relays(ret_exchangers, relays, count, true);
    add(ret_exchangers, DNS_HOST_SERVER);
}

void dns_steer_domain(const struct config *c, const struct dns_view *v, size_t domain,
                      struct dns_exchangers *ret_exchangers)
{
    enum health_state relays[DNS_HOSTS_MAX];
    const struct config_domain *d = &c->domains[domain];
    const struct dns_view_server *server = &v->servers[v->domain_servers[domain]];
    size_t count = d->relay_count < DNS_HOSTS_MAX ? d->relay_count : DNS_HOSTS_MAX - 1;
    for (size_t i = 0; i < count; i++)
        relays[i] = v->relays[d->relays[i] - c->relays];
    dns_steer(server->state, server->leased, relays, count, ret_exchangers);
}

void dns_view_init(struct dns_view *v, const struct config *c)
{
    v->servers = mem_calloc(c->server_count + 1, sizeof(*v->servers));
    v->relays = mem_calloc(c->relay_count + 1, sizeof(*v->relays));
    v->domain_servers = mem_calloc(c->domain_count + 1, sizeof(*v->domain_servers));
    for (size_t i = 0; i < c->server_count; i++) {
        const struct config_listen *from = &c->servers[i].address;
        struct dns_view_server *to = &v->servers[i];
        for (; to->address_count < from->count && to->address_count < DNS_ADDRESSES_MAX; to->address_count++)
            to->addresses[to->address_count] = from->addrs[to->address_count];
    }
    for (size_t i = 0; i < c->domain_count; i++)
        v->domain_servers[i] = (size_t)(c->domains[i].server - c->servers);
}

void dns_view_copy(struct dns_view *to, const struct dns_view *from, const struct config *c)
{
    dns_view_init(to, c);
    memcpy(to->servers, from->servers, c->server_count * sizeof(*to->servers));
    memcpy(to->relays, from->relays, c->relay_count * sizeof(*to->relays));
    memcpy(to->domain_servers, from->domain_servers, c->domain_count * sizeof(*to->domain_servers));
}

static bool server_eq(const struct dns_view_server *a, const struct dns_view_server *b)
{
    bool eq = a->state == b->state && a->leased == b->leased && a->address_count == b->address_count;
    for (size_t i = 0; eq && i < a->address_count; i++)
        eq = addr_ip_eq(&a->addresses[i], &b->addresses[i]);
    return eq;
}

bool dns_view_eq(const struct dns_view *a, const struct dns_view *b, const struct config *c)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (!server_eq(&a->servers[i], &b->servers[i]))
            return false;
    return memcmp(a->relays, b->relays, c->relay_count * sizeof(*a->relays)) == 0 &&
           memcmp(a->domain_servers, b->domain_servers, c->domain_count * sizeof(*a->domain_servers)) == 0;
}

void dns_view_fini(struct dns_view *v)
{
    free(v->servers);
    free(v->relays);
    free(v->domain_servers);
}
