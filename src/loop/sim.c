/* The world's clock and events. */
#include "loop/sim.h"

#include "base/mem.h"
#include "loop/sim_impl.h"

#define LATENCY_MIN_NS 50000
#define LATENCY_MAX_NS 1000000
#define FIRST_PORT     32768
#define FIRST_PID      1000

static struct sim_event *event_of(const struct heap_node *n)
{
    return CONTAINER_OF((struct heap_node *)(uintptr_t)n, struct sim_event, node);
}

static bool event_less(const struct heap_node *a, const struct heap_node *b)
{
    const struct sim_event *x = event_of(a), *y = event_of(b);
    return x->at_ns != y->at_ns ? x->at_ns < y->at_ns : x->seq < y->seq;
}

/* ---- events ---- */

void sim_event_init(struct sim_event *e, struct sim_loop *l, void (*fire)(struct sim_event *e))
{
    *e = (struct sim_event){.loop = l, .fire = fire};
    heap_node_init(&e->node);
    list_init(&e->held);
}

void sim_event_schedule(struct sim_world *w, struct sim_event *e, int64_t at_ns)
{
    sim_event_cancel(w, e);
    e->at_ns = at_ns > w->now_ns ? at_ns : w->now_ns;
    e->seq = ++w->event_seq;
    heap_push(&w->events, &e->node);
}

void sim_event_cancel(struct sim_world *w, struct sim_event *e)
{
    list_remove(&e->held);
    if (heap_contains(&e->node))
        heap_remove(&w->events, &e->node);
}

bool sim_event_waits(const struct sim_event *e)
{
    return heap_contains(&e->node) || !list_empty(&e->held);
}

/* ---- running ---- */

static void trace(struct sim_world *w, const struct sim_event *e)
{
    w->trace_hash = sim_random_mix(w->trace_hash ^ (uint64_t)e->at_ns);
    w->trace_hash = sim_random_mix(w->trace_hash ^ e->seq);
    w->trace_hash = sim_random_mix(w->trace_hash ^ w->random.state[0]);
}

bool sim_step(struct sim_world *w)
{
    struct heap_node *first = heap_pop(&w->events);
    if (!first)
        return false;
    struct sim_event *e = event_of(first);
    w->now_ns = e->at_ns;
    trace(w, e);
    if (e->loop && e->loop->frozen) {
        list_append(&e->loop->held, &e->held);
    } else {
        w->running = e->loop;
        e->fire(e);
        w->running = NULL;
    }
    return true;
}

struct loop *sim_running(const struct sim_world *w)
{
    return w->running ? &w->running->base : NULL;
}

bool sim_run_until(struct sim_world *w, struct mono_time until)
{
    struct heap_node *first;
    while ((first = heap_peek(&w->events)) && event_of(first)->at_ns <= until.ns)
        sim_step(w);
    if (first && until.ns > w->now_ns)
        w->now_ns = until.ns;
    return first != NULL;
}

struct sim_call {
    struct sim_event event;
    void (*fn)(void *arg);
    void *arg;
};

static void call_drop(struct sim_event *e)
{
    free(CONTAINER_OF(e, struct sim_call, event));
}

static void call_fire(struct sim_event *e)
{
    struct sim_call call = *CONTAINER_OF(e, struct sim_call, event);
    call_drop(e);
    call.fn(call.arg);
}

void sim_at(struct sim_world *w, int64_t delay_ms, void (*fn)(void *arg), void *arg)
{
    struct sim_call *call = mem_alloc(sizeof(*call));
    call->fn = fn;
    call->arg = arg;
    sim_event_init(&call->event, NULL, call_fire);
    call->event.drop = call_drop;
    sim_event_schedule(w, &call->event, w->now_ns + delay_ms * NS_PER_MS);
}

/* ---- the world ---- */

struct mono_time sim_now(const struct sim_world *w)
{
    return (struct mono_time){w->now_ns};
}

uint64_t sim_random_below(struct sim_world *w, uint64_t n)
{
    return sim_random_range(&w->random, n);
}

uint64_t sim_trace_hash(const struct sim_world *w)
{
    return w->trace_hash;
}

struct sim_world *sim_world_new(uint64_t seed)
{
    struct sim_world *w = mem_zalloc(sizeof(*w));
    struct list *lists[] = {&w->loops,     &w->hosts, &w->cuts,  &w->addresses,
                            &w->listeners, &w->conns, &w->spawns};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_init(lists[i]);
    heap_init(&w->events, event_less);
    w->seed = seed;
    sim_random_init(&w->random, seed);
    w->latency_min_ns = LATENCY_MIN_NS;
    w->latency_max_ns = LATENCY_MAX_NS;
    w->next_port = FIRST_PORT;
    w->next_pid = FIRST_PID;
    w->read_mem = mem_alloc(SIM_READ_BYTES);
    return w;
}

void sim_world_free(struct sim_world *w)
{
    CHECK(list_empty(&w->loops));
    struct heap_node *first;
    while ((first = heap_pop(&w->events))) {
        struct sim_event *e = event_of(first);
        if (e->drop)
            e->drop(e);
    }
    sim_net_fini(w);
    sim_spawns_fini(w);
    heap_fini(&w->events);
    free(w->read_mem);
    free(w);
}
