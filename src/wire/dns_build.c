#include "wire/dns_build.h"

#include <string.h>

#include "base/err.h"

#define POINTER_BITS   0xc000
#define POINTER_TARGET 0x3fff /* offsets above cannot be pointed at: RFC 1035 4.1.4 */

static void put_u16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static size_t opt_bytes(const struct dns_query *q)
{
    return q->edns ? DNS_OPT_BYTES : 0;
}

/* Remembers the suffixes of the name that is written uncompressed at `at`, up to the root or a pointer. */
static void remember(struct dns_build *b, size_t at)
{
    while (b->mem[at] != 0 && b->mem[at] <= DNS_LABEL_MAX) {
        if (b->suffix_count == DNS_COMPRESS_MAX || at > POINTER_TARGET)
            return;
        b->suffixes[b->suffix_count++] = (uint16_t)at;
        at += 1 + (size_t)b->mem[at];
    }
}

/* The name in the message at `at` (which may end in a pointer) has the labels of wire. */
static bool suffix_eq(const uint8_t *mem, size_t at, const uint8_t *wire)
{
    for (;;) {
        while (mem[at] > DNS_LABEL_MAX)
            at = (size_t)(mem[at] << 8 | mem[at + 1]) & POINTER_TARGET;
        if (mem[at] != wire[0])
            return false;
        if (wire[0] == 0)
            return true;
        for (size_t i = 1; i <= wire[0]; i++)
            if ((uint8_t)ascii_lower((char)mem[at + i]) != (uint8_t)ascii_lower((char)wire[i]))
                return false;
        at += 1 + (size_t)wire[0];
        wire += 1 + (size_t)wire[0];
    }
}

static bool find_suffix(const struct dns_build *b, const uint8_t *wire, uint16_t *ret_offset)
{
    for (size_t i = 0; i < b->suffix_count; i++) {
        if (suffix_eq(b->mem, b->suffixes[i], wire)) {
            *ret_offset = b->suffixes[i];
            return true;
        }
    }
    return false;
}

static int put_bytes(struct dns_build *b, const void *data, size_t len)
{
    if (b->limit - b->len < len)
        return ERR_LIMIT;
    if (len > 0)
        memcpy(b->mem + b->len, data, len);
    b->len += len;
    return 0;
}

/* Writes a name, its longest known suffix as a pointer; *wire is moved behind it. */
static int put_name(struct dns_build *b, const uint8_t **wire)
{
    size_t start = b->len;
    const uint8_t *p = *wire;
    uint16_t offset;
    while (*p != 0) {
        if (find_suffix(b, p, &offset)) {
            uint8_t pointer[2];
            put_u16(pointer, POINTER_BITS | offset);
            if (put_bytes(b, pointer, sizeof(pointer)) < 0)
                return ERR_LIMIT;
            while (*p != 0)
                p += 1 + (size_t)*p;
            *wire = p + 1;
            remember(b, start);
            return 0;
        }
        if (put_bytes(b, p, 1 + (size_t)*p) < 0)
            return ERR_LIMIT;
        p += 1 + (size_t)*p;
    }
    if (put_bytes(b, "", 1) < 0)
        return ERR_LIMIT;
    *wire = p + 1;
    remember(b, start);
    return 0;
}

static int put_rdata(struct dns_build *b, uint16_t type, const uint8_t *rdata, size_t len)
{
    const uint8_t *p = rdata, *end = rdata + len;
    int names = type == DNS_TYPE_SOA ? 2 : 1;
    switch (type) {
    case DNS_TYPE_MX:
        if (put_bytes(b, p, 2) < 0) /* preference */
            return ERR_LIMIT;
        p += 2;
        break;
    case DNS_TYPE_NS:
    case DNS_TYPE_CNAME:
    case DNS_TYPE_PTR:
    case DNS_TYPE_SOA:
        break;
    default:
        names = 0;
    }
    for (int i = 0; i < names; i++)
        if (put_name(b, &p) < 0)
            return ERR_LIMIT;
    return put_bytes(b, p, (size_t)(end - p));
}

static int put_record(struct dns_build *b, const struct dns_name *owner, uint16_t type, uint32_t ttl_s,
                      const uint8_t *rdata, size_t rdata_len)
{
    uint8_t fixed[10]; /* type, class, TTL, RDLENGTH */
    const uint8_t *name = owner->wire;
    put_u16(fixed, type);
    put_u16(fixed + 2, DNS_CLASS_IN);
    put_u16(fixed + 4, ttl_s >> 16);
    put_u16(fixed + 6, ttl_s & 0xffff);
    if (put_name(b, &name) < 0 || put_bytes(b, fixed, sizeof(fixed)) < 0)
        return ERR_LIMIT;
    size_t start = b->len;
    if (put_rdata(b, type, rdata, rdata_len) < 0)
        return ERR_LIMIT;
    put_u16(b->mem + start - 2, (unsigned)(b->len - start));
    return 0;
}

int dns_build_record(struct dns_build *b, enum dns_section section, const struct dns_name *owner,
                     uint16_t type, uint32_t ttl_s, const uint8_t *rdata, size_t rdata_len)
{
    size_t len = b->len, suffix_count = b->suffix_count;
    for (int later = section + 1; later <= DNS_ADDITIONAL; later++)
        CHECK(b->counts[later] == 0);
    if (b->counts[section] == UINT16_MAX - 1 || put_record(b, owner, type, ttl_s, rdata, rdata_len) < 0) {
        b->len = len;
        b->suffix_count = suffix_count;
        return ERR_LIMIT;
    }
    b->counts[section]++;
    return 0;
}

void dns_build_init(struct dns_build *b, uint8_t *mem, size_t max_bytes, const struct dns_query *query)
{
    CHECK(max_bytes >= DNS_UDP_MIN_BYTES);
    b->mem = mem;
    b->query = query;
    b->limit = max_bytes - opt_bytes(query);
    b->suffix_count = 0;
    b->body_start = DNS_HEADER_BYTES + query->question_len;
    if (query->question_len > 0) {
        memcpy(mem + DNS_HEADER_BYTES, query->question, query->question_len);
        remember(b, DNS_HEADER_BYTES);
    }
    dns_build_rewind(b);
}

void dns_build_rewind(struct dns_build *b)
{
    b->len = b->body_start;
    memset(b->counts, 0, sizeof(b->counts));
    while (b->suffix_count > 0 && b->suffixes[b->suffix_count - 1] >= b->body_start)
        b->suffix_count--;
}

static void put_header(uint8_t *mem, const struct dns_query *q, const uint16_t counts[3], uint16_t flags,
                       enum dns_rcode rcode)
{
    uint16_t kept = q->flags & (DNS_OPCODE_MASK | DNS_FLAG_RD | DNS_FLAG_CD);
    put_u16(mem, q->id);
    put_u16(mem + 2, DNS_FLAG_QR | kept | flags | (rcode & 0xf));
    put_u16(mem + 4, q->question_len > 0);
    put_u16(mem + 6, counts[DNS_ANSWER]);
    put_u16(mem + 8, counts[DNS_AUTHORITY]);
    put_u16(mem + 10, counts[DNS_ADDITIONAL] + (q->edns ? 1u : 0u));
}

/* RFC 6891 6.1.2: owner root, class is our payload size, TTL holds extended rcode, version 0, flags. */
static size_t put_opt(uint8_t *p, const struct dns_query *q, enum dns_rcode rcode)
{
    if (!q->edns)
        return 0;
    p[0] = 0;
    put_u16(p + 1, DNS_TYPE_OPT);
    put_u16(p + 3, DNS_UDP_CAP_BYTES);
    p[5] = (uint8_t)(rcode >> 4);
    p[6] = 0;
    put_u16(p + 7, q->edns_do ? DNS_EDNS_FLAG_DO : 0);
    put_u16(p + 9, 0);
    return DNS_OPT_BYTES;
}

size_t dns_build_finish(struct dns_build *b, uint16_t flags, enum dns_rcode rcode)
{
    put_header(b->mem, b->query, b->counts, flags, rcode);
    return b->len + put_opt(b->mem + b->len, b->query, rcode);
}

size_t dns_build_prepared(uint8_t *mem, size_t max_bytes, const struct dns_query *query, const uint8_t *body,
                          size_t body_len, const uint16_t counts[3], uint16_t flags, enum dns_rcode rcode)
{
    size_t start = DNS_HEADER_BYTES + query->question_len;
    if (start + body_len + opt_bytes(query) > max_bytes)
        return 0;
    put_header(mem, query, counts, flags, rcode);
    memcpy(mem + DNS_HEADER_BYTES, query->question, query->question_len);
    memcpy(mem + start, body, body_len);
    return start + body_len + put_opt(mem + start + body_len, query, rcode);
}
