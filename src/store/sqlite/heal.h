/* Inside the SQL engines: making a write-ahead log good again after a failed
 * write or sync.
 *
 * A failed sync leaves the kernel's pages marked clean though they may not be on
 * the disk: a later sync would succeed and prove nothing about them, and what
 * is written behind such a hole is lost with it. And the frames of the failed
 * transaction may be complete in the file: the next recovery would commit what
 * was answered with an error.
 *
 * So at once, still under the lock, the place where the log was good is noted
 * (lock_set_wound); and whoever has the lock next cuts the log there, writes what
 * is before again (which makes it dirty again), and syncs it. Only then has the
 * failed transaction surely not happened, and surely never will; only then does
 * anybody read or write the log. */
#ifndef HOLDFAST_STORE_SQLITE_HEAL_H
#define HOLDFAST_STORE_SQLITE_HEAL_H

#include <sqlite3.h>

#include "store/sqlite/lock.h"

/* After a transaction failed (it was rolled back), under the lock. */
int heal_note_wound(sqlite3 *handle, struct lock *l) MUST_USE;
/* Heals if that is due, under the lock, before a connection is opened. */
int heal_if_due(const char *path, struct lock *l, struct err_buf *eb) MUST_USE;

#endif
