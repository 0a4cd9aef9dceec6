/* Which seeds to play: ranges from the command line, and regression files. */
#ifndef HOLDFAST_TESTS_SIMULATION_SEEDS_H
#define HOLDFAST_TESTS_SIMULATION_SEEDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct seeds {
    uint64_t *items;
    size_t count;
};

/* "7" or "1-1000". ERR_SYNTAX, ERR_LIMIT (more than ten million). */
int seeds_add_range(struct seeds *s, const char *text) MUST_USE;
/* A file: a seed on each line, comments from '#' on. ERR_NOT_FOUND, ERR_SYNTAX. */
int seeds_add_file(struct seeds *s, const char *path) MUST_USE;
void seeds_fini(struct seeds *s);

#endif
