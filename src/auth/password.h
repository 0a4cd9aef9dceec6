/* Passwords and their verifiers: what is kept of a password, so that it can be
 * checked and not be read. A verifier is the text "{SCHEME}hash":
 *
 *   {ARGON2ID}$argon2id$...    ours, of every new password: 19 MiB, 2 passes
 *   {SHA512-CRYPT}$6$...       and {SHA256-CRYPT}, {BLF-CRYPT}, {MD5-CRYPT}, {CRYPT}: crypt(3) hashes of an
 *                              import, checked as they are; replace them at the user's next login
 *                              (password_needs_rehash)
 *
 * A hash that would cost more than about a second, an unknown scheme and a
 * plain-text one are refused when they are read, so that a file of users cannot
 * stop the program.
 *
 * password_verify and password_hash take tens of milliseconds and 19 MiB: call
 * them through auth/password_queue.h, never on a loop's thread. Any thread; no
 * state. Copies of passwords are overwritten before they are freed. */
#ifndef HOLDFAST_AUTH_PASSWORD_H
#define HOLDFAST_AUTH_PASSWORD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

#define PASSWORD_MAX_BYTES    255 /* as in RFC 4616; crypt(3) has 511 */
#define PASSWORD_VERIFIER_MAX 256 /* with NUL; Argon2id's takes 128, SHA512-CRYPT's 123 */

/* ERR_SYNTAX, ERR_UNSUPPORTED (scheme, or cost) with eb, else 0. */
int password_verifier_check(struct str verifier, struct err_buf *eb) MUST_USE;

/* 0, or ERR_DENIED: wrong password, unknown user, or a password or verifier that
 * cannot be right. An unknown (or disabled) user is said by an empty verifier,
 * and takes as long as a wrong password for {ARGON2ID} or {SHA512-CRYPT}. The
 * comparison is in constant time. */
int password_verify(struct str verifier, struct str password) MUST_USE;

/* A new {ARGON2ID} verifier with a salt from the system's random. ERR_INVALID:
 * empty, over PASSWORD_MAX_BYTES, or with a NUL; ERR_LIMIT: no memory. */
int password_hash(struct str password, char out[PASSWORD_VERIFIER_MAX]) MUST_USE;

/* Whether the verifier is other than what password_hash makes now: then hash
 * the password that was just verified, and keep that instead. */
bool password_needs_rehash(struct str verifier);

/* Whether it can be a password at all: 1 to 255 bytes without NUL. */
bool password_is_possible(struct str password);

#endif
