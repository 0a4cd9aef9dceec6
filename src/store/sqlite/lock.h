/* Inside the SQLite engine: the lock of one database file, across processes and
 * connections, in a file beside it (NAME.db-lock). Under it are all writing
 * transactions, checkpoints and openings: SQLite 3.40 has a race between a
 * writer that starts the write-ahead log anew and a checkpoint.
 *
 * The lock file also says whether the log must be healed before anybody writes
 * behind it (heal.h). What it says holds for this boot of the machine only:
 * after another one the disk itself shows how far the log is good. */
#ifndef HOLDFAST_STORE_SQLITE_LOCK_H
#define HOLDFAST_STORE_SQLITE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"

#define LOCK_BOOT_ID_BYTES 36 /* a UUID as text */

struct lock {
    int fd; /* -1 when not open */
    char boot_id[LOCK_BOOT_ID_BYTES];
};

/* path is the database's. */
int lock_open(struct lock *l, const char *path, struct err_buf *eb) MUST_USE;
void lock_close(struct lock *l);

/* Waits; released by lock_release, or when the process ends. */
int lock_take(struct lock *l) MUST_USE;
void lock_release(struct lock *l);

/* While the lock is held: the log is good up to cut_at bytes, and what is there
 * may not be on the disk. Kept until lock_clear_wound, by whichever process. */
int lock_set_wound(struct lock *l, int64_t cut_at) MUST_USE;
bool lock_wound(struct lock *l, int64_t *ret_cut_at);
void lock_clear_wound(struct lock *l);

/* This boot of the machine. */
int lock_read_boot_id(char out[LOCK_BOOT_ID_BYTES]) MUST_USE;

#endif
