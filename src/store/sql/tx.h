/* Inside src/store: the executions of the engines that speak SQL. They run in a
 * transaction, on a thread of the engine's, and must be able to run again after a
 * rollback: outputs are set anew, not added to. */
#ifndef HOLDFAST_STORE_SQL_TX_H
#define HOLDFAST_STORE_SQL_TX_H

#include "store/body_op.h"
#include "store/engine.h"
#include "store/queue_op.h"
#include "store/sql/db.h"

#define SQL_PLACES_MAX 32
#define SQL_ENDS_MAX   256

struct sql_place {
    int64_t id;
    char *domain, *home;                /* owned; NULL: known by its number only */
    int64_t waiting, held, quarantined; /* more than in the store */
};

/* Who a writer is, and what it alone counts. */
struct sql_who {
    int64_t epoch;                       /* ours; 0: none yet */
    int64_t server_id;                   /* mail: our server's row */
    int64_t writer;                      /* what marks the bodies that we are writing */
    int64_t next_message, next_delivery; /* the queue's next numbers; it has one writer */
    int64_t next_body,
        bodies_end; /* those of bodies that are reserved; next_body 0: the database gives them */
};

struct sql_tx {
    struct db *db;
    const struct sql_special *special;
    enum part_kind part;
    bool writable;
    uint32_t generation; /* of the connection: grows with each that is made anew */
    int64_t now_ms;      /* the store's clock, at the transaction's start */

    struct sql_who who; /* a writer's only */

    /* Of the transaction at hand: */
    int64_t stored_epoch; /* -1: not read yet */

    struct sql_place places[SQL_PLACES_MAX]; /* of a queue: what is known, and to be written at its end */
    size_t place_count;

    /* Of a queue, to be looked at and written before its end (queue_end.c): messages that may be unused now,
     * and what is kept more than in the store, and was let go up to when. */
    int64_t ends[SQL_ENDS_MAX];
    size_t end_count;
    struct {
        int64_t messages, bytes, let_go_ms;
    } kept;

    bool garbage; /* there may be bodies to remove */
};

/* What an engine does otherwise than by the rows that all have. */
struct sql_special {
    /* The queue gets an owner with this epoch; may be NULL. */
    int (*own)(struct sql_tx *tx, int64_t epoch);
    /* Bodies of a queue that are no rows (their message's body_id is 0), and accepting with them; all NULL:
     * there are none. */
    int (*chunk)(struct sql_tx *tx, struct op_body_chunk *o);
    void (*drop)(struct sql_tx *tx, struct body_core *core);
    int (*accept)(struct sql_tx *tx, struct op_queue_accept *o);
    int (*read)(struct sql_tx *tx, struct op_body_read *o); /* its size is known */
    void (*release)(struct sql_tx *tx, int64_t message_id); /* it is not used any more */
    /* 0, or ERR_FULL when what comes in would take the room by which mail goes out; may be NULL. */
    int (*room)(struct sql_tx *tx, size_t bytes);
    /* Of the device; UINT64_MAX: not known. May be NULL. */
    uint64_t (*free_bytes)(struct sql_tx *tx);
};

#define SQL_EXEC_DECLARE(name) int sql_##name(struct sql_tx *tx, struct store_op *op);
OP_KIND_LIST(SQL_EXEC_DECLARE)
#undef SQL_EXEC_DECLARE

/* At the beginning of each transaction; before its commit; and after the last one. */
void sql_begin(struct sql_tx *tx);
void sql_finish(struct sql_tx *tx);
void sql_fini(struct sql_tx *tx);

/* One operation; of a writer its guard is looked at before. */
int sql_execute(struct sql_tx *tx, struct store_op *op) MUST_USE;
/* Whether we are still the queue's owner, or our server's instance. */
bool sql_epoch_is_current(struct sql_tx *tx);
/* What the execution noted outside of the store is taken back: it was rolled back. */
void sql_roll_back(struct store_op *op);

void sql_answer(struct store_op *op, int err);

/* The stored epoch of the queue's owner, or of our server's instance. */
int64_t sql_queue_epoch(struct sql_tx *tx);
int64_t sql_mail_instance_epoch(struct sql_tx *tx);

/* ---- bodies ---- */

/* Stores the rest of a body that gets refs references (> 0). */
int sql_body_finish(struct sql_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id) MUST_USE;
/* A whole one, with one reference; its number. */
int64_t sql_body_make(struct sql_tx *tx, struct str text);
/* An operation that does not use its body: the rest is not stored, what is there is removed. */
void sql_body_discard(struct sql_tx *tx, struct body_tail *tail);
void sql_body_ref(struct sql_tx *tx, int64_t id, int64_t count);
void sql_body_unref(struct sql_tx *tx, int64_t id);
/* The same of one that is known. */
struct sql_body {
    int64_t id, refs, size_bytes, chunk_bytes;
};
void sql_body_unref_known(struct sql_tx *tx, const struct sql_body *body);
/* What this writer, or one that it replaces, left: is to be removed. */
void sql_body_orphan(struct sql_tx *tx, int64_t first_writer, int64_t last_writer);
/* Removes up to `rows` rows of bodies, and messages of mailboxes, that nothing uses. */
void sql_purge(struct sql_tx *tx, int rows);
/* Of the mail: messages of mailboxes that were deleted; false: there is none. */
bool sql_mail_purge(struct sql_tx *tx, int rows);

#endif
