/* The operator's orders about queues: records of kind "order" with the target
 * "relay/QUEUE", carried out by whoever owns that queue. Verbs: queue-hold,
 * queue-release, queue-retry, queue-move, queue-remove, queue-quarantine; args
 * is an object with the selection: "id" (custody id), "delivery" (number),
 * "sender", "recipient", "server" (home), "states" (bits), and "to" for move.
 * The result is {"changed": N} or {"error": "..."}. */
#ifndef HOLDFAST_RELAY_ORDERS_H
#define HOLDFAST_RELAY_ORDERS_H

#include "loop/loop.h"
#include "relay/owned.h"
#include "store/store.h"

struct orders;

/* on_changed fires after an order has changed deliveries of q. */
struct orders *orders_new(struct store *store, const struct config *config, struct owned *owned,
                          void (*on_changed)(void *arg, struct queue *q), void *arg);
void orders_free(struct orders *o);
/* The network changed: looks for new orders. */
void orders_on_view(struct orders *o, const struct view *v);

#endif
