#include "config/config.h"

#include <string.h>

#include "base/mem.h"
#include "config/units.h"

/* Every named struct begins with its name. */
static void *find_named(void *items, size_t count, size_t size, const char *name)
{
    char *item = items;
    for (size_t i = 0; i < count; i++, item += size)
        if (strcmp(*(const char *const *)(const void *)item, name) == 0)
            return item;
    return NULL;
}

struct config_node *config_node_find(const struct config *c, const char *name)
{
    return find_named(c->nodes, c->node_count, sizeof(*c->nodes), name);
}

struct config_server *config_server_find(const struct config *c, const char *name)
{
    return find_named(c->servers, c->server_count, sizeof(*c->servers), name);
}

struct config_relay *config_relay_find(const struct config *c, const char *name)
{
    return find_named(c->relays, c->relay_count, sizeof(*c->relays), name);
}

bool config_is_replicated(const struct config *c)
{
    if (c->durability == DURABILITY_BY_ENGINE)
        return c->store_engine == STORE_POSTGRESQL;
    return c->durability == DURABILITY_REPLICATED;
}

struct config_site *config_site_find(const struct config *c, const char *name)
{
    return find_named(c->sites, c->site_count, sizeof(*c->sites), name);
}

struct config_relay *config_relay_of_node(const struct config *c, const struct config_node *n)
{
    for (size_t i = 0; i < c->relay_count; i++)
        if (c->relays[i].node == n)
            return &c->relays[i];
    return NULL;
}

char *config_spool_path(const struct config *c, const struct config_relay *r)
{
    return mem_asprintf("%s/spool-%s", c->state_dir, r->name);
}

struct config_dns *config_dns_of_node(const struct config *c, const struct config_node *n)
{
    for (size_t i = 0; i < c->dns_count; i++)
        if (c->dns[i].node == n)
            return &c->dns[i];
    return NULL;
}

struct config_web *config_web_of_node(const struct config *c, const struct config_node *n)
{
    for (size_t i = 0; i < c->web_count; i++)
        if (c->web[i].node == n)
            return &c->web[i];
    return NULL;
}

struct config_domain *config_domain_find(const struct config *c, struct str domain)
{
    for (size_t i = 0; i < c->domain_count; i++)
        if (str_ieq(str_from(c->domains[i].name), domain))
            return &c->domains[i];
    return NULL;
}

/* "host:port", "192.0.2.1:25", "[2001:db8::1]:25" */
int config_smarthost(const struct config_relay *r, struct str *ret_host, uint16_t *ret_port)
{
    struct str text = str_from(r->smarthost), host;
    struct addr at;
    uint64_t port;
    if (text.len == 0)
        return ERR_NOT_FOUND;
    size_t colon = text.len - 1;
    while (colon > 0 && text.ptr[colon] != ':')
        colon--;
    host = str_sub(text, 0, colon);
    if (str_to_u64(str_sub(text, colon + 1, SIZE_MAX), UINT16_MAX, &port) < 0 || port == 0)
        return ERR_SYNTAX;
    if (addr_parse(text, &at) == 0 && host.ptr[0] == '[')
        host = str_sub(host, 1, host.len - 2);
    else if (addr_parse(text, &at) < 0 && !units_is_hostname(host))
        return ERR_SYNTAX;
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return 0;
}

bool config_has_place(const struct config *c, struct str domain, struct str home)
{
    if (home.len == 0)
        return config_domain_find(c, domain) != NULL;
    if (str_eq(home, STR(CONFIG_HOME_OUTSIDE)))
        return true;
    for (size_t i = 0; i < c->server_count; i++)
        if (str_eq(str_from(c->servers[i].name), home))
            return true;
    return false;
}

bool config_listen_has_ip(const struct config_listen *l, const struct addr *ip)
{
    for (size_t i = 0; i < l->count; i++)
        if (addr_ip_eq(&l->addrs[i], ip))
            return true;
    return false;
}

static bool server_has_ip(const struct config_server *s, const struct addr *ip)
{
    for (size_t i = 0; i < s->failover.create_count; i++)
        if (!s->failover.create[i].address_same && addr_ip_eq(&s->failover.create[i].address, ip))
            return true;
    return config_listen_has_ip(&s->address, ip);
}

bool config_has_ip(const struct config *c, const struct addr *ip)
{
    bool has = false;
    for (size_t i = 0; i < c->relay_count && !has; i++)
        has =
            config_listen_has_ip(&c->relays[i].address, ip) || config_listen_has_ip(&c->relays[i].listen, ip);
    for (size_t i = 0; i < c->server_count && !has; i++)
        has = server_has_ip(&c->servers[i], ip);
    for (size_t i = 0; i < c->dns_count && !has; i++)
        has = config_listen_has_ip(&c->dns[i].address, ip) || config_listen_has_ip(&c->dns[i].listen, ip);
    for (size_t i = 0; i < c->web_count && !has; i++)
        has = config_listen_has_ip(&c->web[i].listen, ip);
    return has;
}
