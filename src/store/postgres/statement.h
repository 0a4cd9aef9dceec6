/* Inside the PostgreSQL engine: a statement's text as SQLite has it, in the
 * server's way of saying it. */
#ifndef HOLDFAST_STORE_POSTGRES_STATEMENT_H
#define HOLDFAST_STORE_POSTGRES_STATEMENT_H

#include "base/buf.h"

/* `?` and `?3` become `$1`, `$2`, ... and `$3`; instr( becomes strpos(. */
void statement_translate(const char *text, struct buf *out);

#endif
