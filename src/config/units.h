/* The plain values of a configuration: durations, sizes, names. Pure. */
#ifndef HOLDFAST_CONFIG_UNITS_H
#define HOLDFAST_CONFIG_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rate.h"
#include "base/str.h"

/* "500ms", "15s", "5m", "4h", "5d"; ERR_SYNTAX, ERR_LIMIT beyond int64_t. */
int units_parse_duration(struct str text, int64_t *ret_ms) MUST_USE;
/* "600/1h": a count of 1 to RATE_COUNT_MAX, and a duration of a second to a day; "none". ERR_SYNTAX;
 * ERR_LIMIT out of these ranges. */
int units_parse_rate(struct str text, struct rate *ret_rate) MUST_USE;
/* "64KiB", "50MiB", "1GiB", "512B". */
int units_parse_size(struct str text, int64_t *ret_bytes) MUST_USE;
/* With the largest unit that divides. */
void units_format_size(int64_t bytes, char *out, size_t size);

/* RFC 1123 2.1: letters, digits and inner hyphens, 63 per label, 253 in all;
 * no final dot; the last label is not a number (that would be an address). */
bool units_is_hostname(struct str text);
/* Letters, digits, "-", "_", ".", not first a dot or hyphen, 1 to 63 bytes. */
bool units_is_name(struct str text);
/* As useradd takes it: lower case letter or _, then also digits and -; 32 bytes. */
bool units_is_user(struct str text);

#endif
