#include "store/memory/device.h"

#include "base/mem.h"

int64_t table_add(struct table *t, void *item)
{
    t->items = mem_grow(t->items, t->count, sizeof(*t->items));
    t->items[t->count++] = item;
    return (int64_t)t->count;
}

void *table_get(const struct table *t, int64_t id)
{
    return id >= 1 && (uint64_t)id <= t->count ? t->items[id - 1] : NULL;
}

void table_fini(struct table *t, void (*item_free)(void *item))
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i])
            item_free(t->items[i]);
    free(t->items);
    *t = (struct table){0};
}

struct str str_keep(struct str s)
{
    return (struct str){str_dup(s), s.len};
}

void str_drop(struct str *s)
{
    free((void *)(uintptr_t)s->ptr);
    *s = (struct str){0};
}

void str_replace(struct str *s, struct str by)
{
    struct str kept = str_keep(by);
    str_drop(s);
    *s = kept;
}

struct store_memory *store_memory_new(struct mono_time (*clock)(void *arg), void *arg)
{
    struct store_memory *m = mem_zalloc(sizeof(*m));
    m->clock = clock;
    m->clock_arg = arg;
    list_init(&m->stores);
    map_init(&m->network.leases);
    map_init(&m->network.records);
    map_init(&m->network.recipients);
    map_init(&m->mail.users);
    map_init(&m->mail.instances);
    map_init(&m->queues);
    return m;
}

void store_memory_free(struct store_memory *m)
{
    CHECK(list_empty(&m->stores));
    for (struct map_entry *e = m->queues.first; e; e = e->next)
        memory_queue_free(e->value);
    map_fini(&m->queues);
    memory_network_fini(&m->network);
    memory_mail_fini(&m->mail);
    free(m);
}

void store_memory_set_faults(struct store_memory *m, const struct store_memory_faults *faults,
                             uint64_t (*draw)(void *arg, uint64_t n), void *arg)
{
    m->faults = *faults;
    m->draw = draw;
    m->draw_arg = arg;
}

static void corrupt_bodies(struct table *bodies)
{
    for (size_t i = 0; i < bodies->count; i++) {
        struct memory_body *body = bodies->items[i];
        for (size_t k = 0; body && k < body->chunk_count; k++)
            if (body->chunks[k].len > 0)
                body->chunks[k].data[body->chunks[k].len / 2] ^= 1;
    }
}

void store_memory_corrupt(struct store_memory *m)
{
    for (struct map_entry *e = m->queues.first; e; e = e->next)
        corrupt_bodies(&((struct memory_queue *)e->value)->bodies);
    corrupt_bodies(&m->mail.bodies);
}
