#include "base/custody_id.h"

#include <string.h>

#include "base/err.h"

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* Crockford: no i, l, o, u */

void custody_id_format(const struct custody_id *id, char out[CUSTODY_ID_TEXT_MAX])
{
    unsigned bits = 0;
    int bit_count = 0;
    char *p = out;
    for (int i = 0; i < CUSTODY_ID_BYTES; i++) {
        bits = (bits << 8) | id->bytes[i];
        bit_count += 8;
        while (bit_count >= 5) {
            bit_count -= 5;
            *p++ = alphabet[(bits >> bit_count) & 31];
        }
        bits &= (1U << bit_count) - 1;
    }
    *p++ = alphabet[(bits << (5 - bit_count)) & 31]; /* 128 = 25 * 5 + 3 */
    *p = '\0';
}

int custody_id_parse(struct str text, struct custody_id *ret_id)
{
    struct custody_id id;
    unsigned bits = 0;
    int bit_count = 0;
    size_t out = 0;
    if (text.len != CUSTODY_ID_TEXT_MAX - 1)
        return ERR_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(alphabet, ascii_lower(text.ptr[i])) : NULL;
        if (!at)
            return ERR_SYNTAX;
        bits = (bits << 5) | (unsigned)(at - alphabet);
        bit_count += 5;
        if (bit_count >= 8 && out < CUSTODY_ID_BYTES) {
            bit_count -= 8;
            id.bytes[out++] = (uint8_t)(bits >> bit_count);
            bits &= (1U << bit_count) - 1;
        }
    }
    if (bits != 0)
        return ERR_SYNTAX; /* only one text names an id */
    *ret_id = id;
    return 0;
}

bool custody_id_eq(const struct custody_id *a, const struct custody_id *b)
{
    return memcmp(a->bytes, b->bytes, CUSTODY_ID_BYTES) == 0;
}
