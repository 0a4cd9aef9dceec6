/* The parameters of MAIL and RCPT that ask for notices (RFC 3461 section 4), strictly: each function gets the
 * value behind "=" and gives 0 or ERR_SYNTAX. What they take is bounded, and printable when it is decoded.
 * Pure; for src/smtp. */
#ifndef HOLDFAST_WIRE_SMTP_DSN_H
#define HOLDFAST_WIRE_SMTP_DSN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/dsn.h"

#define SMTP_DSN_ENVID_MAX 100     /* RFC 3461 4.4 */
#define SMTP_DSN_UTF8      "utf-8" /* the type of address of RFC 6533 */
#define SMTP_DSN_ORCPT_MAX 500     /* RFC 3461 4.2 */

int smtp_dsn_ret_parse(struct str value, enum dsn_ret *ret_ret) MUST_USE;
int smtp_dsn_envid_check(struct str value) MUST_USE;
int smtp_dsn_notify_parse(struct str value, unsigned *ret_notify) MUST_USE;
/* utf8: MAIL said SMTPUTF8, so that "utf-8;" may be followed by UTF-8 (RFC 6533 section 3). */
int smtp_dsn_orcpt_check(struct str value, bool utf8) MUST_USE;
/* Appends a value that was checked in its 7-bit form, in which it may go anywhere: unaltered but for
 * "utf-8;". ERR_LIMIT: that is too long for others; out may have got a part. */
int smtp_dsn_orcpt_to_ascii(struct buf *out, struct str value) MUST_USE;

/* " RET=HDRS ENVID=x", " NOTIFY=FAILURE,DELAY ORCPT=rfc822;x": what was not said is left out, and what
 * would not pass the checks. */
void smtp_dsn_format_envelope(struct buf *out, const struct dsn_envelope *e);
void smtp_dsn_format_request(struct buf *out, const struct dsn_request *r);

#endif
