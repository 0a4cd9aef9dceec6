/* What the ledger cannot see from outside: who begins with which epoch, who
 * writes under it, who holds and who acts on a lease. Stands in for operations of
 * the memory store at link time. */
#ifndef HOLDFAST_TESTS_SIMULATION_WITNESS_H
#define HOLDFAST_TESTS_SIMULATION_WITNESS_H

#include "simulation/world.h"

/* Whose ledger is told; NULL: nobody's. */
void witness_follow(struct world *w);
/* The relay's process that runs now gives a final dot to mail of the queue. */
void witness_dot(struct str queue);
struct world *witness_world(void); /* that is followed, or NULL */
/* Looks at everyone who serves now. */
void witness_look(struct world *w);

/* ---- between its parts ---- */

struct memory_tx;
struct store_op;

void witness_queue_begin(void);
void witness_queue_end(void);
void witness_queue_dot(void);
void witness_settled(const struct memory_tx *tx, const struct store_op *op);

#endif
