/* SMTP replies (RFC 5321 4.2) with enhanced status codes (RFC 2034, 3463):
 * the value, the formatter and a bounded, incremental parser. Pure: no I/O.
 * For src/smtp, and by its leave (smtp/reply.h) for the owners of sessions. */
#ifndef HOLDFAST_WIRE_SMTP_REPLY_H
#define HOLDFAST_WIRE_SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

/* class.subject.detail; class 0: none. */
struct smtp_enhanced {
    uint8_t class;
    uint16_t subject, detail;
};

struct smtp_reply {
    uint16_t code; /* 200 to 599; 0: none */
    struct smtp_enhanced enhanced;
    struct str text; /* lines are separated by LF; a view, never owned by the reply */
};

#define SMTP_REPLY(reply_code, class_, subject_, detail_, literal)                                           \
    ((struct smtp_reply){.code = (reply_code), .enhanced = {class_, subject_, detail_}, .text = STR(literal)})

/* What a reply asks of a client: 2 done, 3 go on, 4 later, 5 never; 0: none. */
static inline int smtp_reply_class(const struct smtp_reply *r)
{
    return r->code / 100;
}

/* Appends the reply as its lines with CRLF. Each line is at most 512 octets
 * (RFC 5321 4.5.3.1.5): longer text goes on in a further line. The enhanced
 * code leads each line when `enhanced` is true, the reply has one, and its
 * code is not a 3yz. Bytes outside of printable ASCII become '?'. */
void smtp_reply_format(struct buf *out, const struct smtp_reply *r, bool enhanced);

/* "250 2.1.5 text of all lines" for logs, traces and stored outcomes: one line,
 * without CRLF, at most `size` - 1 bytes and NUL-terminated. Returns its length. */
#define SMTP_REPLY_TEXT_MAX 512
size_t smtp_reply_describe(const struct smtp_reply *r, char *out, size_t size);

/* Takes "2.1.5" and the blank after it off *text. False (and *text untouched)
 * when there is none, or its class is not that of the code. */
bool smtp_enhanced_parse(struct str *text, unsigned code, struct smtp_enhanced *ret_enhanced);

/* ---- parsing, for clients ---- */

#define SMTP_REPLY_LINE_MAX  2048 /* four times RFC 5321 4.5.3.1.5: EHLO lines of real servers run longer */
#define SMTP_REPLY_LINES_MAX 128  /* a longer reply is no reply */

struct smtp_reply_parser {
    uint16_t code; /* of the reply at hand; 0 before its first line */
    unsigned lines;
    struct smtp_enhanced enhanced;
    size_t text_len;
    char text[SMTP_REPLY_TEXT_MAX]; /* sanitised, LF between lines; what is over is dropped */
    size_t line_len;
    char line[SMTP_REPLY_LINE_MAX];
};

void smtp_reply_parser_init(struct smtp_reply_parser *p);

/* Reads from data up to the end of one reply line. *ret_used says how many
 * bytes were taken (all, when the line goes on). Returns:
 * 0          more is needed;
 * 1          a line of a reply that goes on is complete: *ret_line is its text
 *            behind the code (EHLO keywords), valid until the next call;
 * 2          as 1, and it was the last: *ret_reply is whole, its text valid until the next call;
 * ERR_SYNTAX, ERR_LIMIT: it is no SMTP reply; the connection is of no more use. */
int smtp_reply_parse(struct smtp_reply_parser *p, const char *data, size_t len, size_t *ret_used,
                     struct str *ret_line, struct smtp_reply *ret_reply) MUST_USE;

#endif
