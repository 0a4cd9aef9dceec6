#include "cli/queue_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void add(struct queue_names *n, struct str name)
{
    n->items = mem_grow(n->items, n->count, sizeof(char *));
    n->items[n->count++] = str_dup(name);
}

static bool has(const struct queue_names *n, size_t from, struct str name)
{
    for (size_t i = from; i < n->count; i++)
        if (str_eq(str_from(n->items[i]), name))
            return true;
    return false;
}

void queue_names_init(struct queue_names *n, const struct config *config, const struct view *v)
{
    *n = (struct queue_names){.items = NULL};
    for (size_t i = 0; i < config->relay_count; i++)
        add(n, str_from(config->relays[i].name));
    n->removed_from = n->count;
    for (size_t i = 0; i < v->queue_count; i++)
        if (!has(n, 0, v->queues[i].name))
            add(n, v->queues[i].name);
}

void queue_names_fini(struct queue_names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->items[i]);
    free(n->items);
}

bool queue_names_have(const struct queue_names *n, const char *name)
{
    return has(n, 0, str_from(name));
}

bool queue_names_is_removed(const struct queue_names *n, const char *name)
{
    return has(n, n->removed_from, str_from(name));
}
