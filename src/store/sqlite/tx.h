/* Inside the SQLite engine: what an execution gets, and the executions. They run
 * in a transaction, on the committer's or the reader's thread, and must be able
 * to run again after a rollback: outputs are set anew, not added to. */
#ifndef HOLDFAST_STORE_SQLITE_TX_H
#define HOLDFAST_STORE_SQLITE_TX_H

#include "store/body_op.h"
#include "store/engine.h"
#include "store/sqlite/db.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/space.h"

struct journal;

struct sqlite_tx {
    struct db *db;
    const char *path; /* the database's */
    struct lock *lock;
    enum part_kind part;
    bool writable;
    struct mono_time now; /* the store's clock, at the transaction's start */

    /* Who we are; the committer's only. */
    int64_t epoch;     /* ours; 0: none yet */
    int64_t server_id; /* mail: our server's row */
    int64_t writer;    /* what marks the bodies that we are writing */

    /* Of the transaction at hand: */
    int64_t stored_epoch; /* -1: not read yet */

    /* The queue's next numbers; it has one writer. */
    int64_t next_message, next_delivery;
    struct journal *journal;   /* the owner's; NULL elsewhere */
    struct space_change space; /* of the transaction at hand */
    bool garbage;              /* there may be bodies to remove */
};

#define SQLITE_EXEC_DECLARE(name) int sqlite_##name(struct sqlite_tx *tx, struct store_op *op);
OP_KIND_LIST(SQLITE_EXEC_DECLARE)
#undef SQLITE_EXEC_DECLARE

/* The stored epoch of the queue's owner, or of our server's instance. */
int64_t sqlite_queue_epoch(struct sqlite_tx *tx);
int64_t sqlite_mail_instance_epoch(struct sqlite_tx *tx);

extern const struct db_schema sqlite_network_schema, sqlite_queue_schema, sqlite_mail_schema;

/* ---- bodies ---- */

struct body_tail;
/* Stores the rest of a body that gets refs references (> 0). */
int sqlite_body_finish(struct sqlite_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id) MUST_USE;
/* A whole one, with one reference; its number. */
int64_t sqlite_body_make(struct sqlite_tx *tx, struct str text);
/* An operation that does not use its body: the rest is not stored, what is there is removed. */
void sqlite_body_discard(struct sqlite_tx *tx, struct body_tail *tail);
void sqlite_body_ref(struct sqlite_tx *tx, int64_t id, int64_t count);
void sqlite_body_unref(struct sqlite_tx *tx, int64_t id);
/* What this writer, or one that it replaces, left: is to be removed. */
void sqlite_body_orphan(struct sqlite_tx *tx, int64_t first_writer, int64_t last_writer);
/* Removes up to `rows` rows of bodies that nothing uses. */
void sqlite_body_purge(struct sqlite_tx *tx, int rows);
/* Removes up to `rows` messages of mailboxes that were deleted; false: there is none. */
bool sqlite_mail_purge(struct sqlite_tx *tx, int rows);

/* ---- queues ---- */

/* body_id is 0 when it lies in segments. ERR_NOT_FOUND. */
int sqlite_message_body(struct sqlite_tx *tx, int64_t message_id, int64_t *ret_body_id,
                        uint64_t *ret_size_bytes) MUST_USE;
/* A body that lies in segments, or is on its way there (queue_body.c). */
int sqlite_piece_read(struct sqlite_tx *tx, struct op_body_read *o) MUST_USE;
int sqlite_journal_chunk(struct sqlite_tx *tx, struct op_body_chunk *o) MUST_USE;
void sqlite_journal_drop(struct sqlite_tx *tx, struct body_core *core);

/* ---- opening ---- */

/* The network's: all times of another boot of the machine are past. */
void sqlite_network_boot(struct db *db, const char *boot_id);

#endif
