#include "wire/imap_utf7.h"

#include "base/err.h"
#include "base/utf8.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int digit_of(char c)
{
    struct str digits = {alphabet, 64};
    size_t at = str_find(digits, c, 0);
    return at == SIZE_MAX ? -1 : (int)at;
}

static bool is_direct(uint32_t point)
{
    return point >= 0x20 && point <= 0x7e;
}

/* ---- encoding ---- */

struct encoder {
    struct buf *out;
    uint32_t bits;
    unsigned bit_count;
    bool shifted;
};

static void put_unit(struct encoder *e, uint32_t unit)
{
    e->bits = e->bits << 16 | unit;
    e->bit_count += 16;
    while (e->bit_count >= 6) {
        e->bit_count -= 6;
        buf_append_char(e->out, alphabet[e->bits >> e->bit_count & 63]);
    }
    e->bits &= (1u << e->bit_count) - 1;
}

static void leave_shift(struct encoder *e)
{
    if (!e->shifted)
        return;
    if (e->bit_count > 0)
        buf_append_char(e->out, alphabet[e->bits << (6 - e->bit_count) & 63]);
    buf_append_char(e->out, '-');
    e->shifted = false;
    e->bits = 0;
    e->bit_count = 0;
}

static void put_direct(struct encoder *e, char c)
{
    leave_shift(e);
    buf_append_char(e->out, c);
    if (c == '&')
        buf_append_char(e->out, '-');
}

static void put_shifted(struct encoder *e, uint32_t point)
{
    if (!e->shifted)
        buf_append_char(e->out, '&');
    e->shifted = true;
    if (point >= 0x10000) {
        put_unit(e, 0xd800 + ((point - 0x10000) >> 10));
        put_unit(e, 0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
        put_unit(e, point);
    }
}

int imap_utf7_encode(struct str utf8, struct buf *out)
{
    struct encoder e = {.out = out};
    size_t pos = 0;
    uint32_t point;
    while (utf8_next(utf8, &pos, &point)) {
        if (is_direct(point))
            put_direct(&e, (char)point);
        else
            put_shifted(&e, point);
    }
    leave_shift(&e);
    if (pos < utf8.len)
        return ERR_SYNTAX;
    return out->overflow ? ERR_LIMIT : 0;
}

/* ---- decoding ---- */

static int put_point(struct buf *out, uint32_t point)
{
    char bytes[4];
    return buf_append(out, bytes, utf8_put(point, bytes));
}

/* One UTF-16 unit; *high holds the first half of a pair until the second. */
static int decode_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
    if (unit >= 0xdc00 && unit <= 0xdfff) {
        if (*high == 0)
            return ERR_SYNTAX;
        uint32_t point = 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00);
        *high = 0;
        return put_point(out, point);
    }
    if (*high != 0 || is_direct(unit))
        return ERR_SYNTAX;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        *high = unit;
        return 0;
    }
    return put_point(out, unit);
}

/* What is between '&' and '-'. */
static int decode_shifted(struct str digits, struct buf *out)
{
    uint32_t bits = 0, high = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = digit_of(digits.ptr[i]);
        if (digit < 0)
            return ERR_SYNTAX;
        bits = bits << 6 | (uint32_t)digit;
        bit_count += 6;
        if (bit_count < 16)
            continue;
        bit_count -= 16;
        int err = decode_unit(out, bits >> bit_count & 0xffff, &high);
        if (err)
            return err;
        bits &= (1u << bit_count) - 1;
    }
    return high != 0 || bits != 0 || bit_count >= 6 ? ERR_SYNTAX : 0;
}

int imap_utf7_decode(struct str utf7, struct buf *out)
{
    size_t pos = 0, last_shift_end = SIZE_MAX;
    while (pos < utf7.len) {
        char c = utf7.ptr[pos];
        if (!is_direct((unsigned char)c))
            return ERR_SYNTAX;
        if (c != '&') {
            buf_append_char(out, c);
            pos++;
            continue;
        }
        size_t end = str_find(utf7, '-', pos + 1);
        if (end == SIZE_MAX)
            return ERR_SYNTAX;
        if (end == pos + 1) {
            buf_append_char(out, '&');
        } else {
            int err = pos == last_shift_end ? ERR_SYNTAX /* two shifts in a row: the encoder makes one */
                                            : decode_shifted(str_sub(utf7, pos + 1, end - pos - 1), out);
            if (err)
                return err;
            last_shift_end = end + 1;
        }
        pos = end + 1;
    }
    return out->overflow ? ERR_LIMIT : 0;
}
