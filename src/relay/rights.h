/* The right to send what waits in a queue of ours. Two relays may think for a
 * moment that a queue is theirs: one that stood still while another took its
 * place, or that has not yet seen that it was to hand the queue over. Only one
 * of them has the right, which is to be asked for before a transaction is handed
 * out, and again before its final dot. It is had while
 * - the relay's lease (store/presence.h) is held, by our own clock, asked anew
 *   each time: after a standstill a socket may be served before any timer;
 * - a view that was read after the lease was taken says that the queue is ours;
 * - it says, too, that the node that had it before has let go of it, or has no
 *   relay that holds a lease;
 * - the queue takes what comes of it: it is not fenced, and not being reopened.
 * Taking mail needs none of this: there the queue's epoch is enough.
 *
 * The other side of it: a queue that was taken from this node is let go of in the
 * network's record, under the lease, once nothing of it is in our hands.
 * docs/decisions/0015 says why it is made so.
 *
 * For the role. One loop, one thread. What survives a crash: the record; and the
 * lease of who died runs out. */
#ifndef HOLDFAST_RELAY_RIGHTS_H
#define HOLDFAST_RELAY_RIGHTS_H

#include <stdbool.h>

#include "loop/loop.h"
#include "store/lease.h"
#include "store/queue.h"
#include "store/view.h"

struct target;
struct rights;
struct right; /* of one queue that is ours */

/* node: our node's name, copied. The targets are told: when something may be sent that could not be before
 * (target_kick), and, from the loop, soon after a right was lost (target_withdraw_queue); right_is_held says
 * so at once. */
struct rights *rights_new(struct loop *l, struct network *n, const char *node, struct target *const *targets,
                          size_t target_count);
/* All of its rights were freed; NULL is allowed. */
void rights_free(struct rights *all);

/* The relay's lease was taken (anew): only what is read from now on counts. */
void rights_on_held(struct rights *all, struct lease *lease);
void rights_on_lost(struct rights *all);
/* What the network says now. Queues that it gave to others were given up before (owned_on_view). True:
 * something may be sent that could not be before, also to outside. */
bool rights_on_view(struct rights *all, const struct view *v);

/* q was opened by us. own: it is ours while no director has spoken of it. v: the last view, or NULL. */
struct right *right_new(struct rights *all, struct queue *q, bool own, const struct view *v);
void right_free(struct right *r);
/* Asks the clock. */
bool right_is_held(struct right *r);

#endif
