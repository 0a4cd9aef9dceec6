#include "wire/dns_query.h"

#include "base/err.h"

struct reader {
    const uint8_t *message;
    size_t len, pos;
};

static uint16_t get_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static int take_u16(struct reader *r, uint16_t *ret_value)
{
    if (r->len - r->pos < 2)
        return ERR_SYNTAX;
    *ret_value = get_u16(r->message + r->pos);
    r->pos += 2;
    return 0;
}

static int take_question(struct reader *r, struct dns_query *q)
{
    size_t start = r->pos;
    if (dns_name_from_wire(r->message + r->pos, r->len - r->pos, &q->name) < 0)
        return ERR_SYNTAX;
    r->pos += q->name.len;
    if (take_u16(r, &q->type) < 0 || take_u16(r, &q->class) < 0)
        return ERR_SYNTAX;
    q->question = r->message + start;
    q->question_len = r->pos - start;
    q->has_question = true;
    return 0;
}

/* The fields of an OPT record stand where others have class and TTL. */
static int take_opt(struct dns_query *q, bool root_owner, uint16_t class, const uint8_t *ttl)
{
    if (q->edns || !root_owner)
        return ERR_SYNTAX;
    q->edns = true;
    q->edns_payload = class < DNS_UDP_MIN_BYTES ? DNS_UDP_MIN_BYTES : class;
    q->edns_version = ttl[1];
    q->edns_do = (get_u16(ttl + 2) & DNS_EDNS_FLAG_DO) != 0;
    return 0;
}

static int take_record(struct reader *r, struct dns_query *q, bool additional)
{
    bool root_owner = r->pos < r->len && r->message[r->pos] == 0;
    uint16_t type, class, rdlength;
    if (dns_name_skip(r->message, r->len, &r->pos) < 0 || take_u16(r, &type) < 0 || take_u16(r, &class) < 0)
        return ERR_SYNTAX;
    if (r->len - r->pos < 4)
        return ERR_SYNTAX;
    const uint8_t *ttl = r->message + r->pos;
    r->pos += 4;
    if (take_u16(r, &rdlength) < 0 || r->len - r->pos < rdlength)
        return ERR_SYNTAX;
    r->pos += rdlength;
    if (type == DNS_TYPE_OPT)
        return additional ? take_opt(q, root_owner, class, ttl) : ERR_SYNTAX;
    return 0;
}

static int take_sections(struct reader *r, struct dns_query *q)
{
    uint16_t qdcount = get_u16(r->message + 4), ancount = get_u16(r->message + 6);
    uint16_t nscount = get_u16(r->message + 8), arcount = get_u16(r->message + 10);
    if (qdcount != 1 || take_question(r, q) < 0)
        return ERR_SYNTAX;
    /* IXFR carries the asker's SOA in the authority section (RFC 1995 3) */
    if (ancount != 0 || nscount > (q->type == DNS_TYPE_IXFR ? 1 : 0))
        return ERR_SYNTAX;
    if (nscount == 1 && take_record(r, q, false) < 0)
        return ERR_SYNTAX;
    for (unsigned i = 0; i < arcount; i++)
        if (take_record(r, q, true) < 0)
            return ERR_SYNTAX;
    return r->pos == r->len ? 0 : ERR_SYNTAX;
}

enum dns_verdict dns_query_parse(const uint8_t *message, size_t len, struct dns_query *ret_query)
{
    struct reader r = {.message = message, .len = len, .pos = DNS_HEADER_BYTES};
    if (len < DNS_HEADER_BYTES)
        return DNS_VERDICT_SILENCE;
    /* everything else is valid only once the booleans say so; the name's bytes need no clearing */
    ret_query->id = get_u16(message);
    ret_query->flags = get_u16(message + 2);
    ret_query->has_question = ret_query->edns = ret_query->edns_do = false;
    ret_query->question_len = 0;
    ret_query->edns_version = 0;
    ret_query->edns_payload = DNS_UDP_MIN_BYTES;
    if (ret_query->flags & DNS_FLAG_QR)
        return DNS_VERDICT_SILENCE;
    if (ret_query->flags & DNS_OPCODE_MASK)
        return DNS_VERDICT_NOTIMP;
    if (take_sections(&r, ret_query) < 0 || ret_query->type == DNS_TYPE_OPT)
        return DNS_VERDICT_FORMERR;
    return ret_query->edns && ret_query->edns_version != 0 ? DNS_VERDICT_BADVERS : DNS_VERDICT_ANSWER;
}

size_t dns_query_udp_max(const struct dns_query *q, size_t cap_bytes)
{
    size_t max = q->edns ? q->edns_payload : DNS_UDP_MIN_BYTES;
    return max < cap_bytes ? max : cap_bytes;
}
