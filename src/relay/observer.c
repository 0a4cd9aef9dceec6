#include "relay/observer.h"

#include <stdio.h>

#include "base/mem.h"
#include "store/records.h"

struct observer {
    struct loop *loop;
    struct network *network;
    char *node;
    int64_t interval_ms;
    struct target *const *targets;
    size_t target_count;
    struct loop_timer *timer;
    struct store_op *op;
    bool again;
};

static void write_all(struct observer *o);

static void on_written(void *arg, int err, size_t failed)
{
    struct observer *o = arg;
    (void)err; /* a store that takes nothing is seen by the directors as silence, which counts as unknown */
    (void)failed;
    o->op = NULL;
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

static void write_all(struct observer *o)
{
    struct network_change *changes = mem_calloc(o->target_count, sizeof(*changes));
    char **texts = mem_calloc(2 * o->target_count, sizeof(*texts));
    for (size_t i = 0; i < o->target_count; i++) {
        struct target_observation seen;
        struct record_observation record;
        target_observe(o->targets[i], &seen);
        fill(&record, &seen);
        char *key = texts[2 * i] = mem_asprintf("%s/%s", o->node, target_server(o->targets[i])->name);
        char *value = texts[2 * i + 1] = record_observation_encode(&record);
        changes[i] = (struct network_change){.type = NETWORK_PUT,
                                             .kind = STR("observation"),
                                             .key = str_from(key),
                                             .value = str_from(value),
                                             .expect_version = NETWORK_ANY_VERSION};
    }
    o->again = false;
    o->op = network_write(o->network, changes, o->target_count, NULL, on_written, o);
    for (size_t i = 0; i < 2 * o->target_count; i++)
        free(texts[i]);
    free(texts);
    free(changes);
}

static void on_timer(void *arg)
{
    struct observer *o = arg;
    loop_timer_start(o->timer, o->interval_ms);
    if (o->op)
        o->again = true;
    else if (o->target_count > 0)
        write_all(o);
}

struct observer *observer_new(struct loop *l, struct network *n, const char *node, int64_t interval_ms,
                              struct target *const *targets, size_t target_count)
{
    struct observer *o = mem_zalloc(sizeof(*o));
    o->loop = l;
    o->network = n;
    o->node = mem_strdup(node);
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
    free(o->node);
    free(o);
}

void observer_kick(struct observer *o)
{
    if (o->op)
        o->again = true;
    else
        loop_timer_start(o->timer, 0);
}
