/* Recipients of domains with `recipients = "verify"`: known because their server said so. RCPT is decided by
 * what is remembered, at hand or in the network's store (the answers of other relays, and of earlier starts,
 * included), or by a question to the server while it is operational. relay/verdict.h has the rules.
 *
 * For the edge. Questions about one recipient at the same time are one. Addresses are asked and remembered in
 * lower case: no server in use tells them apart (RFC 5321 2.4 discourages it), and answers must be about what
 * is remembered. Each +detail is a recipient of its own: only the server knows whether it has them.
 *
 * One loop, one thread. Bounded by what it rests on: a question for each open session of the edge. What
 * survives a crash: the snapshot (relay/snapshot.h). */
#ifndef HOLDFAST_RELAY_VERIFY_H
#define HOLDFAST_RELAY_VERIFY_H

#include "relay/clients.h"
#include "relay/target.h"
#include "relay/verdict.h"
#include "store/network.h"

struct verify;
struct known_users;

struct verify_options {
    const struct config *config;
    struct network *network;
    const struct clients *clients;
    struct known_users *known_users; /* for domains with `recipients = "directory"` */
    /* Who has the domain's mail now. */
    struct target *(*target_of)(void *arg, const struct config_domain *domain);
    void *arg;
};

struct verify *verify_new(struct loop *l, const struct verify_options *options);
/* Nobody may wait any more. NULL is allowed. */
void verify_free(struct verify *v);

/* Somebody who waits for a verdict; embedded by the owner. */
struct verify_waiter {
    struct list node; /* while it waits */
    bool waits;
    const struct config_domain *domain;
    struct str address; /* the owner's */
    void (*on_verdict)(struct verify_waiter *w, enum verdict verdict);
};

/* Whether forward_path (without <>, at most a path's length; stays until the verdict) is a recipient, by the
 * domain's server or by the directory as the store has it now: a verdict at once, or VERDICT_ASK: on_verdict
 * fires later, once, within the domain's `verify_timeout`, never with VERDICT_ASK. */
enum verdict verify_recipient(struct verify *v, const struct config_domain *domain, struct str forward_path,
                              struct verify_waiter *w);
/* It does not wait any more; allowed when it does not. */
void verify_forget(struct verify_waiter *w);

/* Which server that is, of the configuration. v is a struct verify (for fit.h). */
const struct config_server *verify_server_of(void *v, const struct config_domain *domain);

/* Writes what is not yet durable; busy until it is. */
void verify_flush(struct verify *v);
bool verify_busy(const struct verify *v);

#endif
