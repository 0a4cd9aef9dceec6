/* Domain names in wire format (RFC 1035 3.1), lower-cased (RFC 4343), so that
 * equal names have equal bytes. For the DNS codec and the DNS role. Plain
 * values: no memory is owned, no pointer kept. */
#ifndef HOLDFAST_WIRE_DNS_NAME_H
#define HOLDFAST_WIRE_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

#define DNS_NAME_MAX      255 /* RFC 1035 2.3.4, with the root's empty label */
#define DNS_LABEL_MAX     63
#define DNS_LABELS_MAX    128  /* 127 of one byte each, and the root's */
#define DNS_NAME_TEXT_MAX 1024 /* every byte escaped as \DDD, with NUL */

struct dns_name {
    uint8_t len; /* 1 (the root) to 255 */
    uint8_t wire[DNS_NAME_MAX];
};

/* From presentation format: "mail1.example.test", with or without the final
 * dot; "." is the root; \. and \DDD escape. ERR_SYNTAX (empty label, bad escape, empty
 * text), ERR_LIMIT (label above 63 bytes, name above 255). */
int dns_name_from_text(struct str text, struct dns_name *ret_name) MUST_USE;
/* From uncompressed wire format at the start of data; trailing bytes are
 * allowed (ret_name->len says how many were the name). ERR_SYNTAX when
 * it ends early or has a pointer or an unknown label type. */
int dns_name_from_wire(const uint8_t *data, size_t len, struct dns_name *ret_name) MUST_USE;
/* Moves *pos behind the name at *pos of a message, following no pointer.
 * ERR_SYNTAX when the message ends inside or the label type is unknown. */
int dns_name_skip(const uint8_t *message, size_t len, size_t *pos) MUST_USE;
/* Without the final dot, "." for the root; control and special bytes escaped. */
void dns_name_format(const struct dns_name *n, char out[DNS_NAME_TEXT_MAX]);

bool dns_name_eq(const struct dns_name *a, const struct dns_name *b);
/* n is apex or below it. */
bool dns_name_within(const struct dns_name *n, const struct dns_name *apex);
/* Offsets in n->wire at which its labels start, leftmost first, without the
 * root's. Returns how many; ret_offsets has room for DNS_LABELS_MAX. */
size_t dns_name_labels(const struct dns_name *n, uint8_t ret_offsets[DNS_LABELS_MAX]);
/* The name that starts at offset (one from dns_name_labels, or len - 1). */
void dns_name_tail(const struct dns_name *n, size_t offset, struct dns_name *ret_name);
/* "*." and n. ERR_LIMIT above 255 bytes. */
int dns_name_wildcard(const struct dns_name *n, struct dns_name *ret_name) MUST_USE;
bool dns_name_is_wildcard(const struct dns_name *n); /* leftmost label is "*" */

static inline struct str dns_name_str(const struct dns_name *n)
{
    return (struct str){(const char *)n->wire, n->len};
}

#endif
