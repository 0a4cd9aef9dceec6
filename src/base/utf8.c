#include "base/utf8.h"

#include <string.h>

size_t utf8_sequence_len(char first)
{
    unsigned char lead = (unsigned char)first;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

bool utf8_next(struct str s, size_t *pos, uint32_t *ret_point)
{
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (*pos >= s.len)
        return false;
    const unsigned char *bytes = (const unsigned char *)s.ptr + *pos;
    size_t len = utf8_sequence_len(s.ptr[*pos]);
    if (len == 0 || len > s.len - *pos)
        return false;
    uint32_t point = bytes[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return false;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    if (point < least[len] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return false;
    *pos += len;
    *ret_point = point;
    return true;
}

bool utf8_valid(struct str s)
{
    size_t pos = 0;
    uint32_t point;
    while (utf8_next(s, &pos, &point))
        ;
    return pos == s.len;
}

bool utf8_is_text(struct str s)
{
    return utf8_valid(s) && (s.len == 0 || !memchr(s.ptr, '\0', s.len));
}

size_t utf8_put(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char)(lead[len] | point);
    return len;
}

bool utf8_is_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

uint32_t utf8_fold(uint32_t point)
{
    if (point >= 'A' && point <= 'Z')
        return point + 32;
    if (point >= 0xc0 && point <= 0xde && point != 0xd7)
        return point + 32;
    if (point >= 0x391 && point <= 0x3a9)
        return point + 32;
    if (point >= 0x410 && point <= 0x42f)
        return point + 32;
    if (point >= 0x400 && point <= 0x40f)
        return point + 80;
    return point;
}
