#include "base/heap.h"

#include "base/check.h"
#include "base/mem.h"

void heap_init(struct heap *h, bool (*less)(const struct heap_node *, const struct heap_node *))
{
    *h = (struct heap){.less = less};
}

void heap_fini(struct heap *h)
{
    for (size_t i = 0; i < h->len; i++)
        h->nodes[i]->index = HEAP_NONE;
    free(h->nodes);
    heap_init(h, h->less);
}

void heap_node_init(struct heap_node *n)
{
    n->index = HEAP_NONE;
}

bool heap_contains(const struct heap_node *n)
{
    return n->index != HEAP_NONE;
}

static void place(struct heap *h, size_t index, struct heap_node *n)
{
    h->nodes[index] = n;
    n->index = index;
}

static void sift_up(struct heap *h, size_t index)
{
    struct heap_node *n = h->nodes[index];
    while (index > 0 && h->less(n, h->nodes[(index - 1) / 2])) {
        place(h, index, h->nodes[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(h, index, n);
}

static void sift_down(struct heap *h, size_t index)
{
    struct heap_node *n = h->nodes[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= h->len)
            break;
        if (child + 1 < h->len && h->less(h->nodes[child + 1], h->nodes[child]))
            child++;
        if (!h->less(h->nodes[child], n))
            break;
        place(h, index, h->nodes[child]);
        index = child;
    }
    place(h, index, n);
}

void heap_push(struct heap *h, struct heap_node *n)
{
    CHECK(!heap_contains(n));
    if (h->len == h->capacity) {
        h->capacity = h->capacity ? 2 * h->capacity : 16;
        h->nodes = mem_reallocarray(h->nodes, h->capacity, sizeof(*h->nodes));
    }
    place(h, h->len++, n);
    sift_up(h, n->index);
}

struct heap_node *heap_peek(const struct heap *h)
{
    return h->len ? h->nodes[0] : NULL;
}

struct heap_node *heap_pop(struct heap *h)
{
    struct heap_node *least = heap_peek(h);
    if (least)
        heap_remove(h, least);
    return least;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
    size_t index = n->index;
    CHECK(index < h->len && h->nodes[index] == n);
    struct heap_node *last = h->nodes[--h->len];
    n->index = HEAP_NONE;
    if (last == n)
        return;
    place(h, index, last);
    heap_update(h, last);
}

void heap_update(struct heap *h, struct heap_node *n)
{
    sift_up(h, n->index);
    sift_down(h, n->index);
}
