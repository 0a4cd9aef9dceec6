/* The messages that a walk over what is owed goes past just now: their bodies could not be read, which may
 * pass (a disk that fails in places). Each has a back-off of its own; after the last try the report is made
 * without what it would send back, for its sender is to be told all the same. Pure, the time passed in; for
 * relay/reports.c. Bounded; nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_ASIDE_H
#define HOLDFAST_RELAY_ASIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define ASIDE_MAX       64 /* further ones are reported without their content at once: the disk is past reading */
#define ASIDE_TRIES_MAX 8 /* with what ASIDE_FIRST_MS leads to, four minutes */
#define ASIDE_FIRST_MS  1000

struct aside_item {
    int64_t message_id;
    struct mono_time at; /* of the next try */
    unsigned tries;      /* that failed */
    bool seen;           /* in the walk under way */
};

struct aside {
    struct aside_item items[ASIDE_MAX];
    size_t count;
};

enum aside_word {
    ASIDE_READ,    /* try it */
    ASIDE_PAST,    /* not now */
    ASIDE_WITHOUT, /* it was tried often enough */
};

void aside_init(struct aside *a);
/* Of a message that the walk has come to. */
enum aside_word aside_ask(struct aside *a, int64_t message_id, struct mono_time now);
/* A try failed: ASIDE_PAST, or ASIDE_WITHOUT when there is no room for one more. first: of this message, so
 * that it is to be said. */
enum aside_word aside_failed(struct aside *a, int64_t message_id, struct mono_time now, bool *ret_first);
/* Its body was read. */
void aside_drop(struct aside *a, int64_t message_id);
/* A walk begins; it has come to the end: what it did not come to is owed no more. */
void aside_walk_begin(struct aside *a);
void aside_walk_end(struct aside *a);
/* The earliest try; MONO_NEVER: none waits. */
struct mono_time aside_next(const struct aside *a);

#endif
