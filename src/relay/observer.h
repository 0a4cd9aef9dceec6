/* Writes what this relay observes of the messaging servers into the network
 * store, for the directors: at once when it changed, and as a heartbeat. */
#ifndef HOLDFAST_RELAY_OBSERVER_H
#define HOLDFAST_RELAY_OBSERVER_H

#include "loop/loop.h"
#include "relay/target.h"
#include "store/store.h"

struct observer;

/* node: the observer's name. interval_ms: of the heartbeat. targets: an array that
 * lives as long as the observer. */
struct observer *observer_new(struct loop *l, struct network *n, const char *node, int64_t interval_ms,
                              struct target *const *targets, size_t target_count);
void observer_free(struct observer *o);
/* An observation changed: write soon. */
void observer_kick(struct observer *o);

#endif
