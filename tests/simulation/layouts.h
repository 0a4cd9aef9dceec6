/* The networks that worlds are made of: the configuration that their roles get. */
#ifndef HOLDFAST_TESTS_SIMULATION_LAYOUTS_H
#define HOLDFAST_TESTS_SIMULATION_LAYOUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum layout {
    LAYOUT_PLAIN,    /* mail1 alone, builtin, which may be created again */
    LAYOUT_STANDBY,  /* mail2 beside it: a standby that is tried first */
    LAYOUT_TOLD,     /* as plain, and senders are told of failures: their mail leaves the network */
    LAYOUT_EXTERNAL, /* mail1 is any server, by SMTP; senders are told */
    LAYOUT_LMTP,     /* the same by LMTP; senders are told only what they ask for by name */
    LAYOUT_COUNT
};

struct layouts {
    struct config *items[LAYOUT_COUNT];
};

void layouts_load(struct layouts *ret_layouts);
void layouts_free(struct layouts *l);

/* Of a seed: by its number whether there is anybody outside, and standbys as `random` has it. */
enum layout layout_choose(uint64_t seed, uint64_t random);
bool layout_has_strangers(enum layout layout); /* servers that are not ours, and the DNS that tells of them */
bool layout_has_instances(enum layout layout); /* mail1 is ours */
bool layout_is_external(enum layout layout);   /* or is one of them */
const char *layout_name(enum layout layout);   /* "a world with ..." */

#endif
