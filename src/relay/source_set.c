#include "relay/source_set.h"

#include <string.h>

#include "base/mem.h"

void source_set_fini(struct source_set *set)
{
    CHECK(set->count == 0);
    free(set->items);
}

static size_t find(const struct source_set *set, const struct source *s)
{
    size_t i = 0;
    while (i < set->count && set->items[i] != s)
        i++;
    return i;
}

bool source_set_has(const struct source_set *set, const struct source *s)
{
    return find(set, s) < set->count;
}

void source_set_add(struct source_set *set, struct source *s)
{
    set->items = mem_reallocarray(set->items, set->count + 1, sizeof(struct source *));
    set->items[set->count++] = s;
}

void source_set_remove(struct source_set *set, const struct source *s)
{
    size_t i = find(set, s);
    if (i == set->count)
        return;
    memmove(&set->items[i], &set->items[i + 1], (set->count - i - 1) * sizeof(struct source *));
    set->count--;
    set->next = 0;
}

size_t source_set_ready(const struct source_set *set, enum source_lane lane)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += source_ready(set->items[i], lane);
    return count;
}

void source_set_wake(struct source_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        source_wake(set->items[i]);
}

struct transaction *source_set_take(struct source_set *set, enum source_lane lane)
{
    for (size_t i = 0; i < set->count; i++) {
        size_t at = (set->next + i) % set->count;
        struct transaction *found = source_take(set->items[at], lane);
        if (found) {
            set->next = (at + 1) % set->count;
            return found;
        }
    }
    return NULL;
}
