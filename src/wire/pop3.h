/* POP3's codec (RFC 1939): command lines, and messages as multi-line responses.
 * Pure. The POP3 session uses it. */
#ifndef HOLDFAST_WIRE_POP3_H
#define HOLDFAST_WIRE_POP3_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* RFC 2449 4 has 255; AUTH's initial response (RFC 5034) may need more. */
#define POP3_LINE_MAX_BYTES 2048

struct pop3_command {
    struct str verb;
    struct str rest; /* all after the first blank: PASS may hold blanks */
    struct str arg[2];
    size_t arg_count; /* 3: more than two */
};

void pop3_command_parse(struct str line, struct pop3_command *ret_command);
/* A message number, from 1. ERR_SYNTAX. */
int pop3_number_parse(struct str text, uint64_t *ret_number) MUST_USE;

/* Turns a message into a multi-line response: dots at line starts are doubled,
 * the last line gets its end, `.` follows. */
struct pop3_stuffer {
    enum { POP3_LINE_START, POP3_IN_LINE } at;
    bool in_body;
    bool blank_line;     /* nothing but CR in the line so far */
    bool limited;        /* TOP */
    uint64_t lines_left; /* of the body */
    bool full;           /* no more is wanted */
};

#define POP3_ALL_LINES UINT64_MAX

void pop3_stuffer_init(struct pop3_stuffer *p, uint64_t body_lines);
void pop3_stuffer_feed(struct pop3_stuffer *p, struct str data, struct buf *out);
void pop3_stuffer_finish(struct pop3_stuffer *p, struct buf *out);

#endif
