/* Inside the SQL engines: the lock of one database file, across processes and
 * connections, in a file beside it (NAME.db-lock). Under it are all writing
 * transactions, checkpoints and openings (SQLite 3.40 has a race between a
 * writer that starts the write-ahead log anew and a checkpoint), and all writes
 * to a queue's journal.
 *
 * The lock file also says whether the write-ahead log must be healed before
 * anybody writes behind it (heal.h), where the journal must be cut
 * (journal.h), and how often the owner changed. What it says holds for this boot
 * of the machine only: after another one the disk itself shows how far they are
 * good. */
#ifndef HOLDFAST_STORE_SQLITE_LOCK_H
#define HOLDFAST_STORE_SQLITE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"

#define LOCK_BOOT_ID_BYTES 36 /* a UUID as text */

/* What the file holds; all zero: nothing to heal. */
struct lock_note {
    char boot_id[LOCK_BOOT_ID_BYTES]; /* of what follows, but for owners */
    uint32_t wounded;
    int64_t log_cut_at;
    uint32_t journal_cut, unused;
    uint64_t cut_salt, cut_at;
    uint64_t owners;
};

struct lock {
    int fd; /* -1 when not open */
    char boot_id[LOCK_BOOT_ID_BYTES];
    struct lock_note note; /* as it was when the lock was taken */
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

/* While the lock is held: what the journal has from here on, a place in the
 * segment with this salt, does not count. */
int lock_set_cut(struct lock *l, uint64_t salt, uint64_t at) MUST_USE;
bool lock_cut(const struct lock *l, uint64_t *ret_salt, uint64_t *ret_at);
void lock_clear_cut(struct lock *l);

/* While the lock is held: a number that is another one after each change of the owner. */
uint64_t lock_owners(const struct lock *l);
int lock_note_owner(struct lock *l) MUST_USE; /* before the change */

/* Segments are not given back while somebody copies them. */
int lock_pin(struct lock *l) MUST_USE; /* waits; until lock_close */
bool lock_space(struct lock *l);       /* false: somebody copies */
void lock_space_done(struct lock *l);

/* This boot of the machine. */
int lock_read_boot_id(char out[LOCK_BOOT_ID_BYTES]) MUST_USE;

#endif
