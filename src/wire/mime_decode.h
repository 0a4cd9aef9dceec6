/* Content transfer encodings (RFC 2045 6.7, 6.8), decoded as a stream, for
 * looking into text. Lenient: what is not of the encoding is passed over. Pure. */
#ifndef HOLDFAST_WIRE_MIME_DECODE_H
#define HOLDFAST_WIRE_MIME_DECODE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum mime_encoding { MIME_IDENTITY, MIME_BASE64, MIME_QUOTED_PRINTABLE };

struct mime_decoder {
    enum mime_encoding encoding;
    uint32_t bits;
    unsigned bit_count;
    char held[2]; /* quoted-printable: `=` and a digit */
    size_t held_len;
};

/* name: of Content-Transfer-Encoding; unknown ones are taken as they are. */
void mime_decoder_init(struct mime_decoder *d, struct str name);
void mime_decoder_feed(struct mime_decoder *d, struct str data, struct buf *out);

#endif
