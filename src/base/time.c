#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"

static struct tm to_utc(struct wall_time t, int *ret_ms)
{
    int64_t seconds = t.ms / 1000;
    int64_t ms = t.ms % 1000;
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    struct tm tm = {0};
    time_t time = (time_t)seconds;
    gmtime_r(&time, &tm);
    *ret_ms = (int)ms;
    return tm;
}

void wall_format_iso(struct wall_time t, char out[WALL_TEXT_MAX])
{
    int ms;
    struct tm tm = to_utc(t, &ms);
    char seconds[WALL_TEXT_MAX];
    size_t len = strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, WALL_TEXT_MAX, "%.*s.%03dZ", len > 24 ? 24 : (int)len, seconds, ms);
}

void wall_format_mail(struct wall_time t, char out[WALL_MAIL_MAX])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int ms;
    struct tm tm = to_utc(t, &ms);
    unsigned year = (unsigned)(tm.tm_year + 1900) % 10000U;
    snprintf(out, WALL_MAIL_MAX, "%s, %02u %s %04u %02u:%02u:%02u +0000", days[tm.tm_wday % 7],
             (unsigned)tm.tm_mday % 100U, months[tm.tm_mon % 12], year, (unsigned)tm.tm_hour % 100U,
             (unsigned)tm.tm_min % 100U, (unsigned)tm.tm_sec % 100U);
}

void duration_format(int64_t ms, char *out, size_t size)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(units) && (ms == 0 || ms % units[i].ms != 0))
        i++;
    snprintf(out, size, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
}
