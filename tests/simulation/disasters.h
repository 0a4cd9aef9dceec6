/* Disasters: a schedule that the world's random draws, played at its times. Each
 * lasts for a while; disasters_end undoes all that can be undone, but leaves dead
 * what was to stay dead (at most one node). */
#ifndef HOLDFAST_TESTS_SIMULATION_DISASTERS_H
#define HOLDFAST_TESTS_SIMULATION_DISASTERS_H

#include <stddef.h>

#include "simulation/world.h"

struct disasters;

#define DEATH_KINDS    13
#define TROUBLE_KINDS  17
#define FAILING_KINDS  10
#define DISASTER_KINDS (DEATH_KINDS + TROUBLE_KINDS + FAILING_KINDS)

const char *disaster_kind_name(size_t kind);

/* Draws them, and the clocks and the network's latency; before the nodes start. */
struct disasters *disasters_new(struct world *w, int64_t span_ms);
void disasters_free(struct disasters *d);
/* No more of them; what is down comes up again. */
void disasters_end(struct disasters *d);
/* How many of a kind happened, and met the victim that they need. */
size_t disasters_happened(const struct disasters *d, size_t kind);

#endif
