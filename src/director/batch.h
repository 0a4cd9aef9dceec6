/* The changes of one transaction, collected, then written at once. For the
 * director's leader and agent. Texts live in the batch's arena. */
#ifndef HOLDFAST_DIRECTOR_BATCH_H
#define HOLDFAST_DIRECTOR_BATCH_H

#include <stddef.h>

#include "base/arena.h"
#include "store/network.h"

struct batch {
    struct arena *arena;
    struct network_change *changes;
    size_t count, capacity;
};

void batch_init(struct batch *b, struct arena *arena);
void batch_fini(struct batch *b); /* the arena is the caller's */
/* Takes json (heap, of a record's encoder). */
void batch_put(struct batch *b, const char *kind, struct str key, char *json, int64_t expect_version);
void batch_delete(struct batch *b, const char *kind, struct str key, int64_t expect_version);
/* members: NULL-terminated pairs of name and text. */
void batch_event(struct batch *b, const char *kind, struct str subject, const char *const *members);
/* The same with its whole detail; takes json (heap). */
void batch_event_json(struct batch *b, const char *kind, struct str subject, char *json);

#endif
