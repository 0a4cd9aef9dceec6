/* Reverse-path and forward-path (RFC 5321 4.1.2, RFC 6531 3.3). Source routes
 * are taken and dropped (RFC 5321 appendix C). Pure; for src/smtp. */
#ifndef HOLDFAST_WIRE_SMTP_PATH_H
#define HOLDFAST_WIRE_SMTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

/* RFC 5321 4.5.3.1 asks every server to take 64, 255 and 256; addresses made for
 * bounces (VERP, SRS) have longer local parts than 64, so that is no limit here. */
#define SMTP_LOCAL_PART_MAX 255
#define SMTP_DOMAIN_MAX     255
#define SMTP_PATH_MAX       512

struct smtp_path {
    struct str mailbox;    /* without <> and source route; "" for <> */
    struct str local_part; /* as given, quotes included */
    struct str domain;     /* as given; "[...]" for a literal; "" for <> and <Postmaster> */
};

enum smtp_path_kind {
    SMTP_PATH_REVERSE, /* <> is allowed */
    SMTP_PATH_FORWARD, /* <Postmaster> is allowed, in any case (RFC 5321 4.1.1.3) */
};

/* Takes a path with its <> off the front of *text, leading blanks allowed (many
 * clients send them behind the colon). utf8: octets above 127, as UTF-8, are
 * allowed, but no controls (U+0080 to U+009F, U+2028, U+2029). ERR_SYNTAX; ERR_LIMIT (too long);
 * ERR_UNSUPPORTED (non-ASCII without utf8). */
int smtp_path_parse(struct str *text, enum smtp_path_kind kind, bool utf8,
                    struct smtp_path *ret_path) MUST_USE;

/* Domain or address literal, whole (for EHLO too). */
bool smtp_domain_valid(struct str domain, bool utf8);

/* The local part without quoting, into out of at least raw.len bytes; returns its length. */
size_t smtp_local_part_unquote(struct str raw, char *out);

#endif
