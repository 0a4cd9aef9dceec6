#include "base/rate.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t per_ns(const struct rate *r)
{
    return r->per_ms * NS_PER_MS;
}

/* What is missing, in the time that gives it back: no more than the whole, whatever the rate was before. */
static int64_t missing_ns(const struct rate *r, const struct rate_bucket *b, struct mono_time now)
{
    int64_t ns = b->full_at.ns - now.ns;
    return ns < 0 ? 0 : ns > per_ns(r) ? per_ns(r) : ns;
}

int64_t rate_wait_ms(const struct rate *r, const struct rate_bucket *b, struct mono_time now)
{
    if (r->count == 0)
        return 0;
    int64_t over_ns = missing_ns(r, b, now) + per_ns(r) / r->count - per_ns(r);
    return over_ns > 0 ? (over_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
}

void rate_take(const struct rate *r, struct rate_bucket *b, struct mono_time now)
{
    if (r->count > 0)
        b->full_at.ns = now.ns + missing_ns(r, b, now) + per_ns(r) / r->count;
}

void rate_format(const struct rate *r, char out[RATE_TEXT_MAX])
{
    char per[24];
    duration_format(r->per_ms, per, sizeof(per));
    if (r->count == 0)
        snprintf(out, RATE_TEXT_MAX, "none");
    else
        snprintf(out, RATE_TEXT_MAX, "%" PRId64 "/%s", r->count, per);
}
