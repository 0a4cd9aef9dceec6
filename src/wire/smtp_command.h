/* SMTP command lines as a server reads them (RFC 5321 2.3.8, 4.1.1): a line
 * ends at CRLF alone; one with a bare CR, a bare LF or a NUL is no command,
 * and one over the limit is skipped to its end. Pure; for src/smtp. */
#ifndef HOLDFAST_WIRE_SMTP_COMMAND_H
#define HOLDFAST_WIRE_SMTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

/* With CRLF. RFC 5321 4.5.3.1.4 asks for 512 and the extensions offered here add
 * 26 (SIZE), 17 (BODY), 10 and longer paths (SMTPUTF8), 536 (DSN, to RCPT) and our XCUSTODY. */
#define SMTP_COMMAND_LINE_MAX 1200

struct smtp_line_reader {
    size_t len;    /* bytes kept of a line that goes on */
    bool skipping; /* the line at hand is already over the limit */
    bool skipped_cr;
    char line[SMTP_COMMAND_LINE_MAX];
};

void smtp_line_reader_init(struct smtp_line_reader *r);

/* Reads from data up to the end of one line; *ret_used says how many bytes were
 * taken (all, when the line goes on). Returns:
 * 0          more is needed;
 * 1          *ret_line is the line without CRLF, in data or in r, valid until the next call;
 * ERR_SYNTAX the line held a bare CR, a bare LF or a NUL;
 * ERR_LIMIT  the line was too long. */
int smtp_line_read(struct smtp_line_reader *r, const char *data, size_t len, size_t *ret_used,
                   struct str *ret_line) MUST_USE;

struct smtp_command {
    struct str verb; /* letters and digits, at least one */
    struct str args; /* behind one blank, without trailing blanks (RFC 5321 4.1.1) */
};

/* ERR_SYNTAX: it begins with no verb. */
int smtp_command_parse(struct str line, struct smtp_command *ret_command) MUST_USE;

/* ESMTP parameters (RFC 5321 4.1.2, Mail-parameters). A value may have octets above 127 (RFC 6531 3.3):
 * whoever takes it says whether it does. */
struct smtp_param {
    struct str keyword;
    struct str value; /* ptr NULL: no "=" */
};

/* Takes the next parameter off *rest: 1; 0 at the end; ERR_SYNTAX. */
int smtp_param_next(struct str *rest, struct smtp_param *ret_param) MUST_USE;

#endif
