#include "base/str.h"

#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct str str_from(const char *text)
{
    return (struct str){text ? text : "", text ? strlen(text) : 0};
}

struct str str_sub(struct str s, size_t start, size_t len)
{
    if (start > s.len)
        start = s.len;
    if (len > s.len - start)
        len = s.len - start;
    return (struct str){s.ptr ? s.ptr + start : NULL, len};
}

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_ieq(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_sub(s, 0, prefix.len), prefix);
}

bool str_istarts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_ieq(str_sub(s, 0, prefix.len), prefix);
}

bool str_is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] > 127)
            return false;
    return true;
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_eq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool str_iends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_ieq(str_sub(s, s.len - suffix.len, suffix.len), suffix);
}

bool str_ihas(struct str s, struct str part)
{
    for (size_t i = 0; part.len <= s.len && i <= s.len - part.len; i++)
        if (str_ieq(str_sub(s, i, part.len), part))
            return true;
    return false;
}

size_t str_find(struct str s, char c, size_t start)
{
    if (start >= s.len)
        return SIZE_MAX;
    const char *at = memchr(s.ptr + start, c, s.len - start);
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = str_sub(s, 1, s.len - 1);
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *ret_head)
{
    if (!rest->ptr)
        return false;
    size_t at = str_find(*rest, sep, 0);
    if (at == SIZE_MAX) {
        *ret_head = *rest;
        *rest = (struct str){NULL, 0};
    } else {
        *ret_head = str_sub(*rest, 0, at);
        *rest = str_sub(*rest, at + 1, rest->len);
    }
    return true;
}

int str_to_u64(struct str s, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0)
        return ERR_SYNTAX;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_isdigit(s.ptr[i]))
            return ERR_SYNTAX;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return ERR_LIMIT;
    }
    if (value > max)
        return ERR_LIMIT;
    *ret_value = value;
    return 0;
}

char *str_dup(struct str s)
{
    return mem_strndup(s.ptr, s.len);
}

char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool ascii_isdigit(char c)
{
    return c >= '0' && c <= '9';
}

bool ascii_isalpha(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

bool ascii_isalnum(char c)
{
    return ascii_isdigit(c) || ascii_isalpha(c);
}

bool ascii_isprint(char c)
{
    return c >= 0x20 && c <= 0x7e;
}

void ascii_lower_inplace(char *ptr, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ptr[i] = ascii_lower(ptr[i]);
}
