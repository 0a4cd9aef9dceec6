/* Inside the SQLite engine: what queue.c and queue_view.c share. */
#ifndef HOLDFAST_STORE_SQLITE_QUEUE_ROWS_H
#define HOLDFAST_STORE_SQLITE_QUEUE_ROWS_H

#include "store/queue.h"
#include "store/sqlite/tx.h"

/* Counts deliveries that have not ended, by domain, home and state. */
int sqlite_queue_tally(struct sqlite_tx *tx, struct str domain, struct str home, enum queue_state state,
                       int64_t by) MUST_USE;
/* A recipient of the message has ended: with the last one its body goes. */
int sqlite_queue_end_one(struct sqlite_tx *tx, int64_t message_id) MUST_USE;

#endif
