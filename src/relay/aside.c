#include "relay/aside.h"

void aside_init(struct aside *a)
{
    a->count = 0;
}

static struct aside_item *find(struct aside *a, int64_t message_id)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].message_id == message_id)
            return &a->items[i];
    return NULL;
}

enum aside_word aside_ask(struct aside *a, int64_t message_id, struct mono_time now)
{
    struct aside_item *item = find(a, message_id);
    if (!item)
        return ASIDE_READ;
    item->seen = true;
    if (mono_before(now, item->at))
        return ASIDE_PAST;
    return item->tries < ASIDE_TRIES_MAX ? ASIDE_READ : ASIDE_WITHOUT;
}

enum aside_word aside_failed(struct aside *a, int64_t message_id, struct mono_time now, bool *ret_first)
{
    struct aside_item *item = find(a, message_id);
    *ret_first = !item;
    if (!item && a->count == ASIDE_MAX)
        return ASIDE_WITHOUT;
    if (!item) {
        item = &a->items[a->count++];
        *item = (struct aside_item){.message_id = message_id, .seen = true};
    }
    item->at = mono_add_ms(now, (int64_t)ASIDE_FIRST_MS << item->tries++);
    return ASIDE_PAST;
}

static void remove_at(struct aside *a, size_t i)
{
    a->items[i] = a->items[--a->count];
}

void aside_drop(struct aside *a, int64_t message_id)
{
    struct aside_item *item = find(a, message_id);
    if (item)
        remove_at(a, (size_t)(item - a->items));
}

void aside_walk_begin(struct aside *a)
{
    for (size_t i = 0; i < a->count; i++)
        a->items[i].seen = false;
}

void aside_walk_end(struct aside *a)
{
    for (size_t i = a->count; i > 0; i--)
        if (!a->items[i - 1].seen)
            remove_at(a, i - 1);
}

struct mono_time aside_next(const struct aside *a)
{
    struct mono_time next = MONO_NEVER;
    for (size_t i = 0; i < a->count; i++)
        if (mono_before(a->items[i].at, next))
            next = a->items[i].at;
    return next;
}
