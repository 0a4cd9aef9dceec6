/* Sequence sets (RFC 3501 9: sequence-set): parsed ranges, then resolved
 * against the greatest number there is. Pure. */
#ifndef HOLDFAST_WIRE_IMAP_SET_H
#define HOLDFAST_WIRE_IMAP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define IMAP_SET_STAR 0 /* `*` in a range that is not resolved yet */

struct imap_range {
    uint32_t low, high;
};

/* The ranges live in the command's arena. */
struct imap_set {
    struct imap_range *ranges;
    size_t count;
};

/* Puts the greatest number for `*`, orders and merges the ranges: after that
 * they are ascending and do not touch. greatest may be 0 (an empty mailbox):
 * the set is empty then, as far as it names `*`. */
void imap_set_resolve(struct imap_set *set, uint32_t greatest);
/* Of a resolved set. */
bool imap_set_has(const struct imap_set *set, uint32_t number);
uint32_t imap_set_high(const struct imap_set *set); /* greatest number, 0 when empty */

/* Appends numbers in the order given; runs that ascend by one become ranges:
 * "1:3,7". */
void imap_set_write(struct buf *out, const uint32_t *numbers, size_t count);

#endif
