#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

void *mem_alloc(size_t size)
{
    void *ptr = malloc(size ? size : 1);
    CHECK(ptr != NULL);
    return ptr;
}

void *mem_zalloc(size_t size)
{
    return mem_calloc(1, size);
}

void *mem_calloc(size_t count, size_t size)
{
    void *ptr = calloc(count ? count : 1, size ? size : 1);
    CHECK(ptr != NULL);
    return ptr;
}

void *mem_realloc(void *ptr, size_t size)
{
    ptr = realloc(ptr, size ? size : 1);
    CHECK(ptr != NULL);
    return ptr;
}

void *mem_reallocarray(void *ptr, size_t count, size_t size)
{
    size_t bytes;
    CHECK(!__builtin_mul_overflow(count, size, &bytes));
    return mem_realloc(ptr, bytes);
}

void *mem_grow(void *ptr, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return ptr;
    return mem_reallocarray(ptr, count ? 2 * count : 1, size);
}

char *mem_strdup(const char *text)
{
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *ptr, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (len > 0)
        memcpy(copy, ptr, len);
    copy[len] = '\0';
    return copy;
}

char *mem_asprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    CHECK(len >= 0);
    return text;
}
