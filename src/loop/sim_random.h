/* The simulator's random numbers: xoshiro256** by Blackman and Vigna, seeded by
 * splitmix64. Fast and the same everywhere; not for secrets. */
#ifndef HOLDFAST_LOOP_SIM_RANDOM_H
#define HOLDFAST_LOOP_SIM_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct sim_random {
    uint64_t state[4];
};

void sim_random_init(struct sim_random *r, uint64_t seed);
uint64_t sim_random_next(struct sim_random *r);
uint64_t sim_random_range(struct sim_random *r, uint64_t n); /* uniform in [0, n), n > 0 */
void sim_random_fill(struct sim_random *r, void *out, size_t len);
uint64_t sim_random_mix(uint64_t value); /* one step of splitmix64: a good hash of value */

#endif
