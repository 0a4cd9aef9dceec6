/* Forgets the events that are too many or too old, by the configuration. Only while this director leads; in
 * small steps, so that it never holds the store's writer for long. One loop, one thread; nothing survives a
 * crash. */
#ifndef HOLDFAST_DIRECTOR_PRUNE_H
#define HOLDFAST_DIRECTOR_PRUNE_H

#include "config/config.h"
#include "loop/loop.h"
#include "store/lease.h"
#include "store/network.h"

struct prune;

/* All must outlive it. */
struct prune *prune_new(struct loop *l, struct network *n, struct lease *lead, const struct config *config);
void prune_free(struct prune *p); /* NULL is allowed */

#endif
