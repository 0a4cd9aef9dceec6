/* The networks that worlds are made of: the configuration that their roles get. */
#ifndef HOLDFAST_TESTS_SIMULATION_LAYOUTS_H
#define HOLDFAST_TESTS_SIMULATION_LAYOUTS_H

#include "config/config.h"

struct layouts {
    struct config *plain;   /* mail1 alone, which may be created again */
    struct config *standby; /* mail2 beside it: a standby that is tried first */
};

void layouts_load(struct layouts *ret_layouts);
void layouts_free(struct layouts *l);

#endif
