/* Agreement about a server's health. Pure: records in, numbers out. For the
 * director's decisions and the status page.
 *
 * Observers are the relays, by their nodes; each records what it observes (kind
 * "observation"). An observer leaves the count only when its relay's lease has been
 * over for as long as it runs (so that it was not only started again, which gives the
 * lease back), or its site was recorded as lost. One that is slow, silent, or
 * speaks of another instance is unknown, which is no agreement, but counts. So
 * of two that live both must agree, and the last one alone decides. */
#ifndef HOLDFAST_DIRECTOR_AGREE_H
#define HOLDFAST_DIRECTOR_AGREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "store/view.h"

struct agreement {
    size_t live;        /* observers that count */
    size_t inoperable;  /* of them: say that it is */
    size_t operational; /* of them: say that it serves */
    bool invoke;        /* one that says inoperable has used up its attempts and time */
};

/* Who counts as alive, for all that directors decide: as the view says, by leases,
 * unless its site is recorded as lost. agent: the node's director, which carries
 * out orders; relay: the node's, which owns queues and observes. */
bool agree_node_lives(const struct view *v, const struct config_node *n);
bool agree_agent_lives(const struct view *v, const struct config_node *n);
bool agree_relay_lives(const struct view *v, const struct config_node *n);
/* The instance with epoch of a server. An observation older than two leases is
 * of an observer that is silent. */
struct agreement agree_count(const struct view *v, const struct config *c, struct str server, int64_t epoch);
/* More than half of those that live. */
bool agree_inoperable(const struct agreement *a);
bool agree_operational(const struct agreement *a);

#endif
