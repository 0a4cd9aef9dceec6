/* Timers by the process's own clock. */
#include "base/mem.h"
#include "loop/sim_impl.h"

struct sim_timer {
    struct loop_timer base;
    struct sim_object object;
    struct list node; /* of its loop's timers */
    struct sim_loop *loop;
    struct sim_event event;
    int64_t deadline_ns; /* local */
    void (*on_timer)(void *arg);
    void *arg;
};

static void timer_fire(struct sim_event *e)
{
    struct sim_timer *t = CONTAINER_OF(e, struct sim_timer, event);
    t->on_timer(t->arg);
}

static void timer_kill(struct sim_object *o)
{
    sim_timer_stop(&CONTAINER_OF(o, struct sim_timer, object)->base);
}

static void timer_dispose(struct sim_object *o)
{
    sim_timer_free(&CONTAINER_OF(o, struct sim_timer, object)->base);
}

struct loop_timer *sim_timer_new(struct loop *base, void (*on_timer)(void *arg), void *arg)
{
    struct sim_loop *l = sim_of(base);
    struct sim_timer *t = mem_alloc(sizeof(*t));
    *t = (struct sim_timer){.base.ops = &sim_ops, .loop = l, .on_timer = on_timer, .arg = arg};
    sim_event_init(&t->event, l, timer_fire);
    sim_object_init(l, &t->object, timer_kill, timer_dispose);
    list_append(&l->timers, &t->node);
    return &t->base;
}

void sim_timer_start(struct loop_timer *base, int64_t delay_ms)
{
    struct sim_timer *t = CONTAINER_OF(base, struct sim_timer, base);
    if (!t->loop->alive)
        return;
    const int64_t delay_max_ms = INT64_MAX / 4 / NS_PER_MS; /* seventy years: never */
    t->deadline_ns = sim_local_ns(t->loop) + (delay_ms < delay_max_ms ? delay_ms : delay_max_ms) * NS_PER_MS;
    int64_t at_ns = sim_true_ns(t->loop, t->deadline_ns), now_ns = t->loop->world->now_ns;
    sim_event_schedule(t->loop->world, &t->event, at_ns > now_ns ? at_ns : now_ns + SIM_TURN_NS);
}

void sim_timer_stop(struct loop_timer *base)
{
    struct sim_timer *t = CONTAINER_OF(base, struct sim_timer, base);
    sim_event_cancel(t->loop->world, &t->event);
}

bool sim_timer_active(const struct loop_timer *base)
{
    return sim_event_waits(&((const struct sim_timer *)base)->event);
}

void sim_timer_free(struct loop_timer *base)
{
    struct sim_timer *t = CONTAINER_OF(base, struct sim_timer, base);
    sim_timer_stop(base);
    list_remove(&t->object.node);
    list_remove(&t->node);
    free(t);
}

void sim_timers_clock_changed(struct sim_loop *l)
{
    LIST_FOREACH (it, &l->timers) {
        struct sim_timer *t = LIST_ENTRY(it, struct sim_timer, node);
        if (sim_timer_active(&t->base) && list_empty(&t->event.held))
            sim_event_schedule(l->world, &t->event, sim_true_ns(l, t->deadline_ns));
    }
}
