#include "dns/prepared.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "dns/answer.h"
#include "wire/dns_build.h"

struct entry {
    uint16_t counts[3];
    uint16_t flags;
    enum dns_rcode rcode;
    size_t len;
    uint8_t body[];
};

struct dns_prepared {
    struct map entries; /* key: wire name, type */
    uint8_t scratch[DNS_TCP_MAX_BYTES];
};

struct key {
    uint8_t bytes[DNS_NAME_MAX + 2];
    size_t len;
};

static void make_key(const struct dns_name *name, uint16_t type, struct key *ret_key)
{
    memcpy(ret_key->bytes, name->wire, name->len);
    ret_key->bytes[name->len] = (uint8_t)(type >> 8);
    ret_key->bytes[name->len + 1] = (uint8_t)type;
    ret_key->len = (size_t)name->len + 2;
}

static struct str key_str(const struct key *k)
{
    return (struct str){(const char *)k->bytes, k->len};
}

static uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

/* The question as a query would have it; name, type, class. */
static struct dns_query query_for(const struct dns_name *name, uint16_t type, uint8_t *question)
{
    struct dns_query q = {.has_question = true, .type = type, .class = DNS_CLASS_IN, .name = *name};
    memcpy(question, name->wire, name->len);
    memcpy(question + name->len, (uint8_t[]){(uint8_t)(type >> 8), (uint8_t)type, 0, DNS_CLASS_IN}, 4);
    q.question = question;
    q.question_len = (size_t)name->len + 4;
    q.edns_payload = DNS_UDP_MIN_BYTES;
    return q;
}

static struct entry *entry_from(const uint8_t *reply, size_t len, size_t body_start)
{
    struct entry *e = mem_alloc(sizeof(*e) + len - body_start);
    uint16_t flags = get_u16(reply + 2);
    e->flags = flags & (DNS_FLAG_AA | DNS_FLAG_TC);
    e->rcode = (enum dns_rcode)(flags & 0xf);
    for (int i = 0; i < 3; i++)
        e->counts[i] = get_u16(reply + 6 + 2 * i);
    e->len = len - body_start;
    memcpy(e->body, reply + body_start, e->len);
    return e;
}

static void prepare(struct dns_prepared *p, const struct dns_source *s, const struct zone *z,
                    const struct dns_name *name, uint16_t type)
{
    uint8_t question[DNS_NAME_MAX + 4];
    struct key key;
    make_key(name, type, &key);
    if (p->entries.len >= DNS_PREPARED_MAX || map_find(&p->entries, key_str(&key)))
        return;
    struct dns_query q = query_for(name, type, question);
    size_t len = dns_answer_build(s, z, &q, p->scratch, sizeof(p->scratch));
    if (len > DNS_UDP_CAP_BYTES) /* few are so long, and they are truncated or asked for by TCP */
        return;
    map_set(&p->entries, key_str(&key), entry_from(p->scratch, len, DNS_HEADER_BYTES + q.question_len));
}

static void prepare_node(struct dns_prepared *p, const struct dns_source *s, const struct zone *z,
                         const struct zone_node *n)
{
    static const uint16_t asked_most[] = {DNS_TYPE_MX, DNS_TYPE_A, DNS_TYPE_AAAA};
    /* a name that a longer zone of ours holds is answered from there */
    if (dns_zones_find(s->zones, &n->name) != z)
        return;
    for (size_t i = 0; i < ARRAY_LEN(asked_most); i++)
        prepare(p, s, z, &n->name, asked_most[i]);
    for (const struct zone_rrset *set = n->rrsets; set; set = set->next)
        prepare(p, s, z, &n->name, set->type);
}

static bool is_steered(const struct zone_node *n)
{
    return n->steered_domain >= 0 || n->steered_server >= 0 || n->configured;
}

static void prepare_zone(struct dns_prepared *p, const struct dns_source *s, const struct zone *z,
                         bool steered)
{
    for (struct map_entry *e = z->nodes.first; e && p->entries.len < DNS_PREPARED_MAX; e = e->next)
        if (is_steered(e->value) == steered)
            prepare_node(p, s, z, e->value);
}

struct dns_prepared *dns_prepared_new(const struct dns_source *s)
{
    struct dns_prepared *p = mem_alloc(sizeof(*p));
    map_init(&p->entries);
    for (int steered = 1; steered >= 0; steered--)
        for (struct map_entry *e = s->zones->by_apex.first; e; e = e->next)
            prepare_zone(p, s, e->value, steered);
    return p;
}

void dns_prepared_free(struct dns_prepared *p)
{
    if (p == NULL)
        return;
    for (struct map_entry *e = p->entries.first; e; e = e->next)
        free(e->value);
    map_fini(&p->entries);
    free(p);
}

size_t dns_prepared_reply(const struct dns_prepared *p, const struct dns_query *q, uint8_t *out,
                          size_t max_bytes)
{
    struct key key;
    make_key(&q->name, q->type, &key);
    const struct entry *e = map_find(&p->entries, key_str(&key));
    return e ? dns_build_prepared(out, max_bytes, q, e->body, e->len, e->counts, e->flags, e->rcode) : 0;
}
