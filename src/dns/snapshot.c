#include "dns/snapshot.h"

#include "base/mem.h"

struct dns_snapshot *dns_snapshot_new(struct dns_zones *zones, const struct dns_view *view)
{
    struct dns_snapshot *s = mem_zalloc(sizeof(*s));
    s->zones = dns_zones_ref(zones);
    dns_view_copy(&s->view, view, zones->config);
    s->source = (struct dns_source){.zones = s->zones, .view = &s->view};
    s->source.prepared = s->prepared = dns_prepared_new(&s->source);
    list_init(&s->node);
    return s;
}

void dns_snapshot_free(struct dns_snapshot *s)
{
    if (s == NULL)
        return;
    dns_prepared_free(s->prepared);
    dns_view_fini(&s->view);
    dns_zones_free(s->zones);
    free(s);
}

void dns_current_init(struct dns_current *c, struct dns_snapshot *first)
{
    atomic_init(&c->now, first);
    for (size_t i = 0; i < DNS_READERS_MAX; i++)
        atomic_init(&c->shown[i], NULL);
    list_init(&c->retired);
}

static bool is_shown(struct dns_current *c, const struct dns_snapshot *s)
{
    for (size_t i = 0; i < DNS_READERS_MAX; i++)
        if (atomic_load(&c->shown[i]) == s)
            return true;
    return false;
}

static void free_retired(struct dns_current *c)
{
    LIST_FOREACH (it, &c->retired) {
        struct dns_snapshot *s = LIST_ENTRY(it, struct dns_snapshot, node);
        if (is_shown(c, s))
            continue;
        list_remove(&s->node);
        dns_snapshot_free(s);
    }
}

void dns_current_publish(struct dns_current *c, struct dns_snapshot *next)
{
    struct dns_snapshot *old = atomic_exchange(&c->now, next);
    list_append(&c->retired, &old->node);
    free_retired(c);
}

void dns_current_fini(struct dns_current *c)
{
    free_retired(c);
    CHECK(list_empty(&c->retired));
    dns_snapshot_free(atomic_load(&c->now));
}

const struct dns_source *dns_current_enter(struct dns_current *c, size_t slot)
{
    struct dns_snapshot *s;
    CHECK(slot < DNS_READERS_MAX);
    /* shown before it is read; when it was replaced in between, the writer may not have seen that */
    do {
        s = atomic_load(&c->now);
        atomic_store(&c->shown[slot], s);
    } while (s != atomic_load(&c->now));
    return &s->source;
}

void dns_current_leave(struct dns_current *c, size_t slot)
{
    atomic_store_explicit(&c->shown[slot], NULL, memory_order_release);
}

const struct dns_source *dns_current_source(struct dns_current *c)
{
    return &atomic_load(&c->now)->source;
}
