/* An intrusive binary min-heap (schedules, timers). The item embeds a
 * heap_node; the heap holds pointers to those and keeps each node's index. */
#ifndef HOLDFAST_BASE_HEAP_H
#define HOLDFAST_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap_node {
    size_t index; /* HEAP_NONE when in no heap; set by heap_node_init */
};

#define HEAP_NONE ((size_t)-1)

struct heap {
    struct heap_node **nodes;
    size_t len, capacity;
    bool (*less)(const struct heap_node *a, const struct heap_node *b);
};

void heap_init(struct heap *h, bool (*less)(const struct heap_node *, const struct heap_node *));
void heap_fini(struct heap *h); /* the items are not owned */
void heap_node_init(struct heap_node *n);
bool heap_contains(const struct heap_node *n);
void heap_push(struct heap *h, struct heap_node *n);
struct heap_node *heap_peek(const struct heap *h); /* the least, or NULL */
struct heap_node *heap_pop(struct heap *h);        /* the least, or NULL */
void heap_remove(struct heap *h, struct heap_node *n);
void heap_update(struct heap *h, struct heap_node *n); /* after its key changed */

#endif
