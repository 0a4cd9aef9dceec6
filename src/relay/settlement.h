/* Outcomes on their way into the queue. A transaction that the server answered
 * stays out of its source until its outcomes are durable; a recording that
 * fails is tried again, so that what was delivered is not sent twice while this
 * process lives. */
#ifndef HOLDFAST_RELAY_SETTLEMENT_H
#define HOLDFAST_RELAY_SETTLEMENT_H

#include "base/list.h"
#include "loop/loop.h"
#include "relay/source.h"

struct settlements {
    struct loop *loop;
    void (*on_settled)(void *arg, const struct transaction *t, const struct queue_result *result);
    void *arg;
    struct list items; /* of struct settlement */
    size_t count;
};

/* on_settled fires for each outcome that has become durable. */
void settlements_init(struct settlements *s, struct loop *l,
                      void (*on_settled)(void *arg, const struct transaction *t,
                                         const struct queue_result *result),
                      void *arg);
/* Takes t; results are copied. */
void settlements_add(struct settlements *s, struct transaction *t, const struct queue_result *results,
                     size_t count);
/* Forgets those of q (NULL: all): the queue is lost or closing. */
void settlements_drop(struct settlements *s, const struct queue *q);

#endif
