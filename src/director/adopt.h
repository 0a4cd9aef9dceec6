/* Who shall own each relay's queue, and whose routes are missing: what the
 * leading director keeps in order besides failovers. Pure; changes go into a
 * batch. */
#ifndef HOLDFAST_DIRECTOR_ADOPT_H
#define HOLDFAST_DIRECTOR_ADOPT_H

#include <stdbool.h>

#include "config/config.h"
#include "director/batch.h"
#include "store/view.h"

/* A queue belongs to its relay's node while that relay lives; while the owner's
 * relay is dead, to a node with a live one, of the same site rather than another.
 * The record tells who had it before, so that the new owner sends nothing that the
 * former may be sending (relay/rights.h).
 * A director's death takes no queue from anybody. settled: the caller has looked
 * for as long as a lease runs, so that a relay without one is dead, and not only
 * later than we are in a start of everything. */
void adopt_queues(const struct view *v, const struct config *c, bool settled, struct batch *b);

/* Each domain's mail goes to its configured server, or to the standby that
 * serves it (failovers change routes themselves, with the server's record). */
void adopt_routes(const struct view *v, const struct config *c, struct batch *b);
/* The same for the domains of one server, as its record is being changed. */
void adopt_routes_of(const struct view *v, const struct config *c, const struct config_server *s,
                     struct str served_by, struct batch *b);

#endif
