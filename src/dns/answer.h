/* The answer: a pure function of the query's bytes, the zones and the view.
 * For the server's threads, tests and the fuzzer.
 *
 * Authoritative only. NXDOMAIN and NODATA carry the SOA (RFC 2308), wildcards
 * follow RFC 4592, CNAMEs are followed inside the zone, delegations are
 * referred, ANY gets one RRset (RFC 8482), AXFR and IXFR and names outside of
 * the zones are refused. Names are compared without case, the question is
 * given back as it was asked (RFC 4343). */
#ifndef HOLDFAST_DNS_ANSWER_H
#define HOLDFAST_DNS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "dns/prepared.h"
#include "dns/steering.h"
#include "dns/zones.h"
#include "wire/dns_query.h"

struct dns_source {
    const struct dns_zones *zones;
    const struct dns_view *view;
    const struct dns_prepared *prepared; /* of the same zones and view, or NULL */
};

enum dns_transport { DNS_UDP, DNS_TCP };

/* The reply to one message, in out, which must have room for DNS_UDP_CAP_BYTES or
 * DNS_TCP_MAX_BYTES; returns its length. 0: silence, which is
 * the answer to what is no query (by TCP, the connection is to be closed). */
size_t dns_respond(const struct dns_source *s, enum dns_transport transport, const uint8_t *message,
                   size_t len, uint8_t *out);

/* The reply to a parsed query of verdict ANSWER for a name in zone z, without
 * looking at what is prepared; at most max_bytes. */
size_t dns_answer_build(const struct dns_source *s, const struct zone *z, const struct dns_query *q,
                        uint8_t *out, size_t max_bytes);

#endif
