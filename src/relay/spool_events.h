/* What a relay's spool has to tell, on its way into the network's events: in order, tried again until the
 * store takes it, for most of it happens while that cannot be reached. The log has it at once.
 *
 * Used by spool.c. One loop. What was not written is lost in a crash. */
#ifndef HOLDFAST_RELAY_SPOOL_EVENTS_H
#define HOLDFAST_RELAY_SPOOL_EVENTS_H

#include <jansson.h>

#include "loop/loop.h"
#include "store/network.h"

struct spool_events;

struct spool_events *spool_events_new(struct loop *l, struct network *n);
void spool_events_free(struct spool_events *e);
/* kind is a literal; key is copied; detail is taken. Beyond SPOOL_EVENTS_MAX that wait it is dropped. */
void spool_events_add(struct spool_events *e, const char *kind, const char *key, json_t *detail);

#define SPOOL_EVENTS_MAX 100

#endif
