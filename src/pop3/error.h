/* The one place where our errors (base/err.h) become POP3 responses. */
#ifndef HOLDFAST_POP3_ERROR_H
#define HOLDFAST_POP3_ERROR_H

/* err < 0. The text after -ERR, with its response code (RFC 2449 8, RFC 3206). */
const char *pop3_error_text(int err);

#endif
