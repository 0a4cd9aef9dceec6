/* An arena: many small allocations with one lifetime (a query, a session, a
 * message) and a hard cap, so that a peer can not make them grow without end. */
#ifndef HOLDFAST_BASE_ARENA_H
#define HOLDFAST_BASE_ARENA_H

#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out */
    size_t cap_bytes;
};

void arena_init(struct arena *a, size_t cap_bytes);
void arena_fini(struct arena *a);
void arena_clear(struct arena *a); /* frees all allocations, keeps one block */

/* Aligned for any type, zeroed; NULL when the cap would be exceeded. */
void *arena_alloc(struct arena *a, size_t size);
/* NUL-terminated copies; NULL (ptr NULL for the view) when over the cap. */
char *arena_strdup(struct arena *a, struct str s);
struct str arena_str(struct arena *a, struct str s);

#endif
