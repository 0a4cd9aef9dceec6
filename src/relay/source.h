/* A source of mail for one messaging server: the waiting deliveries of one
 * queue that have a given domain (and follow its route) or a home of their own.
 * Reads the queue in pages, oldest first, and hands out transactions: the
 * recipients of one message. What is handed out is not handed out again, by any
 * source of the queue (claims.h), until it is given back or done, so one process
 * never sends a delivery twice at once.
 *
 * Deliveries whose connection was lost before ("lossy") come from a lane of
 * their own, so that a message that kills its server cannot take others along.
 *
 * What leaves the network (home QUEUE_HOME_OUTSIDE) is handed out by domain: no two in one transaction.
 *
 * All that waits is tried once when the source begins, due or not: when it is
 * due was said by the clock of whoever had the queue before, perhaps another
 * node's. And once when the server has recovered (source_wake).
 * Nothing here survives a crash: the queue holds all. */
#ifndef HOLDFAST_RELAY_SOURCE_H
#define HOLDFAST_RELAY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/custody_id.h"
#include "base/list.h"
#include "base/str.h"
#include "base/time.h"
#include "loop/loop.h"
#include "relay/blame.h"
#include "relay/claims.h"
#include "relay/rights.h"
#include "store/queue.h"

struct source;

enum source_lane { SOURCE_NORMAL, SOURCE_LOSSY, SOURCE_LANE_COUNT };

#define TRANSACTION_RECIPIENTS_MAX 100 /* RFC 5321 4.5.3.1.8: every server takes at least so many */

struct transaction_recipient {
    int64_t delivery_id;
    char *address;
    uint32_t attempts, losses;
    unsigned notify; /* of enum dsn_notify */
    char *orcpt;
    char *last_reply;
};

struct transaction {
    struct list node; /* of the lane, or of what is handed out */
    struct source *source;
    uint64_t reset; /* how often the source was reset when it was read */
    enum source_lane lane;
    int64_t message_id;
    struct custody_id custody_id;
    char *reverse_path;
    char *helo, *client; /* of who sent it; "": nobody did */
    char *header_id;     /* its Message-ID; "": it has none */
    char *domain;        /* of its recipients; of the first of them when they share a home */
    uint64_t size_bytes;
    bool eight_bit, smtputf8, authenticated;
    enum dsn_ret ret;
    char *envid;
    struct wall_time received_at; /* for the log */
    struct transaction_recipient recipients[TRANSACTION_RECIPIENTS_MAX];
    size_t recipient_count;
    struct blame_mark blame; /* the target's */
};

/* on_ready fires when source_take may give something after it had given NULL:
 * from the loop, or inside source_give_back. domain or home: see struct
 * queue_due_filter; both copied. right, claims: the queue's; must outlive it. */
struct source *source_new(struct loop *l, struct queue *q, struct right *right, struct claims *claims,
                          struct str domain, struct str home, void (*on_ready)(void *arg), void *arg);
/* Transactions handed out must have been given back or done. */
void source_free(struct source *s);

struct queue *source_queue(const struct source *s);
struct str source_home(const struct source *s);

/* Whether what it has may be sent (rights.h): to be asked again before a final dot. */
bool source_may_send(const struct source *s);
/* The next transaction, or NULL: none is there now (on_ready tells later), or none may be sent (who has the
 * right tells). */
struct transaction *source_take(struct source *s, enum source_lane lane);
/* Not tried, or no answer about it: it goes back to the front; or, when the
 * source was reset since, to whoever the queue says it belongs to now. */
void source_give_back(struct transaction *t);
/* The same, behind the others that are ready, and those that can be read then. */
void source_give_back_last(struct transaction *t);
/* Its outcomes are in the queue; frees t. retry_at: the earliest next_at of a
 * deferred recipient, or the zero time. */
void source_done(struct transaction *t, struct wall_time retry_at);

/* New mail may be there (an accept). */
void source_kick(struct source *s);
/* Deliveries were changed by an operator: forgets what was read and not yet
 * handed out, and reads from the start. */
void source_reset(struct source *s);
/* Some that wait have expired: forgets what was read and not yet handed out, and goes on from there. What is
 * given back later is read anew. */
void source_read_again(struct source *s);
/* What was put off may well be taken now: all of the normal lane is tried once, due or not. */
void source_wake(struct source *s);
/* A delivery that somebody else had is free: looks again (for claims.c). */
void source_again(struct source *s);
/* How many deliveries are handed out of those that the filter selects; its
 * after_id and limit are not looked at. */
size_t source_in_flight(const struct source *s, const struct queue_filter *filter);
/* Transactions that source_take would hand out of this lane now. */
size_t source_ready(const struct source *s, enum source_lane lane);

#endif
