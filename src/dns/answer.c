#include "dns/answer.h"

#include <string.h>

#include "base/err.h"
#include "wire/dns_build.h"

#define CNAME_HOPS_MAX  8  /* a chain of more is a mistake or a loop */
#define TARGETS_MAX     16 /* names whose addresses go along */
#define MX_PREFERENCE   10 /* of the first exchanger, and the step to the next */
#define SHORT_RDATA_MAX (2 + DNS_NAME_MAX)

struct answer {
    const struct dns_source *source;
    const struct zone *zone;
    struct dns_build build;
    uint16_t flags;
    enum dns_rcode rcode;
    struct dns_name targets[TARGETS_MAX]; /* of MX and NS, for the additional section */
    size_t target_count;
};

static int put_record(struct answer *a, enum dns_section section, const struct dns_name *owner, uint16_t type,
                      uint32_t ttl_s, const uint8_t *rdata, size_t len)
{
    size_t skip = type == DNS_TYPE_MX ? 2 : 0;
    int err = dns_build_record(&a->build, section, owner, type, ttl_s, rdata, len);
    if (err < 0 || section == DNS_ADDITIONAL || (type != DNS_TYPE_MX && type != DNS_TYPE_NS))
        return err;
    if (a->target_count < TARGETS_MAX &&
        dns_name_from_wire(rdata + skip, len - skip, &a->targets[a->target_count]) == 0)
        a->target_count++;
    return 0;
}

static int put_static(struct answer *a, enum dns_section section, const struct dns_name *owner,
                      const struct zone_rrset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        int err =
            put_record(a, section, owner, set->type, set->ttl_s, set->records[i].data, set->records[i].len);
        if (err < 0)
            return err;
    }
    return 0;
}

static int put_exchanger(struct answer *a, enum dns_section section, const struct dns_name *owner,
                         const char *host, unsigned preference)
{
    uint8_t rdata[SHORT_RDATA_MAX] = {(uint8_t)(preference >> 8), (uint8_t)preference};
    struct dns_name name;
    if (dns_name_from_text(str_from(host), &name) < 0)
        return 0; /* the zones would not have loaded with it */
    memcpy(rdata + 2, name.wire, name.len);
    return put_record(a, section, owner, DNS_TYPE_MX, a->zone->steered_ttl_s, rdata, 2 + (size_t)name.len);
}

static int put_steered_mx(struct answer *a, enum dns_section section, const struct dns_name *owner,
                          int domain_index)
{
    const struct dns_zones *zones = a->source->zones;
    const struct dns_view *view = a->source->view;
    const struct config_domain *domain = &zones->config->domains[domain_index];
    size_t server = view->domain_servers[domain_index];
    struct dns_exchangers exchangers;
    dns_steer_domain(zones->config, view, (size_t)domain_index, &exchangers);
    for (size_t i = 0; i < exchangers.count; i++) {
        size_t host = exchangers.hosts[i];
        const char *hostname = host == DNS_HOST_SERVER ? zones->config->servers[server].hostname
                                                       : domain->relays[host]->hostname;
        int err = put_exchanger(a, section, owner, hostname, (unsigned)(i + 1) * MX_PREFERENCE);
        if (err < 0)
            return err;
    }
    return 0;
}

static bool is_address(const struct addr *address, uint16_t type)
{
    return (address->u.sa.sa_family == AF_INET6) == (type == DNS_TYPE_AAAA);
}

static int put_steered_addresses(struct answer *a, enum dns_section section, const struct dns_name *owner,
                                 const struct dns_view_server *server, uint16_t type)
{
    for (size_t i = 0; i < server->address_count; i++) {
        const struct addr *address = &server->addresses[i];
        bool v6 = type == DNS_TYPE_AAAA;
        const void *bytes =
            v6 ? (const void *)&address->u.in6.sin6_addr : (const void *)&address->u.in.sin_addr;
        int err = 0;
        if (is_address(address, type))
            err = put_record(a, section, owner, type, a->zone->steered_ttl_s, bytes, v6 ? 16 : 4);
        if (err < 0)
            return err;
    }
    return 0;
}

/* Whether the type is the configuration's at this node: then no static set of it can be there. */
static bool is_steered(const struct zone_node *n, uint16_t type)
{
    return (type == DNS_TYPE_MX && n->steered_domain >= 0) ||
           ((type == DNS_TYPE_A || type == DNS_TYPE_AAAA) && n->steered_server >= 0);
}

/* The records of a type at a node, steered or static, if any. */
static int put_rrset(struct answer *a, enum dns_section section, const struct dns_name *owner,
                     const struct zone_node *n, uint16_t type)
{
    const struct zone_rrset *set = zone_rrset_find(n, type);
    if (is_steered(n, type) && type == DNS_TYPE_MX)
        return put_steered_mx(a, section, owner, n->steered_domain);
    if (is_steered(n, type))
        return put_steered_addresses(a, section, owner, &a->source->view->servers[n->steered_server], type);
    return set ? put_static(a, section, owner, set) : 0;
}

/* RFC 2308 3: the SOA, with the TTL that the absence may be remembered for. */
static int put_absence(struct answer *a)
{
    const struct zone_rrset *soa = zone_rrset_find(zone_node_find(a->zone, &a->zone->apex), DNS_TYPE_SOA);
    return put_record(a, DNS_AUTHORITY, &a->zone->apex, DNS_TYPE_SOA, zone_negative_ttl(a->zone),
                      soa->records[0].data, soa->records[0].len);
}

/* RFC 8482 4.1: one of the sets that are there. */
static int put_any(struct answer *a, const struct dns_name *owner, const struct zone_node *n)
{
    static const uint16_t steered[] = {DNS_TYPE_MX, DNS_TYPE_A, DNS_TYPE_AAAA};
    if (n->rrsets)
        return put_static(a, DNS_ANSWER, owner, n->rrsets);
    for (size_t i = 0; i < ARRAY_LEN(steered) && a->build.counts[DNS_ANSWER] == 0; i++) {
        int err = put_rrset(a, DNS_ANSWER, owner, n, steered[i]);
        if (err < 0)
            return err;
    }
    return 0;
}

/* The addresses of exchangers and name servers that the zone knows. */
static int put_additional(struct answer *a)
{
    static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
    for (size_t i = 0; i < a->target_count; i++) {
        const struct zone_node *n = zone_node_find(a->zone, &a->targets[i]);
        for (size_t t = 0; n && t < ARRAY_LEN(types); t++) {
            int err = put_rrset(a, DNS_ADDITIONAL, &a->targets[i], n, types[t]);
            if (err < 0)
                return err;
        }
    }
    return 0;
}

static int put_referral(struct answer *a, const struct zone_node *cut)
{
    int err = put_static(a, DNS_AUTHORITY, &cut->name, zone_rrset_find(cut, DNS_TYPE_NS));
    return err == 0 ? put_additional(a) : err; /* glue that does not fit truncates: RFC 9471 3 */
}

/* At a node that is there: the records, or NODATA. *ret_cname is set when a CNAME has to be followed. */
static int put_node(struct answer *a, const struct dns_name *owner, const struct zone_node *n, uint16_t type,
                    const struct zone_rrset **ret_cname)
{
    const struct zone_rrset *cname = zone_rrset_find(n, DNS_TYPE_CNAME);
    uint16_t before = a->build.counts[DNS_ANSWER];
    int err = type == DNS_TYPE_ANY ? put_any(a, owner, n) : put_rrset(a, DNS_ANSWER, owner, n, type);
    if (err < 0 || a->build.counts[DNS_ANSWER] > before)
        return err;
    if (cname == NULL)
        return put_absence(a);
    *ret_cname = cname;
    return put_static(a, DNS_ANSWER, owner, cname);
}

/* One name of the chain. *ret_next is the name to go on with, when there is one. */
static int put_name(struct answer *a, const struct dns_name *name, uint16_t type, struct dns_name *ret_next,
                    bool *ret_more)
{
    const struct zone_rrset *cname = NULL;
    struct zone_match match;
    *ret_more = false;
    zone_lookup(a->zone, name, &match);
    /* a delegation's DS is the parent's: RFC 4035 3.1.4.1 */
    if (match.cut && !(type == DNS_TYPE_DS && match.node)) {
        if (a->build.counts[DNS_ANSWER] == 0)
            a->flags &= (uint16_t)~DNS_FLAG_AA;
        return put_referral(a, match.cut);
    }
    if (match.node == NULL) {
        a->rcode = DNS_NXDOMAIN; /* of the last name of a chain: RFC 6604 2.1 */
        return put_absence(a);
    }
    int err = put_node(a, name, match.node, type, &cname);
    if (err == 0 && cname && dns_name_from_wire(cname->records[0].data, cname->records[0].len, ret_next) == 0)
        *ret_more = dns_name_within(ret_next, &a->zone->apex);
    return err;
}

static int put_chain(struct answer *a, const struct dns_query *q)
{
    struct dns_name name = q->name, next;
    bool more = true;
    int err = 0;
    for (int hops = 0; err == 0 && more && hops <= CNAME_HOPS_MAX; hops++) {
        err = put_name(a, &name, q->type, &next, &more);
        if (more)
            name = next;
    }
    if (err == 0 && a->build.counts[DNS_AUTHORITY] == 0)
        (void)put_additional(a); /* what does not fit is asked for: no truncation */
    return err;
}

size_t dns_answer_build(const struct dns_source *s, const struct zone *z, const struct dns_query *q,
                        uint8_t *out, size_t max_bytes)
{
    struct answer a;
    a.source = s;
    a.zone = z;
    a.flags = DNS_FLAG_AA;
    a.rcode = DNS_NOERROR;
    a.target_count = 0;
    dns_build_init(&a.build, out, max_bytes, q);
    if (put_chain(&a, q) < 0) {
        dns_build_rewind(&a.build);
        a.flags |= DNS_FLAG_TC;
    }
    return dns_build_finish(&a.build, a.flags, a.rcode);
}

static size_t error_reply(const struct dns_query *q, enum dns_rcode rcode, uint8_t *out)
{
    struct dns_build b;
    dns_build_init(&b, out, DNS_UDP_MIN_BYTES, q);
    return dns_build_finish(&b, 0, rcode);
}

/* What is refused before any zone is looked at; DNS_NOERROR when nothing is. */
static enum dns_rcode refusal(const struct dns_query *q)
{
    if (q->class != DNS_CLASS_IN || q->type == DNS_TYPE_AXFR || q->type == DNS_TYPE_IXFR)
        return DNS_REFUSED;
    if (q->type >= DNS_TYPE_META_FIRST && q->type < DNS_TYPE_ANY)
        return DNS_NOTIMP;
    return DNS_NOERROR;
}

static size_t answer(const struct dns_source *s, enum dns_transport transport, const struct dns_query *q,
                     uint8_t *out)
{
    size_t max = transport == DNS_UDP ? dns_query_udp_max(q, DNS_UDP_CAP_BYTES) : DNS_TCP_MAX_BYTES;
    enum dns_rcode refused = refusal(q);
    if (refused != DNS_NOERROR)
        return error_reply(q, refused, out);
    size_t len = s->prepared ? dns_prepared_reply(s->prepared, q, out, max) : 0;
    if (len > 0)
        return len;
    const struct zone *z = dns_zones_find(s->zones, &q->name);
    return z ? dns_answer_build(s, z, q, out, max) : error_reply(q, DNS_REFUSED, out);
}

size_t dns_respond(const struct dns_source *s, enum dns_transport transport, const uint8_t *message,
                   size_t len, uint8_t *out)
{
    struct dns_query q;
    switch (dns_query_parse(message, len, &q)) {
    case DNS_VERDICT_ANSWER:
        return answer(s, transport, &q, out);
    case DNS_VERDICT_FORMERR:
        return error_reply(&q, DNS_FORMERR, out);
    case DNS_VERDICT_NOTIMP:
        return error_reply(&q, DNS_NOTIMP, out);
    case DNS_VERDICT_BADVERS:
        return error_reply(&q, DNS_BADVERS, out);
    case DNS_VERDICT_SILENCE:
        break;
    }
    return 0;
}
