/* The provisioner and the fence agent `process`, played: they start and end
 * instances on their node, by the rules of provision/process.c. Whoever asked
 * may have died meanwhile; the programs go on. */
#ifndef HOLDFAST_TESTS_SIMULATION_PROVISION_H
#define HOLDFAST_TESTS_SIMULATION_PROVISION_H

#include "loop/sim.h"

/* What processes of a node spawn; arg: the node. */
void provision_on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec);

#endif
