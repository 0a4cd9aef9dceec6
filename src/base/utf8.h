/* UTF-8 (RFC 3629), one code point at a time. Pure. */
#ifndef HOLDFAST_BASE_UTF8_H
#define HOLDFAST_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The code point at s[*pos], and moves *pos behind it. False at the end and at
 * anything that is not UTF-8 (overlong forms and surrogates too): *pos stays. */
bool utf8_next(struct str s, size_t *pos, uint32_t *ret_point);
bool utf8_valid(struct str s);
bool utf8_is_text(struct str s);     /* the same, and without NUL: what every store takes as a text */
size_t utf8_sequence_len(char lead); /* 1 to 4; 0: no code point begins so */
size_t utf8_put(uint32_t point, char out[4]); /* bytes written; point <= 0x10ffff */
/* What no text of ours shows raw: C0 and C1, DELETE, and the ends of lines and paragraphs that are characters
 * of their own (U+2028, U+2029). */
bool utf8_is_control(uint32_t point);
/* Simple lower case for comparing: ASCII, Latin-1, Greek and Cyrillic letters;
 * others stay. The length in UTF-8 stays the same. */
uint32_t utf8_fold(uint32_t point);

#endif
