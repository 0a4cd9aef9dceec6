#include "relay/claims.h"

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "relay/source.h"

struct claim {
    struct list node; /* of settled */
    int64_t delivery_id;
    struct source *owner, *wanted_by; /* owner NULL: settled */
    uint64_t reset;
};

struct claims {
    struct map by_id;
    struct list settled;
    size_t readings;
};

static struct str id_key(const int64_t *id)
{
    return (struct str){(const char *)id, sizeof(*id)};
}

struct claims *claims_new(void)
{
    struct claims *c = mem_zalloc(sizeof(*c));
    map_init(&c->by_id);
    list_init(&c->settled);
    return c;
}

static void drop(struct claims *c, struct claim *claim)
{
    struct source *wanted_by = claim->wanted_by;
    map_remove(&c->by_id, id_key(&claim->delivery_id));
    list_remove(&claim->node);
    free(claim);
    if (wanted_by)
        source_again(wanted_by);
}

void claims_free(struct claims *c)
{
    if (!c)
        return;
    CHECK(c->readings == 0 && c->by_id.first == NULL);
    map_fini(&c->by_id);
    free(c);
}

bool claims_take(struct claims *c, int64_t delivery_id, struct source *s, uint64_t reset)
{
    struct claim *claim = map_find(&c->by_id, id_key(&delivery_id));
    if (claim) {
        if (claim->owner != s || claim->reset != reset)
            claim->wanted_by = s;
        return false;
    }
    claim = mem_zalloc(sizeof(*claim));
    list_init(&claim->node);
    claim->delivery_id = delivery_id;
    claim->owner = s;
    claim->reset = reset;
    map_set(&c->by_id, id_key(&delivery_id), claim);
    return true;
}

void claims_release(struct claims *c, int64_t delivery_id, bool settled)
{
    struct claim *claim = map_find(&c->by_id, id_key(&delivery_id));
    CHECK(claim && claim->owner);
    claim->owner = NULL;
    if (settled && c->readings > 0)
        list_append(&c->settled, &claim->node);
    else
        drop(c, claim);
}

bool claims_in_flight(const struct claims *c, int64_t delivery_id)
{
    const struct claim *claim = map_find(&c->by_id, id_key(&delivery_id));
    struct queue_filter one = {.delivery_id = delivery_id};
    return claim && claim->owner && source_in_flight(claim->owner, &one) > 0;
}

void claims_forget(struct claims *c, const struct source *s)
{
    for (struct map_entry *e = c->by_id.first; e; e = e->next) {
        struct claim *claim = e->value;
        if (claim->wanted_by == s)
            claim->wanted_by = NULL;
    }
}

void claims_reading_begin(struct claims *c)
{
    c->readings++;
}

void claims_reading_end(struct claims *c)
{
    CHECK(c->readings > 0);
    if (--c->readings > 0)
        return;
    struct list settled; /* a source that is told may read, and settle anew */
    list_init(&settled);
    list_splice(&settled, &c->settled);
    LIST_FOREACH (it, &settled)
        drop(c, LIST_ENTRY(it, struct claim, node));
}
