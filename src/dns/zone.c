#include "dns/zone.h"

#include <string.h>

#include "base/mem.h"

#define RECORDS_PER_SET_MAX 4096 /* more do not fit into the largest reply by far */
#define SOA_MINIMUM_BYTES   4    /* MINIMUM is the last field */

struct zone *zone_new(const struct dns_name *apex, uint32_t steered_ttl_s)
{
    struct zone *z = mem_zalloc(sizeof(*z));
    uint8_t offsets[DNS_LABELS_MAX];
    z->apex = *apex;
    z->apex_labels = dns_name_labels(apex, offsets);
    z->steered_ttl_s = steered_ttl_s;
    map_init(&z->nodes);
    zone_node_make(z, apex);
    return z;
}

static void rrset_free(struct zone_rrset *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->records[i].data);
    free(set->records);
    free(set);
}

static void node_free(struct zone_node *n)
{
    while (n->rrsets) {
        struct zone_rrset *set = n->rrsets;
        n->rrsets = set->next;
        rrset_free(set);
    }
    free(n);
}

void zone_free(struct zone *z)
{
    if (z == NULL)
        return;
    for (struct map_entry *e = z->nodes.first; e; e = e->next)
        node_free(e->value);
    map_fini(&z->nodes);
    free(z);
}

struct zone_node *zone_node_find(const struct zone *z, const struct dns_name *name)
{
    return map_find(&z->nodes, dns_name_str(name));
}

struct zone_node *zone_node_make(struct zone *z, const struct dns_name *name)
{
    struct dns_name at = *name;
    struct zone_node *made = NULL;
    CHECK(dns_name_within(name, &z->apex));
    for (;;) {
        struct zone_node *n = zone_node_find(z, &at);
        if (n)
            return made ? made : n;
        n = mem_zalloc(sizeof(*n));
        n->name = at;
        n->steered_domain = n->steered_server = ZONE_NOT_STEERED;
        map_set(&z->nodes, dns_name_str(&at), n);
        made = made ? made : n;
        if (at.len == z->apex.len)
            return made;
        dns_name_tail(&at, 1 + (size_t)at.wire[0], &at);
    }
}

const struct zone_rrset *zone_rrset_find(const struct zone_node *n, uint16_t type)
{
    for (const struct zone_rrset *set = n->rrsets; set; set = set->next)
        if (set->type == type)
            return set;
    return NULL;
}

static struct zone_rrset *rrset_make(struct zone_node *n, uint16_t type, uint32_t ttl_s)
{
    struct zone_rrset **end = &n->rrsets;
    for (; *end; end = &(*end)->next)
        if ((*end)->type == type)
            return *end;
    *end = mem_zalloc(sizeof(**end));
    (*end)->type = type;
    (*end)->ttl_s = ttl_s;
    return *end;
}

static bool rrset_holds(const struct zone_rrset *set, const uint8_t *rdata, size_t len)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->records[i].len == len && memcmp(set->records[i].data, rdata, len) == 0)
            return true;
    return false;
}

static bool conflicts(const struct zone_node *n, uint16_t type)
{
    bool alone = n->rrsets == NULL && n->steered_domain < 0 && n->steered_server < 0;
    if (type == DNS_TYPE_CNAME)
        return !alone;
    return zone_rrset_find(n, DNS_TYPE_CNAME) || (type == DNS_TYPE_SOA && zone_rrset_find(n, DNS_TYPE_SOA));
}

int zone_record_add(struct zone_node *n, uint16_t type, uint32_t ttl_s, const uint8_t *rdata, size_t len)
{
    const struct zone_rrset *old = zone_rrset_find(n, type);
    if (old && rrset_holds(old, rdata, len))
        return 0;
    if (conflicts(n, type))
        return ERR_CONFLICT;
    if (len > UINT16_MAX || (old && old->count == RECORDS_PER_SET_MAX))
        return ERR_LIMIT;
    struct zone_rrset *set = rrset_make(n, type, ttl_s);
    set->records = mem_reallocarray(set->records, set->count + 1, sizeof(*set->records));
    struct zone_rdata *record = &set->records[set->count++];
    record->len = (uint16_t)len;
    record->data = mem_alloc(len ? len : 1);
    if (len)
        memcpy(record->data, rdata, len);
    if (ttl_s < set->ttl_s)
        set->ttl_s = ttl_s;
    return 0;
}

static const struct zone_node *wildcard_below(const struct zone *z, const struct zone_node *encloser)
{
    struct dns_name wildcard;
    if (dns_name_wildcard(&encloser->name, &wildcard) < 0)
        return NULL;
    return zone_node_find(z, &wildcard);
}

void zone_lookup(const struct zone *z, const struct dns_name *name, struct zone_match *ret_match)
{
    uint8_t offsets[DNS_LABELS_MAX];
    const struct zone_node *at = NULL;
    size_t below = dns_name_labels(name, offsets) - z->apex_labels;
    *ret_match = (struct zone_match){NULL, NULL};
    for (size_t depth = 0; depth <= below; depth++) {
        size_t offset = depth == 0 ? (size_t)(name->len - z->apex.len) : offsets[below - depth];
        struct str tail = {(const char *)name->wire + offset, name->len - offset};
        const struct zone_node *next = map_find(&z->nodes, tail);
        if (next == NULL) {
            ret_match->node = wildcard_below(z, at);
            return;
        }
        at = next;
        if (depth > 0 && zone_rrset_find(at, DNS_TYPE_NS)) {
            ret_match->cut = at;
            break;
        }
    }
    ret_match->node = dns_name_eq(&at->name, name) ? at : NULL;
}

uint32_t zone_negative_ttl(const struct zone *z)
{
    const struct zone_rrset *soa = zone_rrset_find(zone_node_find(z, &z->apex), DNS_TYPE_SOA);
    const struct zone_rdata *r = &soa->records[0];
    const uint8_t *p = r->data + r->len - SOA_MINIMUM_BYTES;
    uint32_t minimum = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return minimum < soa->ttl_s ? minimum : soa->ttl_s;
}
