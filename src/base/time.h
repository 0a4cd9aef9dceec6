/* Two clocks that cannot be mixed: mono_time counts since boot, sleep included
 * (CLOCK_BOOTTIME), and judges intervals and leases; wall_time is for humans
 * and mail headers. Only the loop reads clocks; here is the arithmetic. */
#ifndef HOLDFAST_BASE_TIME_H
#define HOLDFAST_BASE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mono_time {
    int64_t ns;
};

struct wall_time {
    int64_t ms; /* since 1970-01-01T00:00:00Z */
};

#define MONO_NEVER ((struct mono_time){INT64_MAX})
#define NS_PER_MS  1000000LL

static inline int64_t mono_diff_ms(struct mono_time later, struct mono_time earlier)
{
    return (later.ns - earlier.ns) / NS_PER_MS;
}

static inline struct mono_time mono_add_ms(struct mono_time t, int64_t ms)
{
    return (struct mono_time){t.ns + ms * NS_PER_MS};
}

static inline bool mono_before(struct mono_time a, struct mono_time b)
{
    return a.ns < b.ns;
}

/* "2026-11-23T18:20:54.123Z"; out has room for WALL_TEXT_MAX bytes. */
#define WALL_TEXT_MAX 32
void wall_format_iso(struct wall_time t, char out[WALL_TEXT_MAX]);
/* RFC 5322 date-time in UTC: "Mon, 23 Nov 2026 18:20:54 +0000". */
#define WALL_MAIL_MAX 40
void wall_format_mail(struct wall_time t, char out[WALL_MAIL_MAX]);

/* "500ms", "15s", "2h": the largest unit that divides. */
void duration_format(int64_t ms, char *out, size_t size);

#endif
