/* Mail of one queue that the configuration has no server for: of a domain, or with
 * a home of its own, that was removed from it while mail waited. Nobody tries it,
 * so here is what it still gets: an end at its time (expiry.h), a warning in the
 * log and an event "unroutable" of the network. An operator moves or removes it,
 * or the domain comes back. For the role.
 *
 * Looks at the queue's places when it begins, now and then, and when kicked.
 * Nothing survives a crash: after it, and when another relay has adopted the queue,
 * all is found, and told, again. */
#ifndef HOLDFAST_RELAY_STRAYS_H
#define HOLDFAST_RELAY_STRAYS_H

#include "config/config.h"
#include "loop/loop.h"
#include "relay/expiry.h"
#include "store/network.h"
#include "store/queue.h"

struct strays;

/* All must outlive it; ops as expiry_new's. */
struct strays *strays_new(struct loop *l, struct queue *q, struct network *n, const struct config *config,
                          const struct config_relay *relay, const struct expiry_ops *ops, void *arg);
void strays_free(struct strays *s);
/* What waits was changed by an operator, or the relay's "expire" was. */
void strays_kick(struct strays *s);

#endif
