/* The message after DATA (RFC 5321 4.5.2): dots are taken off and put on in
 * bulk, line by line with memchr, over pieces of any size. The end is CRLF.CRLF
 * alone. Pure; for src/smtp. */
#ifndef HOLDFAST_WIRE_SMTP_DATA_H
#define HOLDFAST_WIRE_SMTP_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* ---- reading ---- */

enum smtp_unstuff_state {
    SMTP_UNSTUFF_LINE_START,
    SMTP_UNSTUFF_MIDDLE,
    SMTP_UNSTUFF_CR,     /* a CR is held back: is it followed by LF? */
    SMTP_UNSTUFF_DOT,    /* a leading dot was taken */
    SMTP_UNSTUFF_DOT_CR, /* ... and a CR */
};

struct smtp_unstuff {
    enum smtp_unstuff_state state;
    bool lenient;   /* a bare CR or LF is no fault: given out as it is, and neither begins nor ends a line */
    bool bare;      /* a bare CR or LF was in it: to be refused; nothing more is given out */
    bool eight_bit; /* an octet above 127 was in it */
    bool nul;       /* an octet 0 was in it: to be refused */
};

void smtp_unstuff_init(struct smtp_unstuff *u, bool lenient);

/* Reads from data; *ret_used says how many bytes were taken, at least one when
 * len > 0, but when a CR that was held back is given out alone. *ret_out is the next bytes of the message
 * (may be empty, and is then to be called again while data is left), a view of data or of static memory.
 * True: the end was read; what is behind *ret_used is the next command. */
bool smtp_unstuff(struct smtp_unstuff *u, const char *data, size_t len, size_t *ret_used,
                  struct str *ret_out);

/* ---- writing ---- */

struct smtp_stuff {
    bool line_start;
    bool cr; /* the last byte was a CR, not yet written */
    bool plain;
};

void smtp_stuff_init(struct smtp_stuff *st);
/* Dots stay as they are: only the ends of lines are put right. */
void smtp_stuff_init_plain(struct smtp_stuff *st);
/* Appends data with dots doubled. A bare CR or LF, which must never be sent (RFC
 * 5321 2.3.8), becomes CRLF. out grows by at most 2 * len + 2. */
void smtp_stuff(struct smtp_stuff *st, struct buf *out, const char *data, size_t len);
/* The last line's CRLF where it is missing: at most 2 bytes. */
void smtp_stuff_end_line(struct smtp_stuff *st, struct buf *out);
/* That, and the final dot: at most 7 bytes. */
void smtp_stuff_end(struct smtp_stuff *st, struct buf *out);

#endif
