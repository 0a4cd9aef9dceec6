/* One message of the spool on its way into the shared queue: its body is copied chunk by chunk, no faster
 * than that queue takes it, and accepted there under its own custody id; once that is durable it leaves the
 * spool. So a crash between the two leaves it in both, and the next try finds that it is known (ERR_EXISTS).
 *
 * Used by spool_handover.c. One loop. Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_SPOOL_PARCEL_H
#define HOLDFAST_RELAY_SPOOL_PARCEL_H

#include "base/arena.h"
#include "base/check.h"
#include "base/list.h"
#include "loop/loop.h"
#include "store/queue.h"

enum spool_parcel_end {
    SPOOL_PARCEL_HANDED, /* it is in the shared queue, and no longer in the spool */
    SPOOL_PARCEL_LATER,  /* a queue takes nothing now, whatever the message */
    SPOOL_PARCEL_STUCK,  /* this message cannot be read, or is not acceptable: others may go on */
};

struct spool_parcel {
    struct list node; /* the owner's */
    struct loop *loop;
    struct queue *from, *into;
    struct arena arena; /* the texts */
    struct queue_message_in message;
    struct queue_recipient_in *recipients;
    int64_t *delivery_ids; /* in the spool */
    size_t count;          /* of both */
    int64_t message_id;    /* in the spool */
    uint64_t size_bytes, copied_bytes;
    struct body_reader *reader;
    struct body_writer *writer;
    bool waits_for_room;
    struct store_op *op;
    void (*on_end)(void *arg, struct spool_parcel *p, enum spool_parcel_end end, int err);
    void *arg;
};

/* For the message of this delivery, which it does not have yet; copies. */
struct spool_parcel *spool_parcel_new(struct loop *l, const struct queue_delivery *first);
/* One more recipient of it; copies. */
void spool_parcel_add(struct spool_parcel *p, const struct queue_delivery *delivery);
/* Begins; all recipients are there. 0: on_end fires later, once, and may free p. Else why `into` takes
 * nothing now: p is as before. Both queues must outlive p. */
int spool_parcel_start(struct spool_parcel *p, struct queue *from, struct queue *into,
                       void (*on_end)(void *arg, struct spool_parcel *p, enum spool_parcel_end end, int err),
                       void *arg) MUST_USE;
/* At any time: what is under way may still take place. */
void spool_parcel_free(struct spool_parcel *p);

#endif
