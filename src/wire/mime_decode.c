#include "wire/mime_decode.h"

#include <string.h>

void mime_decoder_init(struct mime_decoder *d, struct str name)
{
    *d = (struct mime_decoder){.encoding = MIME_IDENTITY};
    if (str_ieq(name, STR("base64")))
        d->encoding = MIME_BASE64;
    else if (str_ieq(name, STR("quoted-printable")))
        d->encoding = MIME_QUOTED_PRINTABLE;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void base64_char(struct mime_decoder *d, char c, struct buf *out)
{
    int digit = base64_digit(c);
    if (c == '=')
        d->bit_count = 0;
    if (digit < 0)
        return;
    d->bits = (d->bits << 6 | (uint32_t)digit) & 0xffff;
    d->bit_count += 6;
    if (d->bit_count < 8)
        return;
    d->bit_count -= 8;
    buf_append_char(out, (char)(d->bits >> d->bit_count & 0xff));
}

static int hex_digit(char c)
{
    if (ascii_isdigit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void release(struct mime_decoder *d, struct buf *out)
{
    buf_append(out, d->held, d->held_len);
    d->held_len = 0;
}

static void quoted_char(struct mime_decoder *d, char c, struct buf *out)
{
    if (d->held_len == 0 && c != '=') {
        buf_append_char(out, c);
        return;
    }
    if (d->held_len < 2 && (d->held_len == 0 || hex_digit(c) >= 0 || c == '\r')) {
        d->held[d->held_len++] = c;
        return;
    }
    if (c == '\n' && (d->held_len == 1 || d->held[1] == '\r')) { /* a soft line break */
        d->held_len = 0;
    } else if (d->held_len == 2 && hex_digit(d->held[1]) >= 0 && hex_digit(c) >= 0) {
        buf_append_char(out, (char)(hex_digit(d->held[1]) << 4 | hex_digit(c)));
        d->held_len = 0;
    } else {
        release(d, out);
        quoted_char(d, c, out);
    }
}

void mime_decoder_feed(struct mime_decoder *d, struct str data, struct buf *out)
{
    if (d->encoding == MIME_IDENTITY) {
        buf_append_str(out, data);
        return;
    }
    for (size_t i = 0; i < data.len; i++) {
        if (d->encoding == MIME_BASE64)
            base64_char(d, data.ptr[i], out);
        else
            quoted_char(d, data.ptr[i], out);
    }
}
