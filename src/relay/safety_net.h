/* The safety net of one queue: has what is delivered kept (store/queue_kept.h), and lets it go when it is
 * older than `safety_net`, more than `safety_net_max`, more than half of what the disk has for it and for
 * what is new, or the disk is full: what still waits comes first. That it lets go what is younger than
 * `safety_net` is told once, until it reaches back so far again: event "safety-net" of the relay's queue.
 * docs/decisions/0029-safety-net.md says why.
 * Used by the role, for each queue that it owns. What survives a crash: all that is kept, in the queue. */
#ifndef HOLDFAST_RELAY_SAFETY_NET_H
#define HOLDFAST_RELAY_SAFETY_NET_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/network.h"
#include "store/queue_kept.h"
#include "store/records.h"

struct safety_net;

/* relay: its two values are read each time. work: its `kept...` are kept up to date. All must
 * outlive it. */
struct safety_net *safety_net_new(struct loop *l, struct queue *q, struct network *network,
                                  const struct config_relay *relay, struct record_work *work);
void safety_net_free(struct safety_net *n);

#endif
