/* Which copies there are of what a part of the store was given. */
#ifndef HOLDFAST_STORE_COPIES_H
#define HOLDFAST_STORE_COPIES_H

#define STORE_WHY_MAX 256

enum store_copies {
    STORE_COPIES_LOCAL,   /* none is waited for: not asked for, or every other site is recorded as lost */
    STORE_COPIES_FLOW,    /* another site has what was told of */
    STORE_COPIES_MISSING, /* durability is degraded */
};

/* "local", "replicated", "degraded". */
const char *store_copies_name(enum store_copies copies);

#endif
