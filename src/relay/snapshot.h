/* The durable snapshot of what a domain's server said about its recipients, shared by all relays: answers on
 * their way into the network's store (store/network.h), in batches, so that a dictionary attack costs a few
 * transactions a second whatever its rate. Bounded by the domain's `verify_positive_max`,
 * `verify_negative_max` and by age.
 *
 * What survives a crash: all but the answers of the last second; those are asked again. */
#ifndef HOLDFAST_RELAY_SNAPSHOT_H
#define HOLDFAST_RELAY_SNAPSHOT_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/network.h"

struct snapshot;

/* domain must outlive it; read anew at each write. */
struct snapshot *snapshot_new(struct loop *l, struct network *n, const struct config_domain *domain);
/* What was not written is forgotten. NULL is allowed. */
void snapshot_free(struct snapshot *s);

/* The address is copied. */
void snapshot_add(struct snapshot *s, struct str address, bool known, struct wall_time at);
/* Writes now what waits. */
void snapshot_flush(struct snapshot *s);
bool snapshot_busy(const struct snapshot *s); /* something is not yet durable, and no error came */

#endif
