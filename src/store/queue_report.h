/* What senders are owed: part of the queue contract. A sender is told what became of his message by a report
 * (RFC 3464), itself a message of this queue. That one is owed is written in the transaction that records its
 * reason; the report's acceptance and the end of the debt are one transaction, too: so each is made exactly
 * once, whatever crashes when. While a report is owed its message keeps its body.
 * See store/op.h for the rules of callbacks and errors.
 *
 * A refusal or expiry that is to be reported (QUEUE_OUTCOME_BOUNCED) leaves the delivery in quarantine until
 * the report is durable; that transaction ends it as QUEUE_BOUNCED. Who releases or removes it before has the
 * debt forgotten.
 * What has ended otherwise before its report was made has not failed: a server's 250 that comes after the
 * expiry is a delivery, and its end forgets what was owed of a failure. Any end forgets an unpaid delay. */
#ifndef HOLDFAST_STORE_QUEUE_REPORT_H
#define HOLDFAST_STORE_QUEUE_REPORT_H

#include "store/queue.h"

/* One recipient to be reported about. */
struct queue_owed {
    struct queue_delivery delivery;
    enum queue_owes kind;
    struct str server, reply; /* of the outcome; of a delay: "" and the last reply */
    struct str host;          /* that has said it; "": nobody has */
    struct wall_time at;      /* the same */
};

#define QUEUE_OWED_MAX 100 /* a call: what one report tells of */

/* All of one kind about the oldest message that any is owed for, in the order of (message_id, kind) and only
 * after these; 0, QUEUE_OWES_NOTHING: from the first on. count 0: nothing is. */
struct store_op *queue_owed(struct queue *q, int64_t after_message_id, enum queue_owes after_kind,
                            void (*on_owed)(void *arg, int err, const struct queue_owed *owed, size_t count),
                            void *arg);

struct queue_report {
    const struct queue_message_in *message; /* as for queue_accept */
    const struct queue_recipient_in *recipient;
    struct str body; /* the whole text; is copied */
    enum queue_owes kind;
    const int64_t *delivery_ids; /* whom it tells of: as queue_owed gave them */
    size_t count;                /* 1 to QUEUE_OWED_MAX */
};

/* Accepts the report, and ends what it pays. ERR_CONFLICT: one of them is not owed (any more), nothing was
 * done. ERR_EXISTS: the custody id was used before. ERR_FULL: as any mail that comes in, it has to leave the
 * room by which mail goes out; nothing was done. After any other error either all was done or nothing. */
struct store_op *queue_report(struct queue *q, const struct queue_report *report,
                              void (*on_report)(void *arg, int err), void *arg);

/* A delay is to be reported of these, but of those that are not waiting or of which it was before: once for
 * each. */
struct store_op *queue_owe_delay(struct queue *q, const int64_t *delivery_ids, size_t count,
                                 void (*on_owe)(void *arg, int err), void *arg);

#endif
