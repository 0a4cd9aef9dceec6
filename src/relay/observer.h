/* Writes what this relay observes of the messaging servers into the network
 * store, for the directors: at once when it changed, and as a heartbeat; and
 * with it what work the relay has done, for whoever measures. */
#ifndef HOLDFAST_RELAY_OBSERVER_H
#define HOLDFAST_RELAY_OBSERVER_H

#include "loop/loop.h"
#include "relay/target.h"
#include "store/store.h"

struct observer;

/* relay: names it and, by its node, the observer. interval_ms: of the heartbeat. targets, an array, and work
 * live as long as the observer. */
struct observer *observer_new(struct loop *l, struct network *n, const struct config_relay *relay,
                              int64_t interval_ms, struct target *const *targets, size_t target_count,
                              const struct record_work *work);
/* The relay's own queue, or NULL: what becomes of copies of it is told, too, and has its event. */
void observer_set_queue(struct observer *o, struct queue *q);
void observer_free(struct observer *o);
/* An observation changed: write soon. */
void observer_kick(struct observer *o);

#endif
