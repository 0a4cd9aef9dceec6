/* Senders at the client host: each letter is sent by SMTP to one host after the
 * other, as a mail exchanger's list tells, again and again until all of its
 * recipients were accepted, or refused for good where that may be. Each attempt is a message of its own, with
 * a tag; the ledger hears of what was said.
 * Where there is an outside they ask, or do not, for reports, and some have no reverse-path, or one to which
 * no mail can come. */
#ifndef HOLDFAST_TESTS_SIMULATION_SENDERS_H
#define HOLDFAST_TESTS_SIMULATION_SENDERS_H

#include "simulation/world.h"

struct senders;

/* count letters, begun at random times within span_ms. */
struct senders *senders_new(struct world *w, size_t count, int64_t span_ms);
void senders_free(struct senders *s);
/* Letters that were not accepted for all of their recipients yet. */
size_t senders_open(const struct senders *s);

/* The tag of an attempt, by its reverse-path; 0: it is none of theirs. By its ENVID, which is the tag, where
 * the reverse-path is null. */
int64_t senders_tag_of_path(struct str path);
int64_t senders_tag_of(struct str reverse_path, struct str envid);

#endif
