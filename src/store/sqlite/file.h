/* Inside the SQL engines: one database file as one process uses it. The loop's
 * thread submits operations; the committer writes them, everything pending in
 * one transaction; the reader reads beside it with a connection of its own, so
 * that no read waits behind a sync. Both hand operations back to the loop. */
#ifndef HOLDFAST_STORE_SQLITE_FILE_H
#define HOLDFAST_STORE_SQLITE_FILE_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/sql/work.h"
#include "store/sqlite/journal.h"
#include "store/sqlite/tx.h"
#include "store/sqlite/wal.h"

struct committer {
    pthread_t thread;
    struct sqlite_db db;
    struct lock lock;
    struct sqlite_tx tx;
    bool lazy_sync; /* how the connection is set */
    struct wal wal;
    int failed_rc;             /* of the last transaction that was refused */
    struct mono_time retry_at; /* when sick: the next try to open again */
    int64_t retry_delay_ms;
    struct mono_time full_until; /* while full: nobody begins a body */
    struct journal journal;      /* a queue's */
    uint64_t owners_seen;        /* lock_owners when the epoch was ours */
};

struct reader {
    pthread_t thread;
    struct sqlite_db db;
    struct lock lock;
    struct sqlite_tx tx;
    int64_t data_version; /* what it saw last, for the watch */
};

struct sqlite_file {
    struct port port;
    struct list node; /* in its engine_store's files, or closing ones */
    enum part_kind part;
    enum port_mode mode;
    bool look; /* the store was opened read-only */
    char *path;
    const struct sqlite_schema *schema;
    struct work work;

    atomic_int sick;    /* ERR_SYNC: until it was reopened and recovered */
    atomic_bool fenced; /* a newer owner or instance has taken over; or none began yet */
    atomic_bool full;

    /* A queue's: the journal's next record, and the first that is not in SQLite. */
    atomic_ullong accepted, applied;
    atomic_llong applied_message; /* messages from this number on are not in SQLite */

    atomic_bool reader_must_reopen;
    uint64_t apply_rounds; /* tries to make rows of what was accepted; under work.mutex */

    struct committer c;
    struct reader r;
};

/* Opens the file (the network's and the mail's at once, a queue's owner by its
 * thread) and starts the threads. name: of a queue. */
int file_open(struct store *s, struct loop *l, const char *dir, enum part_kind part, struct str name,
              enum port_mode mode, bool look, struct sqlite_file **ret_file, struct err_buf *eb) MUST_USE;
/* After port_close: waits for its threads, or, unless `wait`, says false when
 * they have not ended; then frees it. */
bool file_reap(struct sqlite_file *f, bool wait);

/* ---- for the threads ---- */

/* Takes the lock, before anything is written, and heals the log when that is due; not taken on an error. */
int file_lock(const struct sqlite_file *f, struct lock *lock, struct err_buf *eb) MUST_USE;
/* Opens a connection under the file's lock, heals the log first when that is due. */
int file_connect(struct sqlite_file *f, struct lock *lock, struct sqlite_db *db, enum sqlite_mode mode,
                 struct err_buf *eb) MUST_USE;

int committer_open(struct sqlite_file *f, struct err_buf *eb) MUST_USE;
/* Of the committer's thread: file_lock, with nothing left of an earlier failure. False: the file has failed.
 */
bool committer_lock(struct sqlite_file *f) MUST_USE;
void committer_note_full(struct sqlite_file *f, bool full);
/* An owner's journal goes on in another segment; without one while the disk has no
 * room, when all but accepting works. False: the file has failed. */
bool committer_recover_journal(struct sqlite_file *f) MUST_USE;
/* The operations that a queue's journal takes: moves them out of ops; makes them durable (intake.c). */
void intake_split(struct list *ops, struct list *ret_intake);
void intake_run(struct sqlite_file *f, struct list *ops);
/* After the end of a transaction, under the lock: what of it is the journal's. */
void intake_after_commit(struct sqlite_file *f, bool committed, bool synced);
/* Recovers the journal of an owner, in a transaction. */
int intake_recover(struct sqlite_file *f) MUST_USE;
void *committer_main(void *file);
void *reader_main(void *file);

#endif
