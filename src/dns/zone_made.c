#include "dns/zone_made.h"

#include <string.h>

/* SOA timers as RFC 1912 2.2 advises; secondaries have nothing to fetch from us, but resolvers show them. */
#define SOA_REFRESH_S 3600
#define SOA_RETRY_S   900
#define SOA_EXPIRE_S  1209600

static int host_name(const char *what, const char *name, const char *host, struct dns_name *ret_name,
                     struct err_buf *eb)
{
    if (dns_name_from_text(str_from(host), ret_name) < 0)
        return err_set(eb, ERR_INVALID, "%s \"%s\": \"%s\" is not a domain name", what, name, host);
    return 0;
}

static void add_addresses(struct zone_node *n, const struct config_listen *addresses)
{
    n->configured = true;
    for (size_t i = 0; i < addresses->count; i++) {
        const struct addr *a = &addresses->addrs[i];
        bool v6 = a->u.sa.sa_family == AF_INET6;
        const uint8_t *bytes = v6 ? (const uint8_t *)&a->u.in6.sin6_addr : (const uint8_t *)&a->u.in.sin_addr;
        /* no CNAME can be here yet, and a config has few addresses */
        int err = zone_record_add(n, v6 ? DNS_TYPE_AAAA : DNS_TYPE_A, ZONE_TTL_S, bytes, v6 ? 16 : 4);
        CHECK(err == 0);
    }
}

static int add_host(struct zone *z, const char *what, const char *name, const char *host,
                    const struct config_listen *addresses, struct err_buf *eb)
{
    struct dns_name host_wire;
    int err = host_name(what, name, host, &host_wire, eb);
    if (err < 0 || !dns_name_within(&host_wire, &z->apex))
        return err;
    struct zone_node *n = zone_node_make(z, &host_wire);
    if (n->steered_server >= 0)
        return err_set(eb, ERR_INVALID,
                       "%s \"%s\": \"%s\" is a server's host name, too: readers would be sent here", what,
                       name, host);
    add_addresses(n, addresses);
    return 0;
}

static int mark_servers(struct zone *z, const struct config *c, struct err_buf *eb)
{
    for (size_t i = 0; i < c->server_count; i++) {
        struct dns_name host;
        int err = host_name("server", c->servers[i].name, c->servers[i].hostname, &host, eb);
        if (err < 0)
            return err;
        if (dns_name_within(&host, &z->apex))
            zone_node_make(z, &host)->steered_server = (int)i;
    }
    return 0;
}

static int mark_domains(struct zone *z, const struct config *c, struct err_buf *eb)
{
    for (size_t i = 0; i < c->domain_count; i++) {
        struct dns_name name;
        int err = host_name("domain", c->domains[i].name, c->domains[i].name, &name, eb);
        if (err < 0)
            return err;
        if (dns_name_within(&name, &z->apex))
            zone_node_make(z, &name)->steered_domain = (int)i;
    }
    return 0;
}

int zone_made_begin(struct zone *z, const struct config *c, struct err_buf *eb)
{
    int err = mark_servers(z, c, eb);
    if (err == 0)
        err = mark_domains(z, c, eb);
    for (size_t i = 0; err == 0 && i < c->relay_count; i++)
        err = add_host(z, "relay", c->relays[i].name, c->relays[i].hostname, &c->relays[i].address, eb);
    for (size_t i = 0; err == 0 && i < c->dns_count; i++)
        err = add_host(z, "dns", c->dns[i].name, c->dns[i].hostname, &c->dns[i].address, eb);
    return err;
}

static size_t put_u32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
    return 4;
}

static size_t put_name(uint8_t *p, const struct dns_name *n)
{
    memcpy(p, n->wire, n->len);
    return n->len;
}

/* RNAME is hostmaster at the zone (RFC 2142 7); MINIMUM, the TTL of negative
 * answers, is as short as that of steered ones. */
static int add_soa(struct zone *z, const struct dns_name *mname, uint32_t serial, struct err_buf *eb)
{
    static const uint8_t hostmaster[] = "\12hostmaster";
    uint8_t rdata[2 * DNS_NAME_MAX + 20];
    size_t len = put_name(rdata, mname);
    if (z->apex.len + sizeof(hostmaster) - 1 > DNS_NAME_MAX)
        return err_set(eb, ERR_INVALID, "a zone's name is too long for a SOA record");
    memcpy(rdata + len, hostmaster, sizeof(hostmaster) - 1);
    len += sizeof(hostmaster) - 1;
    len += put_name(rdata + len, &z->apex);
    len += put_u32(rdata + len, serial);
    len += put_u32(rdata + len, SOA_REFRESH_S);
    len += put_u32(rdata + len, SOA_RETRY_S);
    len += put_u32(rdata + len, SOA_EXPIRE_S);
    len += put_u32(rdata + len, z->steered_ttl_s);
    return zone_record_add(zone_node_find(z, &z->apex), DNS_TYPE_SOA, ZONE_TTL_S, rdata, len);
}

static int add_ns(struct zone *z, const struct config *c, struct err_buf *eb)
{
    for (size_t i = 0; i < c->dns_count; i++) {
        struct dns_name host;
        int err = host_name("dns", c->dns[i].name, c->dns[i].hostname, &host, eb);
        if (err == 0)
            err = zone_record_add(zone_node_find(z, &z->apex), DNS_TYPE_NS, ZONE_TTL_S, host.wire, host.len);
        if (err < 0)
            return err;
    }
    return 0;
}

int zone_made_end(struct zone *z, const struct config *c, uint32_t serial, struct err_buf *eb)
{
    const struct zone_node *apex = zone_node_find(z, &z->apex);
    struct dns_name mname;
    int err = 0;
    if (c->dns_count == 0)
        return err_set(eb, ERR_INVALID, "a zone needs a dns section, that is its name server");
    if (zone_rrset_find(apex, DNS_TYPE_CNAME))
        return err_set(eb, ERR_INVALID, "a zone's apex cannot be a CNAME (RFC 1912 2.4)");
    if (!zone_rrset_find(apex, DNS_TYPE_NS))
        err = add_ns(z, c, eb);
    if (err == 0)
        err = host_name("dns", c->dns[0].name, c->dns[0].hostname, &mname, eb);
    if (err == 0 && !zone_rrset_find(apex, DNS_TYPE_SOA))
        err = add_soa(z, &mname, serial, eb);
    return err;
}
