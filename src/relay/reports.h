/* What senders are owed (store/queue_report.h), on its way to them: reads what is owed, and of the message
 * what is sent back; makes the report (wire/dsn.h), and has the queue accept it in the transaction that ends
 * the debt. So each is made once, whoever dies when. One for each queue that is ours.
 *
 * Nothing is said of a failure while the delivery is still handed out: one that expired amid its transmission
 * may be delivered yet, and then has not failed. By us the claims tell; by who had the queue before, the
 * right to send (rights.h): until we have it nothing is said at all. A message that cannot be read just now
 * makes way (aside.h).
 *
 * A report is a message of the same queue with a null reverse-path. It goes where mail for the sender's
 * domain goes, and outside when that is no domain of the network. Nothing here survives a crash: all is in
 * the queue. */
#ifndef HOLDFAST_RELAY_REPORTS_H
#define HOLDFAST_RELAY_REPORTS_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/queue.h"
#include "store/records.h"

struct claims;
struct reports;
struct right;

struct reports_options {
    const struct config *config;
    const struct config_relay *relay;
    const struct claims *claims; /* the queue's */
    struct right *right;         /* the queue's */
    struct record_work *work;    /* is counted into */
    /* One was accepted, and waits for this domain, or with this home when that is not "". */
    void (*on_made)(void *arg, struct queue *q, struct str domain, struct str home);
    void *arg;
};

/* Begins with what an earlier owner left. q, and what options points to, must outlive it. */
struct reports *reports_new(struct loop *l, struct queue *q, const struct reports_options *options);
void reports_free(struct reports *r);
/* Something may be owed, or the right was gained. */
void reports_kick(struct reports *r);

#endif
