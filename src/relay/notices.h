/* What an operator must know of a queue, on its way from the queue's own durable notices into the network's
 * events: each exactly once, whatever crashes when. The events of a batch and the number of the last notice
 * that they tell (record "notice", key: the queue) are one transaction of the network; only then the queue
 * forgets them. While the network cannot be written it is tried again, and the queue keeps them. Used by the
 * role, one for each queue that it owns. */
#ifndef HOLDFAST_RELAY_NOTICES_H
#define HOLDFAST_RELAY_NOTICES_H

#include "loop/loop.h"
#include "store/network.h"
#include "store/queue.h"

struct notices;

/* Begins with what an earlier owner left. q and n must outlive it. */
struct notices *notices_new(struct loop *l, struct queue *q, struct network *n);
void notices_free(struct notices *s);
/* A delivery was put into quarantine. */
void notices_kick(struct notices *s);

#endif
