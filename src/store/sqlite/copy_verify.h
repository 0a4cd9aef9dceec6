/* Inside the SQL engines: whether a copy has every body whole. SQLite's own check says that the tables
 * hold together; this reads what they point to, in the copy, and compares it with its checksums. What a queue
 * accepted last and has no rows for is not looked at: its records carry checksums of their own, which whoever
 * makes the rows compares. */
#ifndef HOLDFAST_STORE_SQLITE_COPY_VERIFY_H
#define HOLDFAST_STORE_SQLITE_COPY_VERIFY_H

#include <sqlite3.h>

#include "store/copy.h"

/* path: the copy's database, which nobody uses yet; its segments lie beside it. Adds to ret_pieces what was
 * read. ERR_CORRUPT: a piece is missing, damaged, or too short for its message. ERR_CANCELLED, ... */
int copy_verify(const char *path, const char *name,
                bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
                uint64_t *ret_pieces, struct err_buf *eb) MUST_USE;
/* Of a database that is open, of this program's version: whether no message lacks a part of its body. Reads
 * no body. ERR_CORRUPT. */
int copy_verify_whole(sqlite3 *db, const char *path, bool queue, struct err_buf *eb) MUST_USE;

#endif
