/* Brings what is in a relay's spool into the shared queue whenever that takes mail: oldest first, a few at a
 * time (spool_parcel.h), so that new mail goes on beside it. A pass looks at all that is there; a message
 * that cannot be handed over stays, and holds up no other; a queue that takes nothing ends the pass, and the
 * next one comes after a pause that grows.
 *
 * Used by spool.c. One loop. Nothing here survives a crash: the next process begins with a pass. */
#ifndef HOLDFAST_RELAY_SPOOL_HANDOVER_H
#define HOLDFAST_RELAY_SPOOL_HANDOVER_H

#include "loop/loop.h"
#include "relay/spool_parcel.h"
#include "store/queue.h"

struct spool_handover;

/* None may call back into the handover but by spool_handover_kick. */
struct spool_handover_ops {
    void (*begun)(void *arg); /* a pass */
    void (*handed)(void *arg, const struct spool_parcel *p);
    /* again: it was so in the last whole pass. */
    void (*stuck)(void *arg, const struct spool_parcel *p, int err, bool again);
    void (*rests)(void *arg, size_t left); /* a whole pass: all is handed over but so many messages */
};

/* from: the spool; must outlive it. */
struct spool_handover *spool_handover_new(struct loop *l, struct queue *from,
                                          const struct spool_handover_ops *ops, void *arg);
void spool_handover_free(struct spool_handover *h);
/* Where to, or NULL: not now. Has to be told before that queue is closed. */
void spool_handover_set_queue(struct spool_handover *h, struct queue *into);
/* There is something in the spool. */
void spool_handover_kick(struct spool_handover *h);

#endif
