/* What all store contracts share. Every operation is asynchronous: it returns
 * at once with a store_op, and its callback fires later, once, on the thread of
 * the loop that the store was opened with, never from inside the call.
 *
 * - Arguments are copied at the call; results are valid during the callback.
 * - A write's callback with err 0 means: durable, as the configuration asks.
 *   ERR_SYNC, ERR_IO, ERR_FULL, ERR_DEGRADED, ERR_UNAVAILABLE: it is not in the
 *   store and never will be (SQLite cuts its log, docs/decisions/0005; a shared
 *   engine settles by a tombstone before it answers). ERR_FENCED: our epoch or lease is stale;
 *   nothing was written, nothing ever can be by this handle: stop.
 * - Writes of one handle commit in the order of the calls; a read that is
 *   called after a write's callback sees it. */
#ifndef HOLDFAST_STORE_OP_H
#define HOLDFAST_STORE_OP_H

struct store_op;

/* The callback will not fire; the operation itself may still take place. For
 * sessions that end before their answer. Not after the callback has fired. */
void store_op_forget(struct store_op *op);

#endif
