/* Reads a DNS query as an authoritative server gets it: header, one question,
 * EDNS(0). Pure: bytes in, struct out. Anything may be in the bytes. */
#ifndef HOLDFAST_WIRE_DNS_QUERY_H
#define HOLDFAST_WIRE_DNS_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/dns.h"
#include "wire/dns_name.h"

enum dns_verdict {
    DNS_VERDICT_ANSWER,  /* well formed, opcode QUERY: to be answered by what it asks */
    DNS_VERDICT_FORMERR, /* malformed, but its header says a reply is safe */
    DNS_VERDICT_NOTIMP,  /* another opcode */
    DNS_VERDICT_BADVERS, /* an EDNS version that we do not speak: RFC 6891 6.1.3 */
    DNS_VERDICT_SILENCE, /* no header, or a response itself: a reply could loop */
};

struct dns_query {
    uint16_t id, flags;      /* valid for all verdicts but SILENCE */
    bool has_question;       /* the next five are valid; always for ANSWER and BADVERS */
    struct dns_name name;    /* lower-cased */
    const uint8_t *question; /* in the message, as sent: case kept for the reply */
    size_t question_len;
    uint16_t type, class;
    bool edns;    /* an OPT record was there: the reply carries one */
    bool edns_do; /* DO bit: copied to the reply, RFC 3225 3 */
    uint8_t edns_version;
    uint16_t edns_payload; /* what the asker takes by UDP, at least 512 */
};

/* Fills *ret_query as far as it could be read. Options of OPT (cookies, padding,
 * client subnet) are passed over, other records as well; a second OPT, a
 * record in the answer or authority section (but for IXFR's), or bytes after the
 * end make it malformed. */
enum dns_verdict dns_query_parse(const uint8_t *message, size_t len, struct dns_query *ret_query);

/* The most bytes that a UDP reply may have, with our own cap. */
size_t dns_query_udp_max(const struct dns_query *q, size_t cap_bytes);

#endif
