/* Mail that must leave the network (home QUEUE_HOME_OUTSIDE): our own notices, and what an operator sends
 * there. Takes it from every queue that this relay owns, by destination, and delivers it: to the smarthost,
 * or where the DNS says. Retry is per message, with a back-off, and per destination: one that does not serve
 * is left alone for a while, and holds up nobody else.
 *
 * What is refused for good, or has nowhere to go, ends in quarantine with a notice for the operator
 * (store/queue.h), or is bounced where the relay's "bounce" says so (relay/tell.h). Bounded: transactions in
 * our hand, sessions, destinations remembered. For the role and custody.c. Nothing here survives a crash: all
 * is in the queue. */
#ifndef HOLDFAST_RELAY_OUTSIDE_H
#define HOLDFAST_RELAY_OUTSIDE_H

#include "config/config.h"
#include "loop/loop.h"
#include "relay/claims.h"
#include "relay/rights.h"
#include "resolver/resolver.h"
#include "smtp/client.h"
#include "store/queue.h"
#include "store/records.h"

#define OUTSIDE_SESSIONS_MAX 40 /* of all destinations: a descriptor each (relay/door.c) */

struct outside;
struct outside_mail;

struct outside_options {
    const struct config *config;
    const struct config_relay *relay;
    struct resolver *resolver; /* NULL: there is none; mail then leaves by a smarthost's address, or waits */
    const struct smtp_client_options *client;
    struct record_work *work; /* is counted into */
};

/* What options point to must outlive it. */
struct outside *outside_new(struct loop *l, const struct outside_options *options);
/* All mail must have been removed. NULL is allowed. */
void outside_free(struct outside *o);

/* One queue's mail for outside; q, its right and its claims must outlive it. on_given_up fires after
 * `expired` deliveries waited too long (0: one was refused, or its sender is owed a word): the queue has
 * something to tell. */
struct outside_mail *outside_add(struct outside *o, struct queue *q, struct right *right,
                                 struct claims *claims, void (*on_given_up)(void *arg, size_t expired),
                                 void *arg);
/* Cuts the sessions that carry it. */
void outside_remove(struct outside_mail *m);
/* New mail was accepted for outside. */
void outside_kick(struct outside_mail *m);
/* Deliveries of the queue were changed by an operator, or "expire" was. Returns how many that the filter
 * selects are being sent now (NULL: none are asked for). */
size_t outside_changed(struct outside_mail *m, const struct queue_filter *filter);

#endif
