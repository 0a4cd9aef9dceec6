/* Views of bytes: pointer and length, not owned, not NUL-terminated, may hold
 * any byte. An empty view may have a NULL ptr. */
#ifndef HOLDFAST_BASE_STR_H
#define HOLDFAST_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_EMPTY    ((struct str){"", 0})
/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, ((s).ptr ? (s).ptr : "")

struct str str_from(const char *text);                      /* of a NUL-terminated text; NULL is empty */
struct str str_sub(struct str s, size_t start, size_t len); /* clamped to s */
bool str_eq(struct str a, struct str b);
bool str_ieq(struct str a, struct str b); /* ASCII case-insensitive */
int str_cmp(struct str a, struct str b);  /* bytewise order */
bool str_starts(struct str s, struct str prefix);
bool str_istarts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_iends(struct str s, struct str suffix);
bool str_is_ascii(struct str s);              /* no octet above 127; also of "" */
bool str_ihas(struct str s, struct str part); /* s has it anywhere; ASCII case-insensitive */
/* Index of the first c at or after start, or SIZE_MAX. */
size_t str_find(struct str s, char c, size_t start);
struct str str_trim(struct str s); /* without SP and HTAB at both ends */

/* Takes up to the first `sep` off *rest into *ret_head and skips the separator;
 * the last piece has no separator. False when *rest is already at its end
 * (ptr NULL). */
bool str_split(struct str *rest, char sep, struct str *ret_head);

/* Decimal without sign; ERR_SYNTAX, or ERR_LIMIT above max. */
int str_to_u64(struct str s, uint64_t max, uint64_t *ret_value) MUST_USE;

char *str_dup(struct str s); /* NUL-terminated copy, for free() */

char ascii_lower(char c);
char ascii_upper(char c);
bool ascii_isdigit(char c);
bool ascii_isalpha(char c);
bool ascii_isalnum(char c);
bool ascii_isprint(char c); /* 0x20..0x7e */
void ascii_lower_inplace(char *ptr, size_t len);

#endif
