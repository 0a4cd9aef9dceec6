/* The provisioner and the fence agent `process`, played: they start and end
 * instances on their node, by the rules of provision/process.c. Whoever asked
 * may have died meanwhile; the programs go on. */
#ifndef HOLDFAST_TESTS_SIMULATION_PROVISION_H
#define HOLDFAST_TESTS_SIMULATION_PROVISION_H

#include "simulation/world.h"

/* What processes of a node spawn; arg: the node. */
void provision_on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec);
/* Forgets all that was to come; after the last run of the world. */
void provision_fini(struct world *w);

#endif
