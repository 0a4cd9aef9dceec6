/* Text of a message in the form that it is searched in: UTF-8 with simple case
 * folding (base/utf8.h). Streams, and encoded words (RFC 2047). Charsets: UTF-8,
 * US-ASCII, ISO-8859-1 and its near relatives; of others the ASCII is right and
 * the rest stays as it is. Pure. */
#ifndef HOLDFAST_WIRE_MIME_TEXT_H
#define HOLDFAST_WIRE_MIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct mime_text {
    enum { MIME_TEXT_UTF8, MIME_TEXT_LATIN1, MIME_TEXT_RAW } charset;
    char held[4]; /* the start of a code point */
    size_t held_len;
};

/* charset: its name; empty: US-ASCII, taken as UTF-8. */
void mime_text_init(struct mime_text *t, struct str charset);
void mime_text_feed(struct mime_text *t, struct str data, struct buf *out);
void mime_text_finish(struct mime_text *t, struct buf *out); /* what was cut off */

/* A header field's value, its encoded words decoded. */
void mime_words_fold(struct str value, struct buf *out);

#endif
