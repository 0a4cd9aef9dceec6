#include "base/addr_block.h"

#include <string.h>

#include "base/err.h"

void addr_unmap(struct addr *a)
{
    struct addr four = {.u.in = {.sin_family = AF_INET}};
    if (a->u.sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
        return;
    memcpy(&four.u.in.sin_addr, a->u.in6.sin6_addr.s6_addr + 12, sizeof(four.u.in.sin_addr));
    four.u.in.sin_port = a->u.in6.sin6_port;
    *a = four;
}

static const uint8_t *bytes_of(const struct addr *a, unsigned *ret_bits)
{
    if (a->u.sa.sa_family == AF_INET6) {
        *ret_bits = 128;
        return a->u.in6.sin6_addr.s6_addr;
    }
    *ret_bits = 32;
    return (const uint8_t *)&a->u.in.sin_addr;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

static bool is_zero_behind(const struct addr_block *b)
{
    unsigned width;
    const uint8_t *bytes = bytes_of(&b->first, &width);
    for (unsigned bit = b->prefix_bits; bit < width; bit++)
        if (bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
}

int addr_block_parse(struct str text, struct addr_block *ret_block)
{
    struct addr_block b;
    size_t slash = str_find(text, '/', 0);
    unsigned width;
    uint64_t prefix_bits;
    if (addr_parse_ip(str_sub(text, 0, slash), 0, &b.first) < 0)
        return ERR_SYNTAX;
    addr_unmap(&b.first);
    bytes_of(&b.first, &width);
    prefix_bits = width;
    if (slash != SIZE_MAX && str_to_u64(str_sub(text, slash + 1, text.len), width, &prefix_bits) < 0)
        return ERR_SYNTAX;
    b.prefix_bits = (unsigned)prefix_bits;
    if (!is_zero_behind(&b))
        return ERR_INVALID;
    *ret_block = b;
    return 0;
}

bool addr_block_has(const struct addr_block *b, const struct addr *a)
{
    struct addr plain = *a;
    unsigned width;
    addr_unmap(&plain);
    if (plain.u.sa.sa_family != b->first.u.sa.sa_family)
        return false;
    return same_prefix(bytes_of(&b->first, &width), bytes_of(&plain, &width), b->prefix_bits);
}

bool addr_block_eq(const struct addr_block *a, const struct addr_block *b)
{
    return a->prefix_bits == b->prefix_bits && addr_ip_eq(&a->first, &b->first);
}

bool addr_blocks_have(const struct addr_blocks *blocks, const struct addr *a)
{
    for (size_t i = 0; i < blocks->count; i++)
        if (addr_block_has(&blocks->items[i], a))
            return true;
    return false;
}
