#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define BUF_FIRST_BYTES 256 /* most replies fit */

void buf_init(struct buf *b, size_t cap_max)
{
    *b = (struct buf){.cap_max = cap_max};
}

void buf_fini(struct buf *b)
{
    free(b->mem);
    buf_init(b, b->cap_max);
}

void buf_clear(struct buf *b)
{
    b->start = 0;
    b->len = 0;
    b->overflow = false;
    if (b->mem)
        b->mem[0] = '\0';
}

const char *buf_data(const struct buf *b)
{
    return b->mem ? b->mem + b->start : "";
}

struct str buf_str(const struct buf *b)
{
    return (struct str){buf_data(b), b->len};
}

void buf_consume(struct buf *b, size_t len)
{
    CHECK(len <= b->len);
    b->start += len;
    b->len -= len;
    if (b->len == 0 && b->mem) {
        b->start = 0;
        b->mem[0] = '\0';
    }
}

void buf_truncate(struct buf *b, size_t len)
{
    CHECK(len <= b->len);
    b->len = len;
    if (b->mem)
        b->mem[b->start + len] = '\0';
}

static void make_room(struct buf *b, size_t len)
{
    if (b->mem && b->start + b->len + len <= b->capacity)
        return;
    if (b->mem && b->start > 0 && b->start >= b->len && b->len + len <= b->capacity) {
        memmove(b->mem, b->mem + b->start, b->len + 1);
        b->start = 0;
        return;
    }
    size_t capacity = b->capacity ? b->capacity : BUF_FIRST_BYTES;
    while (capacity < b->len + len)
        capacity *= 2;
    if (capacity > b->cap_max && b->len + len <= b->cap_max)
        capacity = b->cap_max;
    char *mem = mem_alloc(capacity + 1);
    if (b->len > 0)
        memcpy(mem, b->mem + b->start, b->len);
    mem[b->len] = '\0';
    free(b->mem);
    b->mem = mem;
    b->start = 0;
    b->capacity = capacity;
}

char *buf_reserve(struct buf *b, size_t len)
{
    if (len > b->cap_max || b->len > b->cap_max - len) {
        b->overflow = true;
        return NULL;
    }
    make_room(b, len);
    return b->mem + b->start + b->len;
}

void buf_commit(struct buf *b, size_t len)
{
    CHECK(b->mem && b->start + b->len + len <= b->capacity);
    b->len += len;
    b->mem[b->start + b->len] = '\0';
}

int buf_append(struct buf *b, const void *data, size_t len)
{
    char *place = buf_reserve(b, len);
    if (!place)
        return ERR_LIMIT;
    if (len > 0)
        memcpy(place, data, len);
    buf_commit(b, len);
    return 0;
}

int buf_append_str(struct buf *b, struct str s)
{
    return buf_append(b, s.ptr, s.len);
}

int buf_append_text(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

int buf_append_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

int buf_append_fmt(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int rc = buf_append_vfmt(b, fmt, args);
    va_end(args);
    return rc;
}

int buf_append_vfmt(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    CHECK(len >= 0);
    char *place = buf_reserve(b, (size_t)len);
    if (!place)
        return ERR_LIMIT;
    vsnprintf(place, (size_t)len + 1, fmt, args);
    buf_commit(b, (size_t)len);
    return 0;
}

char *buf_steal(struct buf *b)
{
    char *text = mem_strndup(buf_data(b), b->len);
    buf_fini(b);
    return text;
}
