/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of stored chunks. */
#ifndef HOLDFAST_BASE_CRC32C_H
#define HOLDFAST_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues crc (0 to start) over data. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);
/* The same on any processor; crc32c takes it where there is no instruction. */
uint32_t crc32c_by_table(uint32_t crc, const void *data, size_t len);

#endif
