/* Writes a DNS response into the caller's memory: header, the question as it
 * was sent, records with name compression, OPT. Nothing is written beyond the
 * capacity; a record that does not fit leaves no trace. One builder, one
 * message, on the caller's stack. */
#ifndef HOLDFAST_WIRE_DNS_BUILD_H
#define HOLDFAST_WIRE_DNS_BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "wire/dns.h"
#include "wire/dns_name.h"
#include "wire/dns_query.h"

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

#define DNS_COMPRESS_MAX 64 /* suffixes remembered; later ones are written whole */

struct dns_build {
    uint8_t *mem;
    size_t len;
    size_t limit; /* capacity, without what an OPT record will need */
    const struct dns_query *query;
    uint16_t counts[3]; /* records by section */
    size_t body_start;  /* behind the question */
    uint16_t suffixes[DNS_COMPRESS_MAX];
    size_t suffix_count;
};

/* Starts a response to query (which must outlive b) of at most max_bytes
 * (>= 512) in mem. */
void dns_build_init(struct dns_build *b, uint8_t *mem, size_t max_bytes, const struct dns_query *query);

/* Appends a record of class IN to a section (which must not be before that of
 * the record before it). rdata is uncompressed wire format; the names in NS,
 * CNAME, SOA, PTR and MX are compressed (RFC 3597 4: no others may be).
 * ERR_LIMIT: it does not fit, nothing was written. */
int dns_build_record(struct dns_build *b, enum dns_section section, const struct dns_name *owner,
                     uint16_t type, uint32_t ttl_s, const uint8_t *rdata, size_t rdata_len) MUST_USE;
/* Takes back all records: for a truncated reply, or a change of mind. */
void dns_build_rewind(struct dns_build *b);

/* Writes header and OPT (when the query had one) and returns the length. flags:
 * DNS_FLAG_AA, DNS_FLAG_TC; opcode, RD and CD are the query's. */
size_t dns_build_finish(struct dns_build *b, uint16_t flags, enum dns_rcode rcode);

/* Sections behind the question that were built before for the same name, type
 * and class: copies them under the header of this query. 0 when they do not
 * fit. flags and rcode as above; rcode below 16. */
size_t dns_build_prepared(uint8_t *mem, size_t max_bytes, const struct dns_query *query, const uint8_t *body,
                          size_t body_len, const uint16_t counts[3], uint16_t flags, enum dns_rcode rcode);

#endif
