/* Finds what waits so long that its sender is to be told (the relay's "delay_notice"), and has it owed by the
 * queue: once for each recipient. One for each queue that is ours. It looks at what waits in the order of
 * acceptance, where it was the last time, at the time when the next one is old enough; and from the begin
 * each hour, for what was released, and for clocks that are set. A long queue is looked through in small
 * pieces, with pauses. Nothing here survives a crash: who was told is in the queue. */
#ifndef HOLDFAST_RELAY_DELAYS_H
#define HOLDFAST_RELAY_DELAYS_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/queue.h"

struct delays;

/* on_owed fires after reports became owed. q and relay, whose keys it reads each time, must outlive it. */
struct delays *delays_new(struct loop *l, struct queue *q, const struct config_relay *relay,
                          void (*on_owed)(void *arg), void *arg);
void delays_free(struct delays *d);
/* The relay's keys may have changed: looks from the begin. */
void delays_kick(struct delays *d);

#endif
