/* Inside the PostgreSQL engine: what the server takes as a text (utf8_is_text). Pure. */
#ifndef HOLDFAST_STORE_POSTGRES_TEXT_H
#define HOLDFAST_STORE_POSTGRES_TEXT_H

#include "base/str.h"

/* Each byte that is no UTF-8, and each NUL, becomes a `?`. For free(); as long as s. */
char *text_made_fit(struct str s);

#endif
