/* A message that comes in chunks (RFC 3030): its octets are the message's, no dots are doubled and nothing
 * marks its end. What must not be in it is looked for here, over pieces of any size, as smtp_unstuff does for
 * DATA. Pure; for src/smtp. */
#ifndef HOLDFAST_WIRE_SMTP_CHUNK_H
#define HOLDFAST_WIRE_SMTP_CHUNK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct smtp_chunk {
    bool cr;        /* the last octet was a CR: a LF must follow */
    bool line_end;  /* the last line has its CRLF; true at first */
    bool lenient;   /* a bare CR or LF is no fault */
    bool bare;      /* a bare CR or LF was in it: to be refused */
    bool eight_bit; /* an octet above 127 was in it */
    bool nul;       /* an octet 0 was in it: to be refused */
};

void smtp_chunk_init(struct smtp_chunk *c, bool lenient);
void smtp_chunk_feed(struct smtp_chunk *c, struct str piece);
/* No more comes: a CR that is left alone is bare. */
void smtp_chunk_end(struct smtp_chunk *c);

/* "SIZE" or "SIZE LAST" (RFC 3030 2), what follows BDAT. ERR_SYNTAX; ERR_LIMIT: no number of octets is so
 * large. */
int smtp_chunk_args_parse(struct str args, uint64_t *ret_size_bytes, bool *ret_last) MUST_USE;

#endif
