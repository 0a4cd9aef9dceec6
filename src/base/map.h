/* A hash map from byte strings to pointers. Keys are copied; values are not
 * owned. The hash is seeded per process (SipHash-1-3) since keys come from
 * peers. Iteration order is by insertion, so that simulations repeat. */
#ifndef HOLDFAST_BASE_MAP_H
#define HOLDFAST_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct map_entry {
    struct str key; /* NUL-terminated beyond its length */
    void *value;
    uint64_t hash;
    struct map_entry *chain;       /* same bucket */
    struct map_entry *prev, *next; /* insertion order */
};

struct map {
    struct map_entry **buckets;
    size_t bucket_count, len;
    struct map_entry *first, *last;
};

void map_init(struct map *m);
void map_fini(struct map *m);
void *map_find(const struct map *m, struct str key); /* or NULL */
/* Sets key to value (not NULL) and returns the value that was there, or NULL. */
void *map_set(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); /* the value, or NULL */

/* for (e = m.first; e; e = e->next); the entry at hand may be removed when
 * its next was read before. */

/* Seeds the hash of this process; call once before the first map. Unseeded
 * (tests, simulator) the hash is the same in every run. */
void map_seed(const uint8_t seed[16]);
uint64_t map_hash(struct str key);

#endif
