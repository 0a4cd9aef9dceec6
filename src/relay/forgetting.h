/* Forgets the custody records of one queue that are older than `custody_age` (store/queue_past.h), in small
 * steps, so that it never holds the queue's writer for long. Used by the role, for each queue that it owns.
 * One loop, one thread; nothing survives a crash: it begins anew. */
#ifndef HOLDFAST_RELAY_FORGETTING_H
#define HOLDFAST_RELAY_FORGETTING_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/queue_past.h"

struct forgetting;

/* relay: its value is read each time. All must outlive it. */
struct forgetting *forgetting_new(struct loop *l, struct queue *q, const struct config_relay *relay);
void forgetting_free(struct forgetting *f);

#endif
