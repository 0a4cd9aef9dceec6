#include "wire/mime_date.h"

#include "base/err.h"
#include "wire/calendar.h"
#include "wire/mime_token.h"

static int take_number(struct str *rest, int *ret_number)
{
    uint64_t number;
    mime_skip_cfws(rest);
    if (str_to_u64(mime_take_token(rest), 9999, &number) != 0)
        return ERR_SYNTAX;
    *ret_number = (int)number;
    return 0;
}

/* RFC 5322 4.3: years of two and three digits. */
static int full_year(int year)
{
    if (year < 50)
        return year + 2000;
    return year < 1000 ? year + 1900 : year;
}

int mime_date_day(struct str value, int64_t *ret_days)
{
    struct calendar_date date;
    size_t comma = str_find(value, ',', 0);
    struct str rest = comma == SIZE_MAX ? value : str_sub(value, comma + 1, SIZE_MAX);
    if (take_number(&rest, &date.day))
        return ERR_SYNTAX;
    mime_skip_cfws(&rest);
    date.month = calendar_month_parse(mime_take_token(&rest));
    if (date.month < 0 || take_number(&rest, &date.year))
        return ERR_SYNTAX;
    date.year = full_year(date.year);
    if (!calendar_date_valid(date))
        return ERR_SYNTAX;
    *ret_days = calendar_days(date);
    return 0;
}
