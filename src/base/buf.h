/* A growable byte buffer with a hard cap. Appending past the cap fails with
 * ERR_LIMIT, changes nothing and sets `overflow`, so that a caller may append
 * many pieces and ask once at the end. Consuming from the front is O(1)
 * amortised. data() is always NUL-terminated one past its length. */
#ifndef HOLDFAST_BASE_BUF_H
#define HOLDFAST_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct buf {
    char *mem;       /* owned; NULL until the first append */
    size_t start;    /* first live byte in mem */
    size_t len;      /* live bytes */
    size_t capacity; /* of mem, without the terminating NUL */
    size_t cap_max;  /* the hard cap on len */
    bool overflow;
};

void buf_init(struct buf *b, size_t cap_max);
void buf_fini(struct buf *b);  /* frees; b may be initialised again */
void buf_clear(struct buf *b); /* keeps the memory; clears overflow */
const char *buf_data(const struct buf *b);
struct str buf_str(const struct buf *b);
void buf_consume(struct buf *b, size_t len);  /* len <= b->len */
void buf_truncate(struct buf *b, size_t len); /* len <= b->len */

/* Returns a place for at least `len` more bytes (NULL when over the cap);
 * buf_commit says how many were written there. */
char *buf_reserve(struct buf *b, size_t len);
void buf_commit(struct buf *b, size_t len);

int buf_append(struct buf *b, const void *data, size_t len);
int buf_append_str(struct buf *b, struct str s);
int buf_append_text(struct buf *b, const char *text);
int buf_append_char(struct buf *b, char c);
int buf_append_fmt(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
int buf_append_vfmt(struct buf *b, const char *fmt, va_list args);

/* The memory as a NUL-terminated heap text for free(); b is empty after. */
char *buf_steal(struct buf *b);

#endif
