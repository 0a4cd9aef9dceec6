/* LIST's patterns (RFC 3501 6.3.8): `*` is anything, `%` anything but '/'. Pure. */
#ifndef HOLDFAST_IMAP_PATTERN_H
#define HOLDFAST_IMAP_PATTERN_H

#include <stdbool.h>

#include "base/str.h"

/* In time proportional to both lengths multiplied, whatever the pattern. INBOX
 * matches in any case. */
bool imap_pattern_matches(struct str pattern, struct str name);

#endif
