#include "cli/time_arg.h"

#include "base/err.h"
#include "config/units.h"
#include "wire/calendar.h"

#define DAY_MS 86400000LL

/* Exactly `digits` digits, then `end`. */
static bool take(struct str *rest, size_t digits, char end, int *ret_number)
{
    int n = 0;
    if (rest->len <= digits || rest->ptr[digits] != end)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!ascii_isdigit(rest->ptr[i]))
            return false;
        n = 10 * n + (rest->ptr[i] - '0');
    }
    *rest = str_sub(*rest, digits + 1, rest->len);
    *ret_number = n;
    return true;
}

static int parse_utc(struct str text, struct wall_time *ret_time)
{
    struct calendar_date d;
    int hour, minute, second, ms = 0;
    bool fits = take(&text, 4, '-', &d.year) && take(&text, 2, '-', &d.month) &&
                take(&text, 2, 'T', &d.day) && take(&text, 2, ':', &hour) && take(&text, 2, ':', &minute) &&
                (take(&text, 2, 'Z', &second) || (take(&text, 2, '.', &second) && take(&text, 3, 'Z', &ms)));
    if (!fits || text.len > 0 || !calendar_date_valid(d) || hour > 23 || minute > 59 || second > 59)
        return ERR_SYNTAX;
    ret_time->ms = calendar_days(d) * DAY_MS + ((hour * 60LL + minute) * 60 + second) * 1000 + ms;
    return 0;
}

int time_arg_parse(struct str text, struct wall_time now, struct wall_time *ret_time)
{
    int64_t ago_ms;
    if (units_parse_duration(text, &ago_ms) < 0)
        return parse_utc(text, ret_time);
    ret_time->ms = now.ms - ago_ms;
    return 0;
}
