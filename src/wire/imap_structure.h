/* ENVELOPE, BODY and BODYSTRUCTURE of a parsed message (RFC 3501 7.4.2). Pure. */
#ifndef HOLDFAST_WIRE_IMAP_STRUCTURE_H
#define HOLDFAST_WIRE_IMAP_STRUCTURE_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/mime.h"

/* e NULL: all fields are NIL. */
void imap_write_envelope(struct buf *out, const struct mime_envelope *e);
/* extended: with extension data, as BODYSTRUCTURE. */
void imap_write_structure(struct buf *out, const struct mime_part *part, bool extended);

#endif
