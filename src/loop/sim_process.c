/* Programs that a simulated process starts: the simulation plays them. */
#include <signal.h>

#include "base/mem.h"
#include "loop/sim_impl.h"

struct sim_process {
    struct loop_process base;
    struct sim_object object;
    struct sim_loop *loop;
    struct sim_spawn *spawn; /* NULL when it has ended */
    pid_t pid;
    struct sim_event event; /* on_exit */
    struct loop_timer *timer;
    struct loop_process_result result;
    struct buf output;
    loop_exit_fn *on_exit;
    void *arg;
};

/* The program itself, as the simulation has it. */
struct sim_spawn {
    struct list node;
    struct sim_process *process; /* NULL: killed, or nobody is left to hear of its end */
};

static struct sim_process *process_of(struct loop_process *base)
{
    return CONTAINER_OF(base, struct sim_process, base);
}

/* ---- the end ---- */

static void process_forget_spawn(struct sim_process *p)
{
    if (p->spawn)
        p->spawn->process = NULL;
    p->spawn = NULL;
}

static void process_end(struct sim_process *p)
{
    process_forget_spawn(p);
    loop_timer_stop(p->timer);
    p->result.output = buf_str(&p->output);
    p->result.error_output = STR_EMPTY;
    sim_event_schedule(p->loop->world, &p->event, p->loop->world->now_ns);
}

static void exit_fire(struct sim_event *e)
{
    struct sim_process *p = CONTAINER_OF(e, struct sim_process, event);
    struct loop_process_result result = p->result;
    p->on_exit(p->arg, &result);
}

static void process_end_by_signal(struct sim_process *p, int signum)
{
    p->result.signal = signum;
    process_end(p);
}

static void on_timeout(void *arg)
{
    struct sim_process *p = arg;
    p->result.err = ERR_TIMEOUT;
    process_end_by_signal(p, SIGKILL);
}

static void spawn_free(struct sim_spawn *s)
{
    list_remove(&s->node);
    free(s);
}

void sim_spawn_done(struct sim_spawn *s, int exit_status, struct str output)
{
    struct sim_process *p = s->process;
    if (p) {
        size_t room = p->output.cap_max;
        CHECK(buf_append(&p->output, output.ptr, output.len < room ? output.len : room) == 0);
        p->result.exit_status = exit_status;
        process_end(p);
    }
    spawn_free(s);
}

void sim_spawn_fail(struct sim_spawn *s, int err)
{
    if (s->process) {
        s->process->pid = 0;
        s->process->result.err = err;
        process_end(s->process);
    }
    spawn_free(s);
}

void sim_spawns_fini(struct sim_world *w)
{
    LIST_FOREACH (it, &w->spawns)
        spawn_free(LIST_ENTRY(it, struct sim_spawn, node));
}

void sim_loop_on_spawn(struct loop *l,
                       void (*on_spawn)(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec),
                       void *arg)
{
    sim_of(l)->on_spawn = on_spawn;
    sim_of(l)->on_spawn_arg = arg;
}

/* ---- life ---- */

static void process_kill(struct sim_object *o)
{
    struct sim_process *p = CONTAINER_OF(o, struct sim_process, object);
    process_forget_spawn(p);
    sim_event_cancel(p->loop->world, &p->event);
}

static void process_dispose(struct sim_object *o)
{
    sim_process_free(&CONTAINER_OF(o, struct sim_process, object)->base);
}

static struct sim_process *process_new(struct sim_loop *l, const struct loop_process_spec *spec,
                                       loop_exit_fn *on_exit, void *arg)
{
    struct sim_process *p = mem_alloc(sizeof(*p));
    *p = (struct sim_process){
        .base.ops = &sim_ops, .loop = l, .result.exit_status = -1, .on_exit = on_exit, .arg = arg};
    buf_init(&p->output, spec->output_max);
    sim_event_init(&p->event, l, exit_fire);
    sim_object_init(l, &p->object, process_kill, process_dispose);
    p->timer = loop_timer_new(&l->base, on_timeout, p);
    return p;
}

static void process_play(struct sim_process *p, const struct loop_process_spec *spec)
{
    struct sim_loop *l = p->loop;
    struct sim_spawn *s = mem_alloc(sizeof(*s));
    *s = (struct sim_spawn){.process = p};
    list_append(&l->world->spawns, &s->node);
    p->spawn = s;
    p->pid = l->world->next_pid++;
    if (spec->timeout_ms > 0)
        loop_timer_start(p->timer, spec->timeout_ms);
    if (l->on_spawn)
        l->on_spawn(l->on_spawn_arg, s, spec);
    else
        sim_spawn_fail(s, ERR_NOT_FOUND);
}

struct loop_process *sim_process_spawn(struct loop *base, const struct loop_process_spec *spec,
                                       loop_exit_fn *on_exit, void *arg)
{
    struct sim_process *p = process_new(sim_of(base), spec, on_exit, arg);
    if (p->loop->alive)
        process_play(p, spec);
    return &p->base;
}

pid_t sim_process_pid(const struct loop_process *base)
{
    return ((const struct sim_process *)base)->pid;
}

void sim_process_kill(struct loop_process *base, int signum)
{
    struct sim_process *p = process_of(base);
    if (p->spawn)
        process_end_by_signal(p, signum);
}

void sim_process_free(struct loop_process *base)
{
    struct sim_process *p = process_of(base);
    process_kill(&p->object);
    loop_timer_free(p->timer);
    list_remove(&p->object.node);
    buf_fini(&p->output);
    free(p);
}
