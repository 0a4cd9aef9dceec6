/* Which copies there are of what a part of the store was given. */
#ifndef HOLDFAST_STORE_COPIES_H
#define HOLDFAST_STORE_COPIES_H

#define STORE_WHY_MAX   256
#define STORE_SITES_MAX 16
/* Names of all of them, 63 bytes each at the most, a space behind each. */
#define STORE_SITE_NAMES_MAX (STORE_SITES_MAX * 64 + 1)

enum store_copies {
    STORE_COPIES_LOCAL,   /* none is waited for: not asked for, or every other site is recorded as lost */
    STORE_COPIES_FLOW,    /* another site has what was told of */
    STORE_COPIES_MISSING, /* durability is degraded */
};

struct store_copies_told {
    enum store_copies state;
    char why[STORE_WHY_MAX]; /* what is missing, or which sites are lost; else "" */
    /* Sites, by name, a space between; both "" while the database does not tell or is not reached, or has a
     * replication client that is in no site: */
    char seen[STORE_SITE_NAMES_MAX];    /* where a database is connected; the primary's own is the first */
    char copying[STORE_SITE_NAMES_MAX]; /* others whose standby counts, or would if its site were not lost */
};

/* "local", "replicated", "degraded". */
const char *store_copies_name(enum store_copies copies);

#endif
