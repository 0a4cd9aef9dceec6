/* One destination outside: a domain, or the smarthost. Holds the transactions that wait for it, asks where
 * they go (outside_lookup), and brings them there by a few sessions (delivery.h): to the first place that
 * serves, by preference. When none does it is remembered as bad for a while, and what waits for it is put
 * off, so that it holds up nobody else; a message that evokes 421 where others pass, alone (outside_blame.h).
 * One that serves some sessions and turns a further one away has fewer for a while. For outside.c, which owns
 * them all.
 *
 * Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_OUTSIDE_DESTINATION_H
#define HOLDFAST_RELAY_OUTSIDE_DESTINATION_H

#include "base/list.h"
#include "relay/delivery.h"
#include "relay/outside_lookup.h"

#define DESTINATION_SESSIONS_MAX 4 /* to a stranger's servers; more than a few is taken for an attack */

/* A transaction in our hand: it waits here, or a session has it. */
struct parcel {
    struct list node;
    struct transaction *transaction;
};

struct destination;

struct destination_options {
    struct loop *loop;
    struct outside_lookup_options lookup;
    const struct smtp_client_options *client;
    const struct config_relay *relay; /* retry_ms and losses_max, read each time */
};

struct destination_ops {
    /* Whether one more session may be opened, of all destinations together. */
    bool (*may_open)(void *arg);
    /* All recipients of t have an outcome (of the queue; server, instance, epoch are set): the owner holds t.
     */
    void (*outcome)(void *arg, struct destination *d, struct transaction *t, struct queue_result *results,
                    size_t count);
    /* t was not sent: the owner holds it again, and gives it back to its source. */
    void (*returned)(void *arg, struct transaction *t);
    /* A session was opened (+1) or has ended (-1). */
    void (*sessions)(void *arg, int change);
};

struct destination *destination_new(const struct destination_options *options, const char *name,
                                    const struct destination_ops *ops, void *arg);
/* Cuts the sessions, and returns what is in its hand. */
void destination_free(struct destination *d);

const char *destination_name(const struct destination *d);
/* Takes t. It acts from the loop, soon, never inside this call. */
void destination_put(struct destination *d, struct transaction *t);
/* There may be room for a session. */
void destination_kick(struct destination *d);
/* Nothing waits, nothing is under way: it may be freed. */
bool destination_is_idle(const struct destination *d);
/* Something waits that no session has, and no answer came for so long. */
bool destination_is_stalled(const struct destination *d, int64_t ms);
/* Puts off what waits and no session has. */
void destination_put_off(struct destination *d, const char *why);
/* Returns what is of q: what waits (the queue was changed), or with `cut` also what sessions have. */
void destination_drop(struct destination *d, const struct queue *q, bool cut);

#endif
