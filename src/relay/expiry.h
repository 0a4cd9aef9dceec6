/* Gives up what waited too long, at its time: of one queue, for one domain or home (as struct
 * queue_due_filter). A timer on the one that waits longest, found by the queue's index, so a long queue costs
 * no more than a short one. What is given up goes into quarantine, durably, with its notice for the operator,
 * or is bounced where "bounce" says so; an operator's release begins its age anew. Whether the server is up,
 * or it is just being sent by us, does not matter: a delivery's end that comes later counts, and of one that
 * is being sent no failure is told meanwhile (reports.h). Nothing here survives a crash: all is in the queue.
 */
#ifndef HOLDFAST_RELAY_EXPIRY_H
#define HOLDFAST_RELAY_EXPIRY_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/queue.h"

struct expiry;

struct expiry_ops {
    /* Whether the right to send is held (rights.h): without it another relay may be about to deliver what is
     * to be given up. Asked each time. */
    bool (*may)(void *arg);
    void (*expired)(void *arg, size_t count); /* after so many were put into quarantine or bounced */
};

/* domain and home are copied; q, ops and relay, whose "expire" it reads each time, must outlive it. */
struct expiry *expiry_new(struct loop *l, struct queue *q, struct str domain, struct str home,
                          const struct config_relay *relay, const struct expiry_ops *ops, void *arg);
void expiry_free(struct expiry *e);
/* What waits was changed by an operator, or "expire" was. */
void expiry_kick(struct expiry *e);

#endif
