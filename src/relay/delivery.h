/* One outbound session to one instance of a messaging server: takes
 * transactions from its owner (the target), sends them one after another, and
 * turns what the server says into outcomes. Pure delivery: it decides nothing
 * about schedules, and records nothing; the owner settles. Right before each final
 * dot it asks whether the message may still be sent (source_may_send); when not, the
 * session ends without it, and the message is given back.
 *
 * Nothing here survives a crash: a transaction without a settled outcome is
 * sent again by whoever owns the queue. */
#ifndef HOLDFAST_RELAY_DELIVERY_H
#define HOLDFAST_RELAY_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"
#include "config/config.h"
#include "loop/loop.h"
#include "relay/refusal.h"
#include "relay/source.h"
#include "relay/tell.h"
#include "smtp/client.h"

struct delivery;

struct delivery_options {
    const struct smtp_client_options *client; /* must outlive the delivery */
    struct addr to;
    const char *host; /* the server's name: it has said what it answers; must outlive the delivery */
    int64_t connect_timeout_ms;
    int64_t idle_ms;                  /* how long to keep the session when nothing is to be sent */
    const struct config_relay *relay; /* its back-offs, `losses_max`, and whom it tells of what failed; must
                                         outlive the delivery */
    struct refusals
        *refusals; /* the server's, for all its sessions; must outlive the delivery; NULL: not counted */
    bool final;    /* the server is the last one: its 250 is the delivery (RFC 3464 2.3.3) */
};

enum delivery_end {
    DELIVERY_OVER,        /* we ended it, or the server did while nothing was to be sent */
    DELIVERY_FAILED,      /* the server could not be reached, or broke off */
    DELIVERY_TURNED_AWAY, /* it is there, and said that it does not serve this session: 421, or a greeting
                             that is a refusal. Where others of its sessions are served, it has as many as it
                             wants */
    DELIVERY_UNSAFE,  /* TLS as it must be could not be had: nothing was sent, though the server may serve */
    DELIVERY_TERMS,   /* the server takes no mail from us as we are; what was tried waits */
    DELIVERY_UNTRIED, /* our own machine had nothing to connect with: nothing is known of the server */
    DELIVERY_ENDS
};

struct delivery_ops {
    /* The next transaction to send, or NULL: none now (delivery_kick tells later). */
    struct transaction *(*next)(void *arg, struct delivery *d);
    /* All recipients of t have an outcome: results[i] is for t->recipients[i]
     * (server, instance, epoch, generation are the owner's to fill). The
     * owner now holds t. */
    void (*outcome)(void *arg, struct delivery *d, struct transaction *t, struct queue_result *results,
                    size_t count);
    /* t was not tried, or nothing was said about it: the owner holds it again. */
    void (*returned)(void *arg, struct delivery *d, struct transaction *t);
    /* The server said to t that it serves nobody now (421, or at MAIL 4.3.x): the owner holds it again.
     * results put it off, should it be t that evokes that. The session ends as DELIVERY_TURNED_AWAY. */
    void (*turned_away)(void *arg, struct delivery *d, struct transaction *t, struct queue_result *results,
                        size_t count);
    /* Last callback; the owner then frees d. why is one line. */
    void (*ended)(void *arg, struct delivery *d, enum delivery_end end, struct str why);
};

struct delivery *delivery_new(struct loop *l, const struct delivery_options *options,
                              const struct delivery_ops *ops, void *arg);
/* Cuts the session without callbacks; returns the transaction under way, which
 * the caller holds again, or NULL. Allowed inside `ended`. */
struct transaction *delivery_free(struct delivery *d);

/* Whether this became of one of the recipients. */
bool delivery_any(const struct queue_result *results, size_t count, enum queue_outcome outcome);
/* Who is told of t's recipient i. */
struct tell delivery_sender(const struct transaction *t, size_t i);
/* Inside `outcome`: how long the server took from the end of the message to its last answer; < 0: the message
 * was not sent to its end. */
int64_t delivery_answer_ns(const struct delivery *d);

/* Inside `turned_away`: the server said so when it knew a recipient, not before. */
bool delivery_heard_recipient(const struct delivery *d);

/* There may be something to send: an idle session asks `next`. */
void delivery_kick(struct delivery *d);
/* Ends once the transaction under way, if there is one, has its answer: no further one is taken. */
void delivery_retire(struct delivery *d);
bool delivery_idle(const struct delivery *d);
/* The transaction under way, or NULL. */
const struct transaction *delivery_transaction(const struct delivery *d);
/* Its final dot was given: only the answer is awaited. */
bool delivery_is_dotted(const struct delivery *d);

#endif
