/* A block of addresses, as "192.0.2.0/24": who may do what others may not. An IPv4
 * address that is written as IPv6 (::ffff:192.0.2.1) counts as the IPv4 address. Pure. */
#ifndef HOLDFAST_BASE_ADDR_BLOCK_H
#define HOLDFAST_BASE_ADDR_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"

struct addr_block {
    struct addr first;    /* port 0; the bits behind the prefix are 0 */
    unsigned prefix_bits; /* of 32, or of 128 */
};

struct addr_blocks {
    struct addr_block *items;
    size_t count;
};

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". ERR_SYNTAX; ERR_INVALID: bits behind the prefix are set. */
int addr_block_parse(struct str text, struct addr_block *ret_block) MUST_USE;
bool addr_block_has(const struct addr_block *b, const struct addr *a); /* whatever its port */
bool addr_block_eq(const struct addr_block *a, const struct addr_block *b);
bool addr_blocks_have(const struct addr_blocks *blocks, const struct addr *a); /* any of them */

/* The IPv4 address that an IPv6 one holds (::ffff:a.b.c.d), with its port; any other stays. */
void addr_unmap(struct addr *a);

#endif
