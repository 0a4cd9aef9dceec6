/* The names of all queues of the network: of each relay of the configuration, and
 * of relays that it has no more, which the network's records still name. For the
 * commands that go through all queues. */
#ifndef HOLDFAST_CLI_QUEUE_NAMES_H
#define HOLDFAST_CLI_QUEUE_NAMES_H

#include "config/config.h"
#include "store/view.h"

struct queue_names {
    char **items;
    size_t count;
    size_t removed_from; /* from this index on: of relays that the configuration has no more */
};

/* Copies what it needs. */
void queue_names_init(struct queue_names *n, const struct config *config, const struct view *v);
void queue_names_fini(struct queue_names *n);
bool queue_names_have(const struct queue_names *n, const char *name);
/* Whether it is there, and of a removed relay. */
bool queue_names_is_removed(const struct queue_names *n, const char *name);

#endif
