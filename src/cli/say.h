/* What commands print of texts that others wrote: nothing of them reaches a terminal raw (base/printable.h).
 */
#ifndef HOLDFAST_CLI_SAY_H
#define HOLDFAST_CLI_SAY_H

#include <jansson.h>
#include <stdio.h>

#include "base/check.h"
#include "base/str.h"

/* A part of a line on out: the text, of at most SAY_MAX_BYTES, with all but printable ASCII escaped, line
 * ends too. */
#define SAY_MAX_BYTES (4 << 20) /* some records' members, which the store bounds */
void say(FILE *out, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same, and a line end. */
void say_line(FILE *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* A part of a line on out: name=value, as the log writes it, so that no value can be taken for more than it
 * is. */
void say_field(FILE *out, const char *name, struct str value);

/* One JSON value in ASCII, without a line end. flags: jansson's, for the looks. */
void say_json(FILE *out, const json_t *value, size_t flags);

#endif
