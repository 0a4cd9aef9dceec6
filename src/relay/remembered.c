#include "relay/remembered.h"

#include "base/mem.h"

void remembered_init(struct remembered *r)
{
    map_init(&r->known);
    map_init(&r->unknown);
}

static void free_all(struct map *m)
{
    for (struct map_entry *e = m->first; e; e = e->next)
        free(e->value);
    map_fini(m);
}

void remembered_fini(struct remembered *r)
{
    free_all(&r->known);
    free_all(&r->unknown);
}

void remembered_put(struct remembered *r, struct str address, bool known, struct wall_time at)
{
    struct map *m = known ? &r->known : &r->unknown;
    size_t max = known ? REMEMBERED_KNOWN_MAX : REMEMBERED_UNKNOWN_MAX;
    struct wall_time *stored = mem_zalloc(sizeof(*stored));
    *stored = at;
    free(map_remove(&r->known, address));
    free(map_remove(&r->unknown, address));
    if (m->len >= max)
        free(map_remove(m, m->first->key));
    map_set(m, address, stored);
}

struct verdict_memory remembered_find(const struct remembered *r, struct str address)
{
    const struct wall_time *known = map_find(&r->known, address), *unknown = map_find(&r->unknown, address);
    if (known)
        return (struct verdict_memory){VERDICT_KNOWN, *known};
    if (unknown)
        return (struct verdict_memory){VERDICT_UNKNOWN, *unknown};
    return (struct verdict_memory){VERDICT_NEVER, {0}};
}
