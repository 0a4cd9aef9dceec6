/* How often something may happen: so many in a time, all of them at once at the most, then one by one as time
 * gives them back (a token bucket, kept as the time at which it is full again). Pure. For limits on what
 * comes from outside, and for the configuration that sets them. */
#ifndef HOLDFAST_BASE_RATE_H
#define HOLDFAST_BASE_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define RATE_COUNT_MAX  1000000000LL /* one each 1 ns of a second: products stay far below int64_t */
#define RATE_PER_MIN_MS 1000LL
#define RATE_PER_MAX_MS (24 * 3600 * 1000LL)

struct rate {
    int64_t count;  /* 0: no limit; at most RATE_COUNT_MAX */
    int64_t per_ms; /* RATE_PER_MIN_MS to RATE_PER_MAX_MS, when count is not 0 */
};

/* All zero: full. It has no rate of its own: another one holds from the next look on. */
struct rate_bucket {
    struct mono_time full_at;
};

/* 0: there is one to take; else how long until there is, rounded up. */
int64_t rate_wait_ms(const struct rate *r, const struct rate_bucket *b, struct mono_time now);
/* Takes one. There is one. */
void rate_take(const struct rate *r, struct rate_bucket *b, struct mono_time now);

/* "600/1h", or "none". */
#define RATE_TEXT_MAX 48
void rate_format(const struct rate *r, char out[RATE_TEXT_MAX]);

#endif
