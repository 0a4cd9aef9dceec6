/* The tokens of an IMAP command (RFC 3501 9), read from one gathered text.
 * Pure. A cursor moves over the text; what has to be copied lives in the
 * command's arena. Every function returns 0, ERR_SYNTAX (then the cursor's
 * place does not matter: the command is BAD) or ERR_LIMIT (the arena is full). */
#ifndef HOLDFAST_WIRE_IMAP_PARSE_H
#define HOLDFAST_WIRE_IMAP_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"
#include "wire/imap_set.h"

struct imap_cursor {
    struct str rest;
    struct arena *arena;
};

bool imap_at_end(const struct imap_cursor *c);
int imap_expect_end(const struct imap_cursor *c) MUST_USE;
bool imap_skip_char(struct imap_cursor *c, char wanted); /* false: it is not there */
int imap_expect_char(struct imap_cursor *c, char wanted) MUST_USE;
bool imap_skip_word(struct imap_cursor *c, const char *word); /* a whole atom, any case */

int imap_parse_tag(struct imap_cursor *c, struct str *ret_tag) MUST_USE;
int imap_parse_atom(struct imap_cursor *c, struct str *ret_atom) MUST_USE;
int imap_parse_astring(struct imap_cursor *c, struct str *ret_text) MUST_USE;
int imap_parse_string(struct imap_cursor *c, struct str *ret_text) MUST_USE;  /* quoted or literal */
int imap_parse_nstring(struct imap_cursor *c, struct str *ret_text) MUST_USE; /* NIL: ptr NULL */
int imap_parse_number(struct imap_cursor *c, uint64_t max, uint64_t *ret_number) MUST_USE;
int imap_parse_set(struct imap_cursor *c, struct imap_set *ret_set) MUST_USE;

/* A mailbox name as UTF-8, INBOX in capitals; ERR_INVALID for a name that is
 * none (control characters, not modified UTF-7, over 1,000 bytes). */
#define IMAP_MAILBOX_MAX_BYTES 1000
int imap_parse_mailbox(struct imap_cursor *c, struct str *ret_name) MUST_USE;
/* LIST's: with wildcards, as UTF-8. */
int imap_parse_list_mailbox(struct imap_cursor *c, struct str *ret_pattern) MUST_USE;

/* The same bits as the mail contract's. */
enum imap_flag {
    IMAP_SEEN = 1 << 0,
    IMAP_ANSWERED = 1 << 1,
    IMAP_FLAGGED = 1 << 2,
    IMAP_DELETED = 1 << 3,
    IMAP_DRAFT = 1 << 4,
};
#define IMAP_FLAG_COUNT 5
#define IMAP_RECENT     (1 << 5)                               /* written only; no client may set it */
extern const char *const imap_flag_names[IMAP_FLAG_COUNT + 1]; /* "\\Seen", by bit */

#define IMAP_KEYWORDS_MAX_BYTES 1024 /* the mail contract's bound */
struct imap_flags {
    uint32_t system;     /* of enum imap_flag */
    struct str keywords; /* sorted, one space between, none twice */
};
/* `(...)`. \Recent is ignored. Keywords over the bound: ERR_LIMIT. */
int imap_parse_flag_list(struct imap_cursor *c, struct imap_flags *ret_flags) MUST_USE;
/* STORE's: with or without parentheses. */
int imap_parse_store_flags(struct imap_cursor *c, struct imap_flags *ret_flags) MUST_USE;
bool imap_keywords_have(struct str keywords, struct str keyword); /* any case */

/* `"17-Jul-2026 02:44:25 -0700"` with its quotes. */
int imap_parse_date_time(struct imap_cursor *c, struct wall_time *ret_time) MUST_USE;
/* SEARCH's `1-Feb-2026`, quotes allowed: days since 1970-01-01. */
int imap_parse_date(struct imap_cursor *c, int64_t *ret_days) MUST_USE;

#endif
