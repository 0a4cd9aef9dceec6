/* crypt(3) hashes of imported users: which are taken, and checking one. For
 * auth/password.c. */
#ifndef HOLDFAST_AUTH_CRYPT_HASH_H
#define HOLDFAST_AUTH_CRYPT_HASH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* method: "$6$" and the like, or "" for any of them. ERR_SYNTAX: no whole hash;
 * ERR_UNSUPPORTED: another method, or too dear to compute; eb says which. */
int crypt_hash_check(struct str hash, const char *method, struct err_buf *eb) MUST_USE;
/* Whether the hash, which was checked, is of the password. Up to a second. */
bool crypt_hash_matches(struct str hash, const char *password);

#endif
