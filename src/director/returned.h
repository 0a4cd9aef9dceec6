/* A node that comes back (a reboot, a restart of everything) finds records which
 * say that instances run on it. For each of them the provisioner is asked; for
 * one that is off, the director gets an order to start the identity again in the
 * same place. That is no failover: it also happens in manual mode, and at once,
 * not after relays have found out. For the director's role, once after its start.
 *
 * The order names the epoch that was found off: it is refused when the identity
 * has moved on meanwhile. */
#ifndef HOLDFAST_DIRECTOR_RETURNED_H
#define HOLDFAST_DIRECTOR_RETURNED_H

#include "config/config.h"
#include "director/program.h"
#include "store/lease.h"
#include "store/view.h"

struct returned;

/* All must outlive it. lease: the node's. */
struct returned *returned_new(struct loop *l, struct network *n, struct lease *lease,
                              const struct config_node *node, const struct program_options *options);
void returned_free(struct returned *r); /* NULL is allowed */
/* The first view while the lease is held is looked at, later ones are not. */
void returned_on_view(struct returned *r, const struct view *v);

#endif
