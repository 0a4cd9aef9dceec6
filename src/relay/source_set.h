/* The sources of one target: their mail is taken by turns. Holds no source: they are their owner's. For
 * target.c. */
#ifndef HOLDFAST_RELAY_SOURCE_SET_H
#define HOLDFAST_RELAY_SOURCE_SET_H

#include "relay/source.h"

struct source_set {
    struct source **items;
    size_t count, next; /* next: whose turn it is */
};

void source_set_fini(struct source_set *set); /* it must be empty */
void source_set_add(struct source_set *set, struct source *s);
void source_set_remove(struct source_set *set, const struct source *s); /* nothing when it is not there */
bool source_set_has(const struct source_set *set, const struct source *s);
/* Transactions that source_set_take would hand out now. */
size_t source_set_ready(const struct source_set *set, enum source_lane lane);
void source_set_wake(struct source_set *set); /* each: see source_wake */
struct transaction *source_set_take(struct source_set *set, enum source_lane lane); /* or NULL */

#endif
