/* Who runs what on a state folder: a pid file for the network, for each node's
 * supervisor and for each of its roles, locked (flock) by the process that is
 * it. A second start is refused before it has touched anything: it would take
 * leases and queues from the first, which lives, and lose them to it again.
 *
 * The lock ends with its process, however that dies; a process that stands
 * still keeps it. The files stay, and mean nothing without their lock. For the
 * supervisors and the roles' mains, before they have threads. */
#ifndef HOLDFAST_RUN_CLAIM_H
#define HOLDFAST_RUN_CLAIM_H

#include "base/check.h"
#include "base/err.h"
#include "config/config.h"

/* What a process may be: "run" (a node's supervisor), "dns", "relay",
 * "director"; or CLAIM_NETWORK, of no node (the supervisor of all). */
#define CLAIM_NETWORK "network"
#define CLAIM_NODE    "run"

struct claim {
    int fd; /* -1: none */
};

#define CLAIM_NONE ((struct claim){-1})

/* Takes it, in the state folder, which is there. node is NULL for CLAIM_NETWORK.
 * Waits up to 1 s: what dies with its node may need a moment for it. ERR_BUSY:
 * another has it; eb says which process, since when, what to do. ERR_DENIED and
 * the like: the file cannot be opened; eb says which. *ret_claim is open in this
 * process only. */
int claim_take(const struct config *c, const char *what, const struct config_node *node,
               struct claim *ret_claim, struct err_buf *eb) MUST_USE;
/* CLAIM_NONE is allowed, and what it becomes. */
void claim_release(struct claim *claim);

#endif
