#include "relay/observer.h"

#include <jansson.h>
#include <stdio.h>

#include "base/mem.h"
#include "store/records.h"

struct observer {
    struct loop *loop;
    struct network *network;
    const struct config_relay *relay;
    const struct record_work *work;
    int64_t interval_ms;
    struct target *const *targets;
    size_t target_count;
    struct queue *queue;       /* or NULL */
    enum store_copies copies;  /* of it, as was told last ... */
    enum store_copies telling; /* ... and as is being told */
    struct loop_timer *timer;
    struct store_op *op;
    bool again;
};

static void write_all(struct observer *o);

static void on_written(void *arg, int err, size_t failed)
{
    struct observer *o = arg;
    (void)failed;
    o->op = NULL;
    if (err ==
        0) /* a store that takes nothing is seen by the directors as silence, which counts as unknown */
        o->copies = o->telling;
    if (o->again)
        loop_timer_start(o->timer, 0);
}

static void fill(struct record_observation *record, const struct target_observation *seen)
{
    *record = (struct record_observation){
        .state = str_from(health_state_name(seen->word->state)),
        .epoch = seen->epoch,
        .failed = seen->failed,
        .down_for_ms = seen->down_for_ms,
        .history = (int64_t)seen->word->history,
        .history_len = seen->word->history_len,
        .detail = str_from(seen->word->detail),
        .invoke = seen->invoke,
    };
}

static struct network_change put(const char *kind, const char *key, const char *value)
{
    return (struct network_change){.type = NETWORK_PUT,
                                   .kind = str_from(kind),
                                   .key = str_from(key),
                                   .value = str_from(value),
                                   .expect_version = NETWORK_ANY_VERSION};
}

/* key and value for free(). */
static struct network_change observation(const struct observer *o, const struct target *t)
{
    struct target_observation seen;
    struct record_observation record;
    target_observe(t, &seen);
    fill(&record, &seen);
    return put("observation", mem_asprintf("%s/%s", o->relay->node->name, target_server(t)->name),
               record_observation_encode(&record));
}

/* ---- copies ---- */

static struct store_copies_told look_at_copies(const struct observer *o)
{
    struct store_copies_told now = {.state = o->copies};
    if (o->queue)
        queue_copies(o->queue, &now);
    return now;
}

/* key and value for free(). */
static struct network_change work(const struct observer *o, const struct store_copies_told *copies)
{
    struct record_work record = *o->work;
    record.degraded = o->queue && copies->state == STORE_COPIES_MISSING;
    record.durability = o->queue ? str_from(store_copies_name(copies->state)) : STR_EMPTY;
    record.detail = str_from(copies->why);
    record.databases = str_from(copies->seen);
    record.copies = str_from(copies->copying);
    return put("work", mem_strdup(o->relay->name), record_work_encode(&record));
}

/* The same, of what happened. */
static struct network_change event(const struct observer *o, const struct store_copies_told *copies)
{
    bool degraded = copies->state == STORE_COPIES_MISSING;
    json_t *detail =
        json_pack("{s:s, s:s}", "durability", store_copies_name(copies->state), "why", copies->why);
    struct network_change change = {
        .type = NETWORK_EVENT,
        .kind = degraded ? STR("durability-degraded") : STR("durability-restored"),
        .key = str_from(mem_strdup(o->relay->name)),
        .value = str_from(json_dumps(detail, JSON_COMPACT)),
    };
    json_decref(detail);
    return change;
}

void observer_set_queue(struct observer *o, struct queue *q)
{
    o->queue = q;
}

/* ---- writing ---- */

static void write_all(struct observer *o)
{
    size_t count = 0;
    struct network_change *changes = mem_calloc(o->target_count + 2, sizeof(*changes));
    struct store_copies_told copies = look_at_copies(o);
    bool was_degraded = o->copies == STORE_COPIES_MISSING, is_degraded = copies.state == STORE_COPIES_MISSING;
    while (count < o->target_count) {
        changes[count] = observation(o, o->targets[count]);
        count++;
    }
    changes[count++] = work(o, &copies);
    if (was_degraded != is_degraded)
        changes[count++] = event(o, &copies);
    o->telling = copies.state;
    o->again = false;
    o->op = network_write(o->network, changes, count, NULL, on_written, o);
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)changes[i].key.ptr);
        free((char *)(uintptr_t)changes[i].value.ptr);
    }
    free(changes);
}

static void on_timer(void *arg)
{
    struct observer *o = arg;
    loop_timer_start(o->timer, o->interval_ms);
    if (o->op)
        o->again = true;
    else
        write_all(o);
}

struct observer *observer_new(struct loop *l, struct network *n, const struct config_relay *relay,
                              int64_t interval_ms, struct target *const *targets, size_t target_count,
                              const struct record_work *work)
{
    struct observer *o = mem_zalloc(sizeof(*o));
    o->loop = l;
    o->network = n;
    o->relay = relay;
    o->work = work;
    o->interval_ms = interval_ms;
    o->targets = targets;
    o->target_count = target_count;
    o->timer = loop_timer_new(l, on_timer, o);
    loop_timer_start(o->timer, 0);
    return o;
}

void observer_free(struct observer *o)
{
    if (!o)
        return;
    if (o->op)
        store_op_forget(o->op);
    loop_timer_free(o->timer);
    free(o);
}

void observer_kick(struct observer *o)
{
    if (o->op)
        o->again = true;
    else
        loop_timer_start(o->timer, 0);
}
