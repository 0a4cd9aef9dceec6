/* The deliveries of one queue that are in the hands of its sources: read into a
 * page, handed out, or being settled. Shared by all sources of the queue, so
 * that a delivery whose place changed while it was out (`queue move`, a route)
 * is not handed out a second time by the source of its new place.
 *
 * Owned by the relay's role, one for each queue that it owns. One thread.
 * Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_CLAIMS_H
#define HOLDFAST_RELAY_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

struct claims;
struct source;

struct claims *claims_new(void);
void claims_free(struct claims *c); /* its sources must be gone; NULL is allowed */

/* s takes the delivery; false: somebody has it. Then source_again(s) is called
 * when it is free, unless s itself has it, unchanged since (same reset). */
bool claims_take(struct claims *c, int64_t delivery_id, struct source *s, uint64_t reset);
/* It is free again. settled: an outcome is in the queue; a reading under way may
 * still show it as it was before, so it is kept until no such reading is left. */
void claims_release(struct claims *c, int64_t delivery_id, bool settled);
/* A source is being freed: it wants nothing any more. */
void claims_forget(struct claims *c, const struct source *s);
/* It is handed out: being sent, or its outcome is on the way into the queue. */
bool claims_in_flight(const struct claims *c, int64_t delivery_id);

/* Around each reading of deliveries from the queue. */
void claims_reading_begin(struct claims *c);
void claims_reading_end(struct claims *c);

#endif
