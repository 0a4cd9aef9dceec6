/* SASL as the server, the mechanisms PLAIN (RFC 4616) and LOGIN (an expired
 * draft that old clients still use). Pure codecs over what was decoded from
 * base64: they give a name and a password to be checked, they check nothing.
 *
 * Both send the password in the clear: offer them only where nobody listens.
 * Used by SMTP AUTH, IMAP AUTHENTICATE and POP3 AUTH. No threads, no I/O. */
#ifndef HOLDFAST_AUTH_SASL_H
#define HOLDFAST_AUTH_SASL_H

#include <stdbool.h>

#include "auth/password.h"
#include "base/err.h"
#include "base/str.h"

#define SASL_MECHANISMS     "PLAIN LOGIN" /* as SMTP's EHLO lists them */
#define SASL_USER_MAX_BYTES 255           /* RFC 4616 2 */

enum sasl_mechanism { SASL_PLAIN, SASL_LOGIN };
enum sasl_stage { SASL_WANTS_MESSAGE, SASL_WANTS_USER, SASL_WANTS_PASSWORD, SASL_FINISHED };

struct sasl {
    enum sasl_mechanism mechanism;
    enum sasl_stage stage;
    size_t user_len, password_len;
    char user_text[SASL_USER_MAX_BYTES + 1];
    char password_text[PASSWORD_MAX_BYTES + 1];
};

/* Starts an exchange. initial is the decoded initial response (RFC 4422 4.3.c),
 * maybe empty, or NULL when there was none. 0: look at sasl_finished: then user
 * and password are there, else send *ret_challenge (static, not encoded) and
 * give the response to sasl_respond. ERR_UNSUPPORTED: unknown mechanism;
 * ERR_SYNTAX, ERR_DENIED as sasl_respond. s needs sasl_fini in any case. */
int sasl_start(struct sasl *s, struct str mechanism, const struct str *initial,
               struct str *ret_challenge) MUST_USE;
/* The client's next, decoded response. ERR_SYNTAX: not of the mechanism's form
 * (a field is missing, empty, too long or holds a NUL); ERR_DENIED: it asks to act
 * as somebody else (an authorization identity that is not the user's own). The exchange
 * is over after an error. Not to be called when it is finished. */
int sasl_respond(struct sasl *s, struct str response, struct str *ret_challenge) MUST_USE;

bool sasl_finished(const struct sasl *s);
struct str sasl_user(const struct sasl *s); /* ASCII in lower case, else as sent */
struct str sasl_password(const struct sasl *s);
/* Overwrites the password. May be called again. */
void sasl_fini(struct sasl *s);

#endif
