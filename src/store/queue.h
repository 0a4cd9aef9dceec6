/* The queue contract: custody of messages until each recipient's end. A queue
 * is owned by one node at a time; the owner's epoch is in the same file (or
 * database) and is locked by every writing transaction, so a stale owner gets
 * ERR_FENCED and writes nothing. Used by the relay; the CLI reads.
 * See store/op.h for the rules of callbacks and errors.
 *
 * What survives a crash: everything whose callback said 0. The custody record
 * (custody id, recipients, how each ended) outlives the body, until it is
 * forgotten (store/queue_past.h). */
#ifndef HOLDFAST_STORE_QUEUE_H
#define HOLDFAST_STORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/custody_id.h"
#include "base/dsn.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "store/body.h"
#include "store/copies.h"
#include "store/op.h"

struct queue;

const char *queue_name(const struct queue *q);
int64_t queue_epoch(const struct queue *q); /* of this owner; 0 for a reader */
/* 0 while it takes writes; ERR_FENCED, ERR_SYNC (reopening), ERR_FULL, ... */
int queue_health(const struct queue *q);
/* Which copies there are of what it takes. */
void queue_copies(const struct queue *q, struct store_copies_told *ret_told);
/* How often something was refused for want of room, by this handle: queue_health says so for a moment only.
 */
uint64_t queue_full_count(const struct queue *q);
/* Forgets pending operations and frees q; what is under way may still commit.
 * Of its body writers and readers only the freeing is allowed after that. */
void queue_close(struct queue *q);

/* ---- accepting ---- */

struct queue_message_in {
    struct custody_id custody_id; /* unique; a second accept of one that is known is ERR_EXISTS */
    bool id_is_drawn;             /* at random for this message: whether it is known is not looked up */
    struct str reverse_path;      /* RFC 5321, without <>; "" is the null reverse-path */
    struct str helo;              /* as the client said, bounded by the SMTP grammar */
    struct str client;            /* its IP address */
    bool eight_bit;               /* BODY=8BITMIME was declared */
    bool smtputf8;                /* RFC 6531 */
    bool authenticated;           /* a user who had logged in sent it */
    struct dsn_envelope dsn;
    struct str
        header_id; /* its Message-ID with <>, cut at QUEUE_HEADER_ID_MAX; "" or ptr NULL: it has none */
    struct wall_time received_at;
    struct str stopped; /* why all its deliveries are in quarantine from the start, with one notice; "" or
                           ptr NULL: they wait */
};

#define QUEUE_HEADER_ID_MAX 255 /* longer ones are found by so much of them */

/* The home of mail that must leave the network: its destination is found by the recipient's domain, or is the
 * relay's smarthost. No server can have this name (config/units.h). Only what we make ourselves gets it
 * when it is accepted, and what an operator moves there: nothing that a client hands in. */
#define QUEUE_HOME_OUTSIDE "*"

struct queue_recipient_in {
    struct str address; /* forward-path mailbox, local part as given */
    struct str domain;  /* lower case */
    struct str home;    /* own server of this delivery, or QUEUE_HOME_OUTSIDE; "" is the domain's route */
    struct dsn_request dsn;
};

/* NULL while queue_health is not 0. */
struct body_writer *queue_body_begin(struct queue *q);
/* The same of a message that we have in custody already, outside of the store (a relay's spool): it is taken
 * though health is ERR_DEGRADED, for it is nowhere safer. */
struct body_writer *queue_body_begin_held(struct queue *q);
static inline bool queue_takes_held(const struct queue *q)
{
    int health = queue_health(q);
    return health == 0 || health == ERR_DEGRADED;
}

/* Makes the message durable; consumes the writer. Only after err 0 may a `250`
 * be sent. message_id is the queue's own number of it. */
struct store_op *queue_accept(struct queue *q, struct body_writer *body,
                              const struct queue_message_in *message,
                              const struct queue_recipient_in *recipients, size_t recipient_count,
                              void (*on_accept)(void *arg, int err, int64_t message_id), void *arg);

/* ---- delivering ---- */

enum queue_state {
    QUEUE_WAITING,     /* to be delivered */
    QUEUE_HELD,        /* by an operator: not tried until released */
    QUEUE_QUARANTINED, /* by a policy: not tried until released */
    QUEUE_DELIVERED,   /* a messaging server answered 250 for it */
    QUEUE_BOUNCED,     /* its sender is told: the report was accepted (store/queue_report.h) */
    QUEUE_REMOVED,     /* by an operator or a configured policy */
};

/* One recipient of one message. */
struct queue_delivery {
    int64_t id;         /* grows with acceptance within the queue */
    int64_t message_id; /* recipients of one message are adjacent */
    struct custody_id custody_id;
    struct str reverse_path;
    struct str recipient;
    struct str domain;
    struct str home;         /* own server of this delivery; "" is the domain's route */
    struct str helo, client; /* of who sent it, as at its acceptance; "": nobody did */
    struct str header_id;    /* as at its acceptance; "": it has none */
    enum queue_state state;
    uint32_t attempts; /* answers about this delivery */
    uint32_t losses;   /* connections lost after MAIL while it was sent */
    struct wall_time next_at;
    struct wall_time received_at;
    struct wall_time waits_since; /* its age counts from here: received_at, its last release or replay */
    uint64_t size_bytes;
    bool eight_bit, smtputf8, authenticated;
    struct dsn_envelope envelope;
    struct dsn_request request; /* of what is sent again by queue_replay: NEVER */
    bool delay_told;            /* a delay was reported, or is owed */
    struct str last_reply;
    struct str last_host; /* the host that said it; "": nobody did, it is a word of ours; or it has ended */
};

struct queue_rows {
    const struct queue_delivery *items;
    size_t count;
    bool more; /* there are further ones after the last */
};

struct queue_due_filter {
    struct str domain;    /* deliveries of this domain with home "", or */
    struct str home;      /* those with this own home (then domain is not looked at) */
    int64_t after_id;     /* only ids above */
    struct wall_time now; /* only next_at <= now */
    bool lossy;           /* only those with losses (true) or without (false) */
    size_t limit;
};

/* Waiting and due, oldest first. */
struct store_op *queue_due(struct queue *q, const struct queue_due_filter *filter,
                           void (*on_due)(void *arg, int err, const struct queue_rows *rows), void *arg);
/* The earliest next_at of a waiting delivery of this domain or home that is
 * later than now; ERR_NOT_FOUND. (For the schedule's timer.) */
struct store_op *queue_next_at(struct queue *q, const struct queue_due_filter *filter,
                               void (*on_next)(void *arg, int err, struct wall_time next_at), void *arg);

/* Waiting, due or not, those that wait longest first; of the filter only domain or home, and limit. (For what
 * is too old.) By an index: what it costs does not grow with the queue. */
struct store_op *queue_oldest(struct queue *q, const struct queue_due_filter *filter,
                              void (*on_oldest)(void *arg, int err, const struct queue_rows *rows),
                              void *arg);

/* ERR_NOT_FOUND reaches the first body_read. */
struct body_reader *queue_body_open(struct queue *q, int64_t message_id);

enum queue_outcome {
    QUEUE_OUTCOME_DELIVERED,
    QUEUE_OUTCOME_DEFERRED, /* try again at next_at */
    QUEUE_OUTCOME_LOST,     /* the connection was lost after MAIL; counts as a loss, next_at */
    QUEUE_OUTCOME_QUARANTINED,
    QUEUE_OUTCOME_BOUNCED, /* as quarantined, but its sender is owed a report, which ends it. Of one that an
                              operator has stopped it is the former */
    QUEUE_OUTCOME_REMOVED,
};

/* A report that is owed to a sender, by what it says (RFC 3464 2.3.3). Numbers are on disks: they stay. */
enum queue_owes {
    QUEUE_OWES_NOTHING = 0,
    QUEUE_OWES_FAILED = 1,
    QUEUE_OWES_DELIVERED = 2,
    QUEUE_OWES_RELAYED = 3, /* to a server that will not tell */
    QUEUE_OWES_DELAYED = 4,
};

struct queue_result {
    int64_t delivery_id;
    enum queue_outcome outcome;
    enum queue_owes owes; /* DELIVERED and RELAYED, with a delivery; BOUNCED owes FAILED always */
    struct wall_time next_at;
    struct str reply; /* the server's, or why */
    struct str host;  /* its name, which has really said it; "" or ptr NULL: nobody has, it is why */
    /* What trace tells: */
    struct str server;   /* home at the attempt */
    struct str instance; /* node and address */
    int64_t epoch;
    int64_t generation; /* of the route */
    struct wall_time at;
};

/* Records outcomes, all in one transaction. A delivery that has ended meanwhile
 * (operator's removal) keeps its end. When the last recipient of a message has
 * ended, its body becomes free, or is kept (store/queue_kept.h). */
struct store_op *queue_settle(struct queue *q, const struct queue_result *results, size_t count,
                              void (*on_settle)(void *arg, int err), void *arg);

/* ---- what an operator must be told ---- */

/* Written in the transaction that puts a delivery into quarantine by an outcome, or accepts it into
 * quarantine (an operator's own act is told of elsewhere, and of a bounce the sender), and kept until it is
 * dropped. */
struct queue_notice {
    int64_t id; /* grows, and is never used again */
    struct custody_id custody_id;
    struct str recipient, server,
        reply; /* server "": nobody was tried, it was stopped when it was accepted */
    struct wall_time at;
};

/* The oldest ones, at most `limit` (and 1,000). */
struct store_op *queue_notices(struct queue *q, size_t limit,
                               void (*on_notices)(void *arg, int err, const struct queue_notice *notices,
                                                  size_t count),
                               void *arg);
/* Drops those up to this id: they were told. */
struct store_op *queue_notices_drop(struct queue *q, int64_t up_to_id, void (*on_drop)(void *arg, int err),
                                    void *arg);

/* ---- looking and operating ---- */

struct queue_filter {
    struct str sender;    /* the reverse-path, in any case of letters; ptr NULL: any */
    struct str recipient; /* in any case of letters; ptr NULL: any */
    struct str header_id; /* the Message-ID with its <>, cut as above; ptr NULL: any */
    struct str domain;    /* of the recipient, lower case; ptr NULL: any */
    struct str reply;     /* a part of the last reply, in any case of letters; ptr NULL: any */
    struct wall_time received_from, received_before; /* 0: any */
    const struct str *domains;                       /* with home "": any of these ... */
    size_t domain_count;
    struct str home;                     /* ... or this own home; domain_count 0 and ptr NULL: any */
    const struct custody_id *custody_id; /* NULL: any */
    int64_t delivery_id;                 /* 0: any */
    uint32_t states;                     /* bits 1 << enum queue_state; 0: all that have not ended */
    int64_t after_id;
    size_t limit; /* at most 1,000 rows a call */
};

/* By id, ascending. By place (domains, home) and state alone, its cost does not grow with the queue; by a
 * domain, it grows with what had an own home in it; by anything else it looks at the rows, in slices between
 * which others are served. */
struct store_op *queue_list(struct queue *q, const struct queue_filter *filter,
                            void (*on_list)(void *arg, int err, const struct queue_rows *rows), void *arg);

enum queue_action {
    QUEUE_ACT_HOLD,
    QUEUE_ACT_RELEASE,
    QUEUE_ACT_RETRY,
    QUEUE_ACT_MOVE,
    QUEUE_ACT_REMOVE,
    QUEUE_ACT_QUARANTINE,
    QUEUE_ACT_REPLAY, /* what trace shows of queue_replay (store/queue_kept.h); home: the server that had it
                       */
};

struct queue_order {
    enum queue_action action; /* but REPLAY */
    struct str home;          /* of MOVE */
    struct str who, why;      /* recorded with it */
    struct str key;           /* unique of this order; ptr NULL: it has none */
};

/* Applies to all that the filter selects and that it can change (after_id and
 * limit too; limit 0: no limit); home is for MOVE, "" goes back to the domain's
 * route. RELEASE takes what is held or quarantined, forgets its losses, and begins its age anew;
 * RELEASE and RETRY make it due at once. Recorded in the queue with who and why.
 * A large selection is worked through in slices, each a transaction. With a key it acts once, whatever
 * crashes when: given again, it goes on where it stopped, and `changed` is of all. With an error `changed`
 * says what the slices before had done, which stays. */
struct store_op *queue_act(struct queue *q, const struct queue_filter *filter,
                           const struct queue_order *order,
                           void (*on_act)(void *arg, int err, uint64_t changed), void *arg);

/* Of a domain by its route (home ""), or of an own home, whatever the domain (domain ""): so there are no
 * more of them than the network has had domains and servers, whoever sends what to strangers. */
struct queue_count {
    struct str domain, home;
    uint64_t waiting, held, quarantined;
    struct wall_time oldest; /* received_at of the oldest that waits or is held; 0: none does */
};

struct store_op *queue_summary(struct queue *q,
                               void (*on_summary)(void *arg, int err, const struct queue_count *counts,
                                                  size_t count),
                               void *arg);

/* So many of one delivery are kept: the first, and the last others. */
#define QUEUE_ATTEMPTS_KEPT 64

struct queue_attempt {
    int64_t delivery_id;
    struct str recipient;
    enum queue_outcome outcome;
    struct str server, instance, reply;
    int64_t epoch, generation;
    struct wall_time at;
};

/* What an operator did to one delivery. */
struct queue_acted {
    int64_t delivery_id;
    enum queue_action action;
    struct str home, who, why;
    struct wall_time at;
};

/* A message's life: its deliveries in any state, each one's attempts in order, as far as they are kept,
 * and what operators did to them. */
struct queue_life {
    struct queue_rows rows;
    const struct queue_attempt *attempts;
    size_t attempt_count;
    const struct queue_acted *acts;
    size_t act_count;
};

/* ERR_NOT_FOUND. */
struct store_op *queue_trace(struct queue *q, const struct custody_id *id,
                             void (*on_trace)(void *arg, int err, const struct queue_life *life), void *arg);

const char *queue_state_name(enum queue_state state);       /* "waiting", "held", ... */
const char *queue_action_name(enum queue_action action);    /* "hold", "release", ... */
const char *queue_outcome_name(enum queue_outcome outcome); /* "delivered", "deferred", ... */

#endif
