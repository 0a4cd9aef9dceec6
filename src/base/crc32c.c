#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

#define CRC32C_POLY 0x82f63b78U /* reflected Castagnoli polynomial */

static uint32_t table[8][256];

__attribute__((constructor)) static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? CRC32C_POLY : 0);
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xff];
}

static uint32_t update_table(uint32_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc; /* little-endian machines only; see the #error below */
        crc = table[7][word & 0xff] ^ table[6][(word >> 8) & 0xff] ^ table[5][(word >> 16) & 0xff] ^
              table[4][(word >> 24) & 0xff] ^ table[3][(word >> 32) & 0xff] ^ table[2][(word >> 40) & 0xff] ^
              table[1][(word >> 48) & 0xff] ^ table[0][word >> 56];
    }
    while (len-- > 0)
        crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xff];
    return crc;
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "crc32c.c assumes a little-endian machine"
#endif

#ifdef __x86_64__
/* The instruction is of exactly this polynomial. */
__attribute__((target("sse4.2"))) static uint32_t update_instruction(uint32_t crc, const uint8_t *p,
                                                                     size_t len)
{
    uint64_t wide = crc;
    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (len-- > 0)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}

static bool has_instruction;

__attribute__((constructor)) static void look_for_instruction(void)
{
    __builtin_cpu_init();
    has_instruction = __builtin_cpu_supports("sse4.2");
}
#else
#define has_instruction    false
#define update_instruction update_table
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    return ~(has_instruction ? update_instruction(~crc, data, len) : update_table(~crc, data, len));
}

uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len)
{
    return ~update_table(~crc, data, len);
}
