/* Senders at the client host: each letter is sent by SMTP to one host after the
 * other, as a mail exchanger's list tells, again and again until all of its
 * recipients were accepted, or refused for good where that may be. Each attempt is a message of its own, with
 * a tag; the ledger hears of what was said. */
#ifndef HOLDFAST_TESTS_SIMULATION_SENDERS_H
#define HOLDFAST_TESTS_SIMULATION_SENDERS_H

#include "simulation/world.h"

struct senders;

/* count letters, begun at random times within span_ms. */
struct senders *senders_new(struct world *w, size_t count, int64_t span_ms);
void senders_free(struct senders *s);
/* Letters that were not accepted for all of their recipients yet. */
size_t senders_open(const struct senders *s);

#endif
