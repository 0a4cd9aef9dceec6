#include "wire/utf8_addr.h"

#include "base/err.h"
#include "base/utf8.h"
#include "wire/xtext.h"

#define HEX_MAX 6 /* digits of a code point */

static int hex_digit(char c)
{
    if (ascii_isdigit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\x{E4}" at s[*at]. */
static int take_embedded(struct str s, size_t *at, uint32_t *ret_point)
{
    uint32_t point = 0;
    size_t i = *at + 3, digits = 0;
    if (!str_istarts(str_sub(s, *at, s.len), STR("\\x{")))
        return ERR_SYNTAX;
    for (; i < s.len && digits <= HEX_MAX && hex_digit(s.ptr[i]) >= 0; i++, digits++)
        point = point << 4 | (uint32_t)hex_digit(s.ptr[i]);
    if (digits == 0 || digits > HEX_MAX || i == s.len || s.ptr[i] != '}' || point > 0x10ffff ||
        (point >= 0xd800 && point <= 0xdfff))
        return ERR_SYNTAX;
    *at = i + 1;
    *ret_point = point;
    return 0;
}

/* "+2B" there. */
static int take_xtext(struct str s, size_t *at, uint32_t *ret_point)
{
    struct buf byte;
    buf_init(&byte, 2);
    int err = xtext_decode(&byte, str_sub(s, *at, 3));
    if (err == 0)
        *ret_point = (unsigned char)buf_data(&byte)[0];
    buf_fini(&byte);
    if (err == 0 && *ret_point > 127) /* a byte of what: nobody knows */
        err = ERR_SYNTAX;
    *at += 3;
    return err;
}

static int take_point(struct str s, size_t *at, uint32_t *ret_point)
{
    if (s.ptr[*at] == '\\')
        return take_embedded(s, at, ret_point);
    if (s.ptr[*at] == '+')
        return take_xtext(s, at, ret_point);
    return utf8_next(s, at, ret_point) && *ret_point != ' ' ? 0 : ERR_SYNTAX;
}

int utf8_addr_decode(struct buf *out, struct str s)
{
    for (size_t at = 0; at < s.len;) {
        uint32_t point;
        char bytes[4];
        if (take_point(s, &at, &point) != 0 || utf8_is_control(point))
            return ERR_SYNTAX;
        if (buf_append(out, bytes, utf8_put(point, bytes)) != 0)
            return ERR_SYNTAX;
    }
    return 0;
}

static bool is_plain(uint32_t point)
{
    return point > ' ' && point < 127 && point != '\\' && point != '+' && point != '=';
}

int utf8_addr_encode(struct buf *out, struct str address)
{
    for (size_t at = 0; at < address.len;) {
        uint32_t point = '?';
        if (!utf8_next(address, &at, &point))
            at++;
        int err = is_plain(point) ? buf_append_char(out, (char)point)
                                  : buf_append_fmt(out, "\\x{%02X}", (unsigned)point);
        if (err != 0)
            return ERR_LIMIT;
    }
    return 0;
}
