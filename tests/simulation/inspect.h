/* What is found in the store: the queues and the INBOXes, told to the ledger.
 * Each function runs the world until the store has answered. */
#ifndef HOLDFAST_TESTS_SIMULATION_INSPECT_H
#define HOLDFAST_TESTS_SIMULATION_INSPECT_H

#include "simulation/world.h"

/* Deliveries of all queues that wait or are held, and reports that are owed. */
size_t inspect_waiting(struct world *w);
/* One line for each of them. */
void inspect_describe_waiting(struct world *w, struct buf *out);
/* The end: all of it to the ledger. */
void inspect_queues(struct world *w);
void inspect_mail(struct world *w);

#endif
