/* Many seeds, judged in TAP: one case for each group of seeds, or, for mutants,
 * one for each of them. */
#ifndef HOLDFAST_TESTS_SIMULATION_CAMPAIGN_H
#define HOLDFAST_TESTS_SIMULATION_CAMPAIGN_H

#include "simulation/layouts.h"
#include "simulation/seeds.h"

struct campaign_options {
    const struct layouts *layouts;
    struct seeds seeds;
    size_t jobs;
};

/* All seeds shall be green. 0 when they are. */
int campaign_play(const struct campaign_options *options);
/* Each mutant shall be caught by one of the seeds. 0 when all are. */
int campaign_hunt(const struct campaign_options *options);

#endif
