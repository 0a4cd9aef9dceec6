#include "wire/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(struct buf *out, struct str data)
{
    size_t len = (data.len + 2) / 3 * 4;
    char *p = buf_reserve(out, len);
    if (!p)
        return ERR_LIMIT;
    for (size_t at = 0; at < data.len; at += 3) {
        size_t have = data.len - at < 3 ? data.len - at : 3;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < have ? (uint8_t)data.ptr[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            *p++ = i <= have ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
    }
    buf_commit(out, len);
    return 0;
}

static int value_of(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Four characters, `have` of them no padding, to have - 1 bytes. */
static int decode_group(const char *text, size_t have, uint8_t *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < have ? value_of(text[i]) : 0;
        if (value < 0)
            return ERR_SYNTAX;
        bits = bits << 6 | (uint32_t)value;
    }
    if (have < 4 && (bits & (have == 3 ? 0xff : 0xffff)) != 0)
        return ERR_SYNTAX; /* only one text is right for given bytes */
    for (size_t i = 0; i + 1 < have; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    return 0;
}

int base64_decode(struct buf *out, struct str text)
{
    size_t padding = 0;
    if (text.len % 4 != 0)
        return ERR_SYNTAX;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    size_t len = text.len / 4 * 3 - padding;
    uint8_t *place = (uint8_t *)buf_reserve(out, len);
    if (!place)
        return ERR_LIMIT;
    for (size_t at = 0; at < text.len; at += 4) {
        size_t have = at + 4 == text.len ? 4 - padding : 4;
        if (decode_group(text.ptr + at, have, place + at / 4 * 3) != 0)
            return ERR_SYNTAX;
    }
    buf_commit(out, len);
    return 0;
}
