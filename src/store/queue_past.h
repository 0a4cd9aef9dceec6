/* What is past: part of the queue contract. The custody record of a message (its envelope, recipients, what
 * became of each, attempts and acts) outlives its body, so that the message is not taken a second time and
 * `trace` can tell its life; not for ever, for nothing would bound the queue's file. Used by the relay.
 * See store/op.h for the rules of callbacks and errors.
 *
 * Until it is forgotten a second accept of its custody id is ERR_EXISTS; after that the id is new. So
 * `before` has to be longer ago than anybody who hands in with custody ids goes on trying. What survives a
 * crash: a record is there as a whole, or gone. */
#ifndef HOLDFAST_STORE_QUEUE_PAST_H
#define HOLDFAST_STORE_QUEUE_PAST_H

#include "store/queue.h"

#define QUEUE_FORGET_MAX 100 /* messages a call, one transaction: some 10 ms */

struct queue_forgotten {
    size_t removed;
    int64_t last_message_id; /* looked at up to here: after_message_id of the next call */
    bool more;               /* there may be further ones that are old enough */
};

/* Looks at the next QUEUE_FORGET_MAX messages above after_message_id (0: from the first), and forgets those
 * that were received before `before`, of which every delivery has ended, nothing is kept or owed, and nothing
 * was tried or ordered at `before` or later. The newest message stays: numbers only grow. */
struct store_op *queue_forget(struct queue *q, struct wall_time before, int64_t after_message_id,
                              void (*on_forget)(void *arg, int err, const struct queue_forgotten *done),
                              void *arg);

#endif
