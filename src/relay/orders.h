/* The operator's orders about queues: records of kind "order" with the target
 * "relay/QUEUE", carried out by whoever owns that queue. Verbs: queue-hold,
 * queue-release, queue-retry, queue-move, queue-remove, queue-quarantine; args
 * is an object with the selection: "id" (custody id), "delivery" (number),
 * "sender", "recipient", "server" (home), "domain", "message_id", "reply" (a part of
 * it), "from_ms", "before_ms" (received), "states" (bits), "limit", and "to" for move.
 * An order is taken by compare-and-set before it changes anything, as every order is (store/records.h): one
 * that is taken when its queue comes to another relay, or to this one anew, goes on there. It acts once: the
 * queue records its key with what it did, so that one whose answer was lost in a crash is answered, not
 * carried out again. The result is {"changed": N, "in_flight": M} or {"error": "...", "changed": N}. M: so
 * many of the selection were being sent to a server at that moment. An act does not call them back: what the
 * server answers 250 is delivered; else the act holds for them as for the others.
 *
 * queue-replay sends again what a server got (store/queue_kept.h): args "server",
 * "since_ms", "until_ms", "limit" (of messages; or 1,000); one order is one slice, those of the same
 * server and time are one replay. The result {"messages": N, "deliveries": M, "all_messages": N,
 * "all_deliveries": M, "let_go_ms": T, "more": BOOL} says whether to give another one. A slice that sent
 * something again, the last, and one that failed are events, whether somebody still waits for them or not. */
#ifndef HOLDFAST_RELAY_ORDERS_H
#define HOLDFAST_RELAY_ORDERS_H

#include "loop/loop.h"
#include "relay/owned.h"
#include "store/store.h"

struct orders;

/* on_changed fires after an order may have changed deliveries of q (also when it
 * failed: a part of it may be done), and returns how many of those that the
 * filter selects are being sent. */
struct orders *orders_new(struct store *store, const struct config *config, struct owned *owned,
                          size_t (*on_changed)(void *arg, struct queue *q, const struct queue_filter *filter),
                          void *arg);
/* The queue is about to be closed: an order on it is left as it is, for whoever owns the queue next. */
void orders_drop_queue(struct orders *o, const struct queue *q);
void orders_free(struct orders *o);
/* The network changed: looks for new orders. */
void orders_on_view(struct orders *o, const struct view *v);

#endif
