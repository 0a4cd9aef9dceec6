/* The passwd-file of users, as mail servers exchange it: a line
 *
 *   address:{SCHEME}hash[:uid:gid:gecos:home:shell[:extra]]
 *
 * for each user; a hash without scheme is a crypt(3) one; lines that are empty or
 * start with # are passed over. uid to shell are not used; extra fields, which
 * can restrict a login, are refused. Read once, into a store that has no users.
 *
 * The whole file is good, or the first error is returned and nothing is used. */
#ifndef HOLDFAST_AUTH_USERS_FILE_H
#define HOLDFAST_AUTH_USERS_FILE_H

#include <stddef.h>

#include "auth/password.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define USERS_FILE_MAX_BYTES (64 * 1024 * 1024) /* 400,000 users with SHA512-CRYPT */
#define USERS_FILE_LINE_MAX  1024

struct users_file_entry {
    struct str address;  /* lower case */
    struct str verifier; /* with its scheme; holds to password_verifier_check */
    int line;
};

struct users_file {
    struct users_file_entry *entries; /* in the order of the file, no address twice */
    size_t count;
    struct arena arena; /* of the texts */
};

/* Reads the file, blocking: for the start of a role. ERR_SYNTAX with
 * "path:line: what and what to do" in eb; ERR_LIMIT: too large; errors of
 * opening and reading. On success ret_file is to be freed. */
int users_file_load(const char *path, struct users_file *ret_file, struct err_buf *eb) MUST_USE;
/* The same of a text; path is for eb only. */
int users_file_parse(struct str text, const char *path, struct users_file *ret_file,
                     struct err_buf *eb) MUST_USE;
void users_file_free(struct users_file *f);

#endif
