/* Holding a lease of the store: takes it as soon as it is free, renews it at a
 * fifth of its time, and stops holding it by this process's own clock, counted
 * from when it asked, before the store would let another in. For the leases of
 * parts that live on nodes (store/presence.h), for "director", by which one
 * director leads, and for "server/NAME", which an instance holds while it serves.
 *
 * One loop, one thread. After a crash the lease runs out by the store's clock. */
#ifndef HOLDFAST_STORE_LEASE_H
#define HOLDFAST_STORE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "loop/loop.h"
#include "store/network.h"

struct lease;

struct lease_ops {
    void (*held)(void *arg); /* it was taken (anew) */
    void (*lost)(void *arg); /* stop at once */
    /* Asked for it, the store said that another holds it now; after lost, where it was held. Each time that
     * it says so. NULL: not told. */
    void (*taken)(void *arg);
};

struct lease *lease_new(struct loop *l, struct network *n, struct str name, struct str holder, int64_t ttl_ms,
                        const struct lease_ops *ops, void *arg);
/* Gives it back, if the store still answers this process. */
void lease_free(struct lease *k);

/* Held now: asks the clock, also when no timer has fired yet. */
bool lease_is_held(struct lease *k);
/* For network_write's guard. Only while it is held. */
const struct network_lease *lease_guard(const struct lease *k);
/* A guarded write said ERR_FENCED: another holds it. Calls lost. */
void lease_refused(struct lease *k);

#endif
