/* Days and dates of the proleptic Gregorian calendar, and the month names of
 * mail. Pure arithmetic, no clock, no time zone data. */
#ifndef HOLDFAST_WIRE_CALENDAR_H
#define HOLDFAST_WIRE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct calendar_date {
    int year, month, day; /* month and day from 1 */
};

extern const char *const calendar_months[12]; /* "Jan" */

bool calendar_date_valid(struct calendar_date d); /* years 1 to 9999 */
int64_t calendar_days(struct calendar_date d);    /* since 1970-01-01 */
struct calendar_date calendar_date_of(int64_t days);
int calendar_month_parse(struct str name) MUST_USE; /* 1..12, or ERR_SYNTAX */

#endif
