#include "relay/spool_events.h"

#include "base/list.h"
#include "base/mem.h"
#include "relay/errand.h"

struct event {
    struct list node;
    const char *kind;
    char *key, *detail;
};

struct spool_events {
    struct network *network;
    struct errand errand;
    struct list waiting;
    size_t count;
};

static void drop_first(struct spool_events *e)
{
    struct event *first = LIST_ENTRY(e->waiting.next, struct event, node);
    list_remove(&first->node);
    free(first->key);
    free(first->detail);
    free(first);
    e->count--;
}

static void on_written(void *arg, int err, size_t failed)
{
    struct spool_events *e = arg;
    (void)failed;
    e->errand.op = NULL;
    if (err) {
        errand_refused(&e->errand);
        return;
    }
    drop_first(e);
    errand_begin(&e->errand);
}

static void begin(void *arg)
{
    struct spool_events *e = arg;
    if (list_empty(&e->waiting)) {
        errand_rest(&e->errand);
        return;
    }
    const struct event *first = LIST_ENTRY(e->waiting.next, struct event, node);
    struct network_change change = {.type = NETWORK_EVENT,
                                    .kind = str_from(first->kind),
                                    .key = str_from(first->key),
                                    .value = str_from(first->detail)};
    e->errand.op = network_write(e->network, &change, 1, NULL, on_written, e);
}

void spool_events_add(struct spool_events *e, const char *kind, const char *key, json_t *detail)
{
    CHECK(detail);
    if (e->count < SPOOL_EVENTS_MAX) {
        struct event *event = mem_zalloc(sizeof(*event));
        event->kind = kind;
        event->key = mem_strdup(key);
        event->detail = json_dumps(detail, JSON_COMPACT);
        list_append(&e->waiting, &event->node);
        e->count++;
        errand_kick(&e->errand);
    }
    json_decref(detail);
}

struct spool_events *spool_events_new(struct loop *l, struct network *n)
{
    struct spool_events *e = mem_zalloc(sizeof(*e));
    e->network = n;
    list_init(&e->waiting);
    errand_init(&e->errand, l, begin, e);
    return e;
}

void spool_events_free(struct spool_events *e)
{
    errand_fini(&e->errand);
    while (!list_empty(&e->waiting))
        drop_first(e);
    free(e);
}
