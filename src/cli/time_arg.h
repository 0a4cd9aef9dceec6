/* A time on the command line: how long ago ("2h"), or a time of UTC ("2026-01-31T08:00:00Z" or
 * "2026-01-31T08:00:00.250Z", RFC 3339). Pure. */
#ifndef HOLDFAST_CLI_TIME_ARG_H
#define HOLDFAST_CLI_TIME_ARG_H

#include "base/check.h"
#include "base/str.h"
#include "base/time.h"

/* ERR_SYNTAX. */
int time_arg_parse(struct str text, struct wall_time now, struct wall_time *ret_time) MUST_USE;

#endif
