#include "cli/demo_plan.h"

#include <stdio.h>

/* Of the quick start's users, examples/example.test.users. */
#define READER_LOCAL_PART "alice"
#define READER_PASSWORD   "holdfast"

static const struct config_create *create_find(const struct config_server *s, bool same)
{
    for (size_t i = 0; i < s->failover.create_count; i++) {
        const struct config_create *create = &s->failover.create[i];
        if (create->address_same == same && (create->site == s->site) == same)
            return create;
    }
    return NULL;
}

static const struct config_node *node_find(const struct config *c, const struct config_site *site)
{
    for (size_t i = 0; i < c->node_count; i++) {
        const struct config_node *n = &c->nodes[i];
        bool whole = (n->roles & ROLE_MAILBOX) && config_relay_of_node(c, n) && config_dns_of_node(c, n);
        if (n->site == site && whole)
            return n;
    }
    return NULL;
}

static bool is_playable(const struct config_server *s)
{
    return s->kind == SERVER_BUILTIN && s->failover.mode == FAILOVER_AUTOMATIC && s->address.count > 0 &&
           s->smtp_port && s->imap_port && s->pop3_port && create_find(s, true) && create_find(s, false);
}

static const struct config_domain *domain_find(const struct config *c)
{
    for (size_t i = 0; i < c->domain_count; i++)
        if (is_playable(c->domains[i].server))
            return &c->domains[i];
    return NULL;
}

int demo_plan_make(const struct config *c, struct demo_plan *ret_plan, struct err_buf *eb)
{
    struct demo_plan p = {.config = c, .domain = domain_find(c), .password = READER_PASSWORD};
    if (!p.domain)
        return err_set(
            eb, ERR_UNSUPPORTED,
            "%s has no domain whose builtin server (SMTP, IMAP, POP3) can be created again both at "
            "its own address and in another site; examples/two-site.conf has one",
            c->path);
    if (c->store_engine == STORE_POSTGRESQL)
        return err_set(
            eb, ERR_UNSUPPORTED,
            "%s: the demo wants a store of its own, and this one is a database that others may use; name a "
            "configuration whose store is \"sqlite:store\"",
            c->path);
    p.server = p.domain->server;
    const struct config_create *away = create_find(p.server, false);
    p.home_node = node_find(c, p.server->site);
    p.away_node = node_find(c, away->site);
    if (!p.home_node || !p.away_node)
        return err_set(eb, ERR_UNSUPPORTED,
                       "%s: the sites %s and %s each need a node with the roles dns, relay and mailbox",
                       c->path, p.server->site->name, away->site->name);
    p.home_relay = config_relay_of_node(c, p.home_node);
    p.away_relay = config_relay_of_node(c, p.away_node);
    p.home = p.server->address.addrs[0];
    p.away = away->address;
    snprintf(p.reader, sizeof(p.reader), READER_LOCAL_PART "@%s", p.domain->name);
    *ret_plan = p;
    return 0;
}

struct addr demo_plan_at(const struct addr *address, int64_t port)
{
    struct addr at = *address;
    addr_set_port(&at, (uint16_t)port);
    return at;
}

bool demo_plan_is_server(const struct demo_plan *p, struct str hostname)
{
    return str_ieq(hostname, str_from(p->server->hostname));
}

static const struct config_relay *relay_of(const struct demo_plan *p, struct str hostname)
{
    for (size_t i = 0; i < p->config->relay_count; i++)
        if (str_ieq(hostname, str_from(p->config->relays[i].hostname)))
            return &p->config->relays[i];
    return NULL;
}

uint16_t demo_plan_mail_port(const struct demo_plan *p, struct str hostname)
{
    const struct config_relay *relay = relay_of(p, hostname);
    if (demo_plan_is_server(p, hostname))
        return (uint16_t)p->server->smtp_port;
    return relay && relay->listen.count > 0 ? addr_port(&relay->listen.addrs[0]) : 0;
}

unsigned demo_plan_taker(const struct demo_plan *p, struct str hostname)
{
    const struct config_relay *relay = relay_of(p, hostname);
    return relay ? demo_plan_relay_taker(p, relay) : 0;
}

unsigned demo_plan_relay_taker(const struct demo_plan *p, const struct config_relay *relay)
{
    return (unsigned)(relay - p->config->relays) + 1;
}

const char *demo_plan_taker_name(const struct demo_plan *p, unsigned taker)
{
    return taker == 0 ? p->server->name : p->config->relays[taker - 1].name;
}
