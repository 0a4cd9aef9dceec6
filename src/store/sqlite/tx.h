/* Inside the SQLite engine: an execution's view of its part. The executors run
 * inside a transaction that the core (file.c) begins and commits; an executor
 * that returns an error has its savepoint rolled back. */
#ifndef HOLDFAST_STORE_SQLITE_TX_H
#define HOLDFAST_STORE_SQLITE_TX_H

#include "store/body_op.h"
#include "store/sqlite/db.h"

struct sqlite_tx {
    struct sqlite_db *db;
    enum part_kind part;
    const char *writer; /* whose unfinished bodies these are: the queue's name, or the server's; "" before */
    int64_t *epoch;     /* the port's: set by queue_own and mail_begin */
    struct str *server; /* the mail port's; heap copy, set by mail_begin */
};

#define SQLITE_EXEC_DECLARE(name) int sqlite_##name(struct sqlite_tx *tx, struct store_op *op);
OP_KIND_LIST(SQLITE_EXEC_DECLARE)
#undef SQLITE_EXEC_DECLARE

/* The tables of each part, for an empty file of schema version 1. */
extern const char sqlite_schema_body[], sqlite_schema_queue[], sqlite_schema_mail[], sqlite_schema_network[];

/* 0 while the stored epoch is the port's, else ERR_FENCED. Inside each guarded transaction. */
int sqlite_queue_check_epoch(struct sqlite_tx *tx) MUST_USE;
int sqlite_mail_check_epoch(struct sqlite_tx *tx) MUST_USE;

/* Settles an accept whose commit is not known: whatever is there of it goes, and
 * it can never come (the tombstone). */
int sqlite_queue_tombstone(struct sqlite_tx *tx, const struct custody_id *id) MUST_USE;

/* ---- bodies ---- */

/* Puts the rest of a body in, with refs references (> 0); its number. */
int sqlite_body_finish(struct sqlite_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id) MUST_USE;
int sqlite_body_ref(struct sqlite_tx *tx, int64_t id, int64_t by) MUST_USE;
/* At 0 it becomes garbage; a small one goes at once. */
int sqlite_body_unref(struct sqlite_tx *tx, int64_t id) MUST_USE;
/* Unfinished ones of tx->writer become garbage (nobody writes them any more). */
int sqlite_bodies_abandon(struct sqlite_tx *tx) MUST_USE;
/* Removes up to chunks_max chunks of garbage; *ret_more: there is more. */
int sqlite_bodies_sweep(struct sqlite_tx *tx, int64_t chunks_max, bool *ret_more) MUST_USE;

#endif
