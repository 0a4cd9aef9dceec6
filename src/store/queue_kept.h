/* The safety net: part of the queue contract. A message that was delivered keeps its body for a time, so that
 * it can be sent again, should its server have lost it. Used by the relay; the CLI reads.
 * See store/op.h for the rules of callbacks and errors.
 *
 * What survives a crash: all of it. A builtin server knows the custody id of what is sent again, also of
 * what its reader expunged, and shows nothing twice. */
#ifndef HOLDFAST_STORE_QUEUE_KEPT_H
#define HOLDFAST_STORE_QUEUE_KEPT_H

#include "store/queue.h"

/* From now on the body of a message is kept when a delivery of it ends as QUEUE_DELIVERED, while others of it
 * may still wait, and after its last one has ended. At first, and with false, it becomes free at that moment.
 * Of the owner's handle. */
void queue_keep(struct queue *q, bool on);

struct queue_kept {
    uint64_t messages, bytes;
    struct wall_time let_go; /* all that was delivered later than this is kept; 0: all there ever was */
    struct wall_time newest; /* the last delivery of what is kept; 0: nothing is */
    uint64_t free_bytes;     /* of the disk that it is on, UINT64_MAX: not known; told by queue_kept_prune */
};

/* What is kept of messages of which anything was delivered at `since` or later; let_go and newest are of all.
 */
struct store_op *queue_kept_count(struct queue *q, struct wall_time since,
                                  void (*on_count)(void *arg, int err, const struct queue_kept *kept),
                                  void *arg);

#define QUEUE_KEPT_PRUNE_MAX 256 /* messages a call: some 10 ms */

/* Lets the oldest ones go: those of which nothing was delivered at `before` or later, and as many as are more
 * than bytes_max together; a body that no delivery waits for becomes free. removed == QUEUE_KEPT_PRUNE_MAX:
 * there may be more. left: all that is still kept. */
struct store_op *queue_kept_prune(struct queue *q, struct wall_time before, uint64_t bytes_max,
                                  void (*on_prune)(void *arg, int err, size_t removed,
                                                   const struct queue_kept *left),
                                  void *arg);

#define QUEUE_REPLAY_MAX 1000 /* a call, one transaction: some 50 ms */

struct queue_replay {
    struct str server;             /* who answered 250 for it last */
    struct wall_time since, until; /* that was in [since, until) */
    size_t limit;        /* at most QUEUE_REPLAY_MAX: of messages looked at, and about so many deliveries */
    struct str who, why; /* recorded with it, for trace */
    struct str key;      /* of this replay in this queue, not "": calls with the same one are its slices */
};

struct queue_replayed {
    uint64_t messages;                     /* looked at, by this call */
    uint64_t deliveries;                   /* that wait again */
    uint64_t all_messages, all_deliveries; /* by all calls with this key */
    struct wall_time let_go;               /* as in queue_kept */
    bool more;
};

/* What `server` got in that time, and is kept, waits again, for where its domain or home leads now, its age
 * counted anew; whatever became of the message's other recipients. How far a replay has come is recorded
 * with its key, in the same transaction: whatever crashes when, and whatever the clocks of those say who
 * deliver, it looks at no message twice. One that has ended does nothing more. What lies between the messages
 * of that time is passed over in transactions of bounded size, between which others are served. */
struct store_op *queue_replay(struct queue *q, const struct queue_replay *replay,
                              void (*on_replay)(void *arg, int err, const struct queue_replayed *done),
                              void *arg);

#endif
