#include "base/err.h"
#include "wire/calendar.h"
#include "wire/imap_parse.h"

static int parse_digits(struct imap_cursor *c, size_t len, int *ret_number)
{
    uint64_t number;
    struct str digits = str_sub(c->rest, 0, len);
    if (digits.len != len || str_to_u64(digits, 9999, &number) != 0)
        return ERR_SYNTAX;
    c->rest = str_sub(c->rest, len, SIZE_MAX);
    *ret_number = (int)number;
    return 0;
}

/* `-Mon-yyyy` after the day. */
static int parse_month_year(struct imap_cursor *c, struct calendar_date *date)
{
    if (imap_expect_char(c, '-') != 0)
        return ERR_SYNTAX;
    date->month = calendar_month_parse(str_sub(c->rest, 0, 3));
    if (date->month < 0)
        return ERR_SYNTAX;
    c->rest = str_sub(c->rest, 3, SIZE_MAX);
    if (imap_expect_char(c, '-') != 0 || parse_digits(c, 4, &date->year) != 0)
        return ERR_SYNTAX;
    return calendar_date_valid(*date) ? 0 : ERR_SYNTAX;
}

static int parse_clock(struct imap_cursor *c, int64_t *ret_seconds)
{
    int hour, minute, second;
    if (parse_digits(c, 2, &hour) || imap_expect_char(c, ':') || parse_digits(c, 2, &minute) ||
        imap_expect_char(c, ':') || parse_digits(c, 2, &second))
        return ERR_SYNTAX;
    if (hour > 23 || minute > 59 || second > 60)
        return ERR_SYNTAX;
    *ret_seconds = hour * 3600 + minute * 60 + second;
    return 0;
}

static int parse_zone(struct imap_cursor *c, int64_t *ret_seconds)
{
    bool west = imap_skip_char(c, '-');
    int hours, minutes;
    if ((!west && imap_expect_char(c, '+')) || parse_digits(c, 2, &hours) || parse_digits(c, 2, &minutes))
        return ERR_SYNTAX;
    int64_t seconds = hours * 3600 + minutes * 60;
    *ret_seconds = west ? -seconds : seconds;
    return 0;
}

int imap_parse_date_time(struct imap_cursor *c, struct wall_time *ret_time)
{
    struct calendar_date date;
    int64_t clock_s, zone_s;
    if (imap_expect_char(c, '"') != 0)
        return ERR_SYNTAX;
    size_t day_digits = imap_skip_char(c, ' ') ? 1 : 2; /* date-day-fixed */
    if (parse_digits(c, day_digits, &date.day) || parse_month_year(c, &date) || imap_expect_char(c, ' ') ||
        parse_clock(c, &clock_s) || imap_expect_char(c, ' ') || parse_zone(c, &zone_s) ||
        imap_expect_char(c, '"'))
        return ERR_SYNTAX;
    ret_time->ms = (calendar_days(date) * 86400 + clock_s - zone_s) * 1000;
    return 0;
}

int imap_parse_date(struct imap_cursor *c, int64_t *ret_days)
{
    struct calendar_date date;
    bool quoted = imap_skip_char(c, '"');
    size_t day_digits = c->rest.len > 1 && ascii_isdigit(c->rest.ptr[1]) ? 2 : 1;
    if (parse_digits(c, day_digits, &date.day) || parse_month_year(c, &date) ||
        (quoted && imap_expect_char(c, '"')))
        return ERR_SYNTAX;
    *ret_days = calendar_days(date);
    return 0;
}
