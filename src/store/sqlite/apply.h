/* Inside the SQL engines: from the journal's records to the rows of SQLite, in
 * a writing transaction. How far the journal is applied is a row of the same
 * file, so a record is applied once, whoever does it: the owner from its memory,
 * an owner that recovers or a reader that finds records (their files are read).
 * Applying changes nothing about who may write. */
#ifndef HOLDFAST_STORE_SQLITE_APPLY_H
#define HOLDFAST_STORE_SQLITE_APPLY_H

#include "store/sqlite/journal.h"
#include "store/sqlite/tx.h"

/* The next record to be applied is here. */
struct position {
    uint32_t segment; /* 0: there is none */
    uint64_t at, sequence, salt;
};

struct position apply_position(struct sqlite_tx *tx);
/* Whether there is a record there: a glance, without the lock. */
bool apply_is_due(const char *path, const struct position *p);

/* What the owner has accepted; its position is then the journal's end. */
void apply_pending(struct sqlite_tx *tx, struct journal *j);
/* What the files hold, up to the first record that does not hold, or to the
 * place that the lock file names; makes it durable first. ERR_SYNC, ERR_IO, ... */
int apply_files(struct sqlite_tx *tx) MUST_USE;
/* The same by who is no owner, in a transaction of its own, under the lock: by a connection that may write.
 */
int apply_as_guest(struct sqlite_db *db, const char *path, struct lock *lock) MUST_USE;

/* For a new owner, or the same one after a failure, behind apply_files: begins a
 * segment, so that nothing behind the end of the others is read again. When there is
 * no room for one, the journal has none and stays closed. */
int apply_begin(struct sqlite_tx *tx, struct journal *j, int64_t epoch) MUST_USE;

#endif
