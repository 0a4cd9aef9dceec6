/* The day of a Date field (RFC 5322 3.3), as it is written there, without
 * regard to its zone (RFC 3501 6.4.4, SENTBEFORE). Pure. */
#ifndef HOLDFAST_WIRE_MIME_DATE_H
#define HOLDFAST_WIRE_MIME_DATE_H

#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

int mime_date_day(struct str value, int64_t *ret_days) MUST_USE; /* since 1970-01-01; ERR_SYNTAX */

#endif
