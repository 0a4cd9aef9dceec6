/* Addresses of the type "utf-8" (RFC 6533 section 3), as ORCPT and delivery status notifications have them:
 * as they are, or within printable ASCII by \x{HEX} for each code point that is not. Pure. */
#ifndef HOLDFAST_WIRE_UTF8_ADDR_H
#define HOLDFAST_WIRE_UTF8_ADDR_H

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

/* Appends the address as UTF-8. s: in either form; what else xtext has for a byte (+HEX) is taken too.
 * ERR_SYNTAX: it is none, or has a control character in it; out may have got a part. */
int utf8_addr_decode(struct buf *out, struct str s) MUST_USE;
/* Appends the 7-bit form (utf-8-addr-xtext); address: UTF-8. What is none becomes '?'. ERR_LIMIT: out has no
 * room for all of it, and has got as many whole characters as it has room for. */
int utf8_addr_encode(struct buf *out, struct str address) MUST_USE;

#endif
