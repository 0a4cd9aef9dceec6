#include "wire/xtext.h"

#include "base/err.h"

static bool is_xchar(char c)
{
    return c >= '!' && c <= '~' && c != '+' && c != '=';
}

void xtext_encode(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_xchar(s.ptr[i]))
            buf_append_char(out, s.ptr[i]);
        else
            buf_append_fmt(out, "+%02X", (unsigned char)s.ptr[i]);
    }
}

/* Upper case only: so RFC 3461 has it, and one text has one form. */
static int hex_digit(char c)
{
    if (ascii_isdigit(c))
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int xtext_decode(struct buf *out, struct str xtext)
{
    for (size_t i = 0; i < xtext.len; i++) {
        char c = xtext.ptr[i];
        if (c == '+') {
            int high = xtext.len - i > 2 ? hex_digit(xtext.ptr[i + 1]) : -1;
            int low = xtext.len - i > 2 ? hex_digit(xtext.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return ERR_SYNTAX;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (!is_xchar(c)) {
            return ERR_SYNTAX;
        }
        if (buf_append_char(out, c) != 0)
            return ERR_SYNTAX;
    }
    return 0;
}
