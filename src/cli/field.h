/* Members of the JSON objects that commands show, and texts on their way into such. Pure. */
#ifndef HOLDFAST_CLI_FIELD_H
#define HOLDFAST_CLI_FIELD_H

#include <jansson.h>

#include "base/str.h"

/* A string; bytes that are no UTF-8, which JSON cannot carry, are said to be such. */
json_t *field_from_text(struct str s);
/* The member, valid as long as the object; none when it is not there, no text or "". */
const char *field_text(const json_t *object, const char *name, const char *none);
/* 0 when it is not there. */
long long field_number(const json_t *object, const char *name);

#endif
