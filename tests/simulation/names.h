/* The DNS outside, as a resolver of the relays: elsewhere.test with its two
 * exchangers; deaf.test takes no mail (RFC 7505); no other name is there. */
#ifndef HOLDFAST_TESTS_SIMULATION_NAMES_H
#define HOLDFAST_TESTS_SIMULATION_NAMES_H

#include "resolver/resolver.h"
#include "simulation/world.h"

/* Of a process; for resolver_free, after the role that asks. */
struct resolver *names_resolver_new(struct world *w, struct loop *l);

#endif
