/* Inside the SQL engines: when a file's write-ahead log is copied into the file. Used by its committer,
 * under the file's lock. Nothing here survives a crash: SQLite recovers a log that was not copied. */
#ifndef HOLDFAST_STORE_SQLITE_WAL_H
#define HOLDFAST_STORE_SQLITE_WAL_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/err.h"

struct wal {
    int frames;        /* in the log after our last commit */
    int checkpoint_at; /* frames */
};

/* Watches the commits of a connection that has just been opened; w must outlive it. */
void wal_init(struct wal *w, sqlite3 *handle);
/* There is no room: at the next commit the log is copied, so that it need not grow on. */
void wal_hurry(struct wal *w);
/* After a commit: copies it when it is due. SQLITE_OK, or what says that writing or syncing failed. */
int wal_checkpoint(struct wal *w, sqlite3 *handle) MUST_USE;

#endif
