#include "base/mem.h"
#include "loop/sim_impl.h"

struct sim_signal {
    struct loop_signal base;
    struct sim_object object;
    struct sim_loop *loop;
    struct sim_event event;
    int signum;
    void (*on_signal)(void *arg, int signum);
    void *arg;
};

static void signal_fire(struct sim_event *e)
{
    struct sim_signal *s = CONTAINER_OF(e, struct sim_signal, event);
    s->on_signal(s->arg, s->signum);
}

static void signal_kill(struct sim_object *o)
{
    struct sim_signal *s = CONTAINER_OF(o, struct sim_signal, object);
    sim_event_cancel(s->loop->world, &s->event);
}

static void signal_dispose(struct sim_object *o)
{
    sim_signal_free(&CONTAINER_OF(o, struct sim_signal, object)->base);
}

struct loop_signal *sim_signal_new(struct loop *base, int signum, void (*on_signal)(void *arg, int signum),
                                   void *arg)
{
    struct sim_loop *l = sim_of(base);
    struct sim_signal *s = mem_alloc(sizeof(*s));
    *s = (struct sim_signal){
        .base.ops = &sim_ops, .loop = l, .signum = signum, .on_signal = on_signal, .arg = arg};
    sim_event_init(&s->event, l, signal_fire);
    sim_object_init(l, &s->object, signal_kill, signal_dispose);
    return &s->base;
}

void sim_signal_free(struct loop_signal *base)
{
    struct sim_signal *s = CONTAINER_OF(base, struct sim_signal, base);
    sim_event_cancel(s->loop->world, &s->event);
    list_remove(&s->object.node);
    free(s);
}

void sim_loop_signal(struct loop *base, int signum)
{
    struct sim_loop *l = sim_of(base);
    if (!l->alive)
        return;
    LIST_FOREACH (it, &l->objects) {
        struct sim_object *o = LIST_ENTRY(it, struct sim_object, node);
        struct sim_signal *s = CONTAINER_OF(o, struct sim_signal, object);
        if (o->dispose == signal_dispose && s->signum == signum)
            sim_event_schedule(l->world, &s->event, l->world->now_ns);
    }
}
