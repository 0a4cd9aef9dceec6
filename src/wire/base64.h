/* Base64 (RFC 4648 section 4), strict: padding required, no other characters.
 * For SASL exchanges and encoded words. */
#ifndef HOLDFAST_WIRE_BASE64_H
#define HOLDFAST_WIRE_BASE64_H

#include <stddef.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

/* Appends the text of data. ERR_LIMIT (the cap of out). */
int base64_encode(struct buf *out, struct str data);
/* Appends the bytes of text; out is unchanged on failure. ERR_SYNTAX, ERR_LIMIT. */
int base64_decode(struct buf *out, struct str text) MUST_USE;

#endif
