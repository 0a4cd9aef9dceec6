/* The custody id: our unguessable id of a message, given at acceptance and kept
 * on every hop of ours. 128 random bits; as text 26 characters of Crockford's
 * base32, lower case. */
#ifndef HOLDFAST_BASE_CUSTODY_ID_H
#define HOLDFAST_BASE_CUSTODY_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define CUSTODY_ID_BYTES    16
#define CUSTODY_ID_TEXT_MAX 27 /* with NUL */

struct custody_id {
    uint8_t bytes[CUSTODY_ID_BYTES];
};

void custody_id_format(const struct custody_id *id, char out[CUSTODY_ID_TEXT_MAX]);
int custody_id_parse(struct str text, struct custody_id *ret_id) MUST_USE; /* ERR_SYNTAX */
bool custody_id_eq(const struct custody_id *a, const struct custody_id *b);

#endif
