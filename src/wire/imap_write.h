/* Pieces of an IMAP response (RFC 3501 9). Pure. */
#ifndef HOLDFAST_WIRE_IMAP_WRITE_H
#define HOLDFAST_WIRE_IMAP_WRITE_H

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/imap_parse.h"

/* Quoted where that can be, else a literal. A view with ptr NULL is NIL for
 * imap_write_nstring. */
void imap_write_literal(struct buf *out, struct str text);
void imap_write_string(struct buf *out, struct str text);
void imap_write_nstring(struct buf *out, struct str text);
void imap_write_mailbox(struct buf *out, struct str utf8_name);
void imap_write_flags(struct buf *out, uint32_t system, struct str keywords); /* with parentheses */
void imap_write_date_time(struct buf *out, struct wall_time t);               /* quoted, in UTC */

#endif
