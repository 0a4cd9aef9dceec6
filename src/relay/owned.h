/* The queues that this relay owns: its own, and those of dead nodes and of relays
 * that the configuration has no more that a director gave to it (record "queue" in the network). Opens each
 * as owner with the next epoch, and gives it up when the record names another node or the store says that it
 * is fenced.
 *
 * What survives a crash: the queues. Who owns one is in the record and, as the
 * epoch that guards every write, in the queue itself. */
#ifndef HOLDFAST_RELAY_OWNED_H
#define HOLDFAST_RELAY_OWNED_H

#include <stdbool.h>

#include "config/config.h"
#include "loop/loop.h"
#include "store/store.h"
#include "store/view.h"

struct owned;

struct owned_ops {
    /* q is ours now. own: it is this relay's own queue. */
    void (*gained)(void *arg, struct queue *q, bool own);
    /* q is closed after this call: nothing may use it any more. */
    void (*losing)(void *arg, struct queue *q, bool own);
    /* This relay's own queue cannot be opened, as err says (ERR_UNAVAILABLE also when the store was
     * away before it answered for the first time); 0: it could be, now, or is another's. */
    void (*refused)(void *arg, int err);
};

struct owned *owned_new(struct loop *l, struct store *store, const struct config *config,
                        const struct config_relay *relay, const struct owned_ops *ops, void *arg);
/* losing fires for each. */
void owned_free(struct owned *o);

/* What the network says now. */
void owned_on_view(struct owned *o, const struct view *v);

/* The open queue of that name, or NULL. */
struct queue *owned_queue(const struct owned *o, struct str name);

#endif
