/* The one place where our errors (base/err.h) become IMAP response codes. */
#ifndef HOLDFAST_IMAP_ERROR_H
#define HOLDFAST_IMAP_ERROR_H

struct imap_error {
    const char *code; /* without brackets (RFC 3501 7.1, RFC 5530, RFC 4469) */
    const char *text; /* for the human */
};

/* err < 0. Never NULL members. Commands with an answer of their own (TRYCREATE,
 * AUTHENTICATIONFAILED) give it themselves. */
struct imap_error imap_error_for(int err);

#endif
