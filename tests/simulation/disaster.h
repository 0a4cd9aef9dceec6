/* One disaster from the inside, and the kinds there are: deaths.c has deaths and
 * pauses, troubles.c what goes wrong around those that live, failings.c what others do wrong. disasters.c
 * draws and plays them. */
#ifndef HOLDFAST_TESTS_SIMULATION_DISASTER_H
#define HOLDFAST_TESTS_SIMULATION_DISASTER_H

#include "simulation/disasters.h"

#define STRENGTH_MAX 1000

struct disaster {
    struct disasters *all;
    size_t kind;
    int64_t at_ms, lasts_ms;
    struct node *node;
    const char *from, *to; /* a link, this direction or both */
    bool both, stays;
    uint32_t strength; /* 1 to STRENGTH_MAX, also where one of several is to be chosen */
    struct process *frozen;
    struct stranger *stranger;
    struct node *asleep, *home;
    uint32_t deaths; /* of heirs, still to come */
};

#define DISASTERS_MAX 12 /* of one world */

struct disasters {
    struct world *world;
    struct disaster items[DISASTERS_MAX];
    size_t count, happened[DISASTER_KINDS];
    bool over;
    struct node *lost; /* stays dead */
};

/* The worlds in which there is a victim. */
enum disaster_where {
    EVERYWHERE,
    WITH_INSTANCES, /* mail1 is ours */
    WITH_STRANGERS, /* there are servers that are not */
};

struct disaster_kind {
    const char *name;
    unsigned weight; /* how often it is drawn beside the others */
    /* True: it met the victim that it needs. False: it did not, or counts itself when it does. */
    bool (*begin)(struct disaster *x);
    void (*end)(struct disaster *x);   /* NULL: it is over at once, or mends itself */
    bool early;                        /* what it leads to takes a while */
    void (*drawn)(struct disaster *x); /* NULL: nothing is to be known of it before */
    enum disaster_where where;
};

extern const struct disaster_kind death_kinds[DEATH_KINDS], trouble_kinds[TROUBLE_KINDS],
    failing_kinds[FAILING_KINDS];

/* Of the world's random, below n. */
uint64_t disaster_random(const struct disaster *x, uint64_t n);

#endif
