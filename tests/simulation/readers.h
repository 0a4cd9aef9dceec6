/* Readers at the client host: one for each user, by IMAP to where mail1 is said
 * to be. Each logs in, looks at the whole INBOX again and again, sets flags and
 * expunges; when the connection is gone it begins anew. The ledger hears of what
 * was shown and confirmed. */
#ifndef HOLDFAST_TESTS_SIMULATION_READERS_H
#define HOLDFAST_TESTS_SIMULATION_READERS_H

#include "simulation/world.h"

struct readers;

struct readers *readers_new(struct world *w);
void readers_free(struct readers *r);
/* From now on all are waiting, until each has seen its whole INBOX once more. */
void readers_expect(struct readers *r);
size_t readers_waiting(const struct readers *r);
/* They read and change nothing more; what was not answered is open. */
void readers_stop(struct readers *r);

#endif
