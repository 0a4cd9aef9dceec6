/* The header of the PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt): what a proxy in
 * front of us says of its client, before the client's own bytes. Pure: bytes in, in pieces of any size;
 * at most PROXY_HEADER_KEPT_MAX of them are kept, what follows the addresses (TLVs) is skipped. */
#ifndef HOLDFAST_NET_PROXY_HEADER_H
#define HOLDFAST_NET_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/check.h"

#define PROXY_HEADER_KEPT_MAX 107 /* version 1: the longest line, with CRLF; version 2 keeps 52 */

struct proxy_header {
    size_t len;          /* bytes kept */
    uint32_t skip_bytes; /* version 2: behind what is kept */
    char kept[PROXY_HEADER_KEPT_MAX];
};

/* What it says. */
struct proxy_said {
    bool has_client; /* false: LOCAL, UNKNOWN, or no address of the internet: the connection is the proxy's
                        own */
    struct addr client, local; /* where it came from, and where it went to */
};

/* All zero: at its beginning. */

/* Takes bytes up to the header's end: *ret_used of them. 0: more is needed (all were taken); 1: *ret_said is
 * set, the rest is the client's; ERR_SYNTAX: it is no such header. */
int proxy_header_read(struct proxy_header *h, const char *data, size_t len, size_t *ret_used,
                      struct proxy_said *ret_said) MUST_USE;

#endif
