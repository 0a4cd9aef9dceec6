/* Modified UTF-7 of mailbox names (RFC 3501 5.1.3) to and from UTF-8. Pure. */
#ifndef HOLDFAST_WIRE_IMAP_UTF7_H
#define HOLDFAST_WIRE_IMAP_UTF7_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Appends UTF-8. ERR_SYNTAX: not modified UTF-7, or a form that the encoder
 * would not give (so that one mailbox has one name); ERR_LIMIT: out is full. */
int imap_utf7_decode(struct str utf7, struct buf *out) MUST_USE;
/* Appends modified UTF-7. ERR_SYNTAX: not UTF-8. ERR_LIMIT. */
int imap_utf7_encode(struct str utf8, struct buf *out) MUST_USE;

#endif
