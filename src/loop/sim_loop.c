/* A simulated process: its clocks, its life, its posts and work. */
#include "base/mem.h"
#include "loop/sim_impl.h"

#define WALL_START_MS 1767225600000LL /* 2026-01-01T00:00:00Z, at true time 0 */
#define PPM           1000000
#define WORK_MAX_NS   (5 * NS_PER_MS) /* what hashing a password takes */

/* ---- clocks ---- */

/* ns * ppm / PPM without overflow; both may be negative. */
static int64_t scaled(int64_t ns, int64_t ppm)
{
    return ns / PPM * ppm + ns % PPM * ppm / PPM;
}

int64_t sim_local_ns(const struct sim_loop *l)
{
    int64_t passed_ns = l->world->now_ns - l->clock_true_ns;
    return l->clock_local_ns + passed_ns + scaled(passed_ns, l->rate_ppm);
}

int64_t sim_true_ns(const struct sim_loop *l, int64_t local_ns)
{
    __int128 ahead_ns = local_ns - l->clock_local_ns;
    int64_t rate = PPM + (int64_t)l->rate_ppm;
    int64_t passed_ns = (int64_t)(ahead_ns * PPM / rate);
    while (passed_ns + scaled(passed_ns, l->rate_ppm) < (int64_t)ahead_ns)
        passed_ns++; /* for what the divisions cut off */
    return l->clock_true_ns + passed_ns;
}

void sim_loop_set_clock(struct loop *base, int64_t wall_offset_ms, int32_t rate_ppm)
{
    struct sim_loop *l = sim_of(base);
    CHECK(rate_ppm > -PPM);
    l->clock_local_ns = sim_local_ns(l);
    l->clock_true_ns = l->world->now_ns;
    l->rate_ppm = rate_ppm;
    l->wall_offset_ms = wall_offset_ms;
    sim_timers_clock_changed(l);
}

static struct mono_time sim_loop_now(struct loop *base)
{
    return (struct mono_time){sim_local_ns(sim_of(base))};
}

static struct wall_time sim_loop_wall(struct loop *base)
{
    struct sim_loop *l = sim_of(base);
    int64_t up_ns = sim_local_ns(l) - l->host->boot_ns;
    return (struct wall_time){WALL_START_MS + l->wall_offset_ms + up_ns / NS_PER_MS};
}

static void sim_loop_random(struct loop *base, void *out, size_t len)
{
    sim_random_fill(&sim_of(base)->random, out, len);
}

/* ---- running ---- */

static void sim_loop_run(struct loop *base)
{
    struct sim_loop *l = sim_of(base);
    l->stopped = false;
    while (!l->stopped && sim_step(l->world))
        ;
}

static void sim_loop_stop(struct loop *base)
{
    sim_of(base)->stopped = true;
}

/* ---- posts and work ---- */

struct sim_post {
    struct sim_event event;
    struct sim_object object;
    struct sim_loop *loop;
    void (*fn)(void *arg);
    void *arg;
};

static void post_drop(struct sim_object *o)
{
    struct sim_post *p = CONTAINER_OF(o, struct sim_post, object);
    sim_event_cancel(p->loop->world, &p->event);
    list_remove(&o->node);
    free(p);
}

static void post_fire(struct sim_event *e)
{
    struct sim_post post = *CONTAINER_OF(e, struct sim_post, event);
    post_drop(&CONTAINER_OF(e, struct sim_post, event)->object);
    post.fn(post.arg);
}

static void sim_loop_post(struct loop *base, void (*fn)(void *arg), void *arg)
{
    struct sim_loop *l = sim_of(base);
    if (!l->alive)
        return;
    struct sim_post *p = mem_alloc(sizeof(*p));
    *p = (struct sim_post){.loop = l, .fn = fn, .arg = arg};
    sim_event_init(&p->event, l, post_fire);
    sim_object_init(l, &p->object, post_drop, post_drop);
    sim_event_schedule(l->world, &p->event, l->world->now_ns + SIM_TURN_NS);
}

struct sim_work {
    struct sim_object object;
    struct sim_loop *loop;
    struct sim_event event;
    void (*work)(void *arg), (*done)(void *arg), (*drop)(void *arg);
    void *arg;
};

static void work_forget(struct sim_work *k)
{
    sim_event_cancel(k->loop->world, &k->event);
    list_remove(&k->object.node);
    free(k);
}

static void work_fire(struct sim_event *e)
{
    struct sim_work *k = CONTAINER_OF(e, struct sim_work, event), work = *k;
    work_forget(k);
    work.work(work.arg);
    work.done(work.arg);
}

/* What it is about is dropped with the loop: the process's objects still know it. */
static void work_kill(struct sim_object *o)
{
    struct sim_work *k = CONTAINER_OF(o, struct sim_work, object);
    sim_event_cancel(k->loop->world, &k->event);
}

static void work_dispose(struct sim_object *o)
{
    struct sim_work *k = CONTAINER_OF(o, struct sim_work, object), work = *k;
    work_forget(k);
    if (work.drop)
        work.drop(work.arg);
}

static void sim_loop_work(struct loop *base, void (*work)(void *arg), void (*done)(void *arg),
                          void (*drop)(void *arg), void *arg)
{
    struct sim_loop *l = sim_of(base);
    struct sim_work *k = mem_alloc(sizeof(*k));
    *k = (struct sim_work){.loop = l, .work = work, .done = done, .drop = drop, .arg = arg};
    sim_event_init(&k->event, l, work_fire);
    sim_object_init(l, &k->object, work_kill, work_dispose);
    if (l->alive)
        sim_event_schedule(l->world, &k->event,
                           l->world->now_ns + (int64_t)sim_random_below(l->world, WORK_MAX_NS));
}

/* ---- life ---- */

void sim_object_init(struct sim_loop *l, struct sim_object *o, void (*kill)(struct sim_object *o),
                     void (*dispose)(struct sim_object *o))
{
    o->kill = kill;
    o->dispose = dispose;
    list_append(&l->objects, &o->node);
}

/* Random numbers of a process depend on its name and on how many were made
 * before it, not on what the others do meanwhile. */
static uint64_t random_seed(const struct sim_world *w, const char *host, const char *process_name)
{
    uint64_t seed = sim_random_mix(w->seed ^ w->loops_made);
    for (; *host; host++)
        seed = sim_random_mix(seed ^ (unsigned char)*host);
    for (; *process_name; process_name++)
        seed = sim_random_mix(seed ^ (unsigned char)*process_name);
    return seed;
}

struct loop *sim_loop_new(struct sim_world *w, const char *host, const char *process_name)
{
    struct sim_loop *l = mem_zalloc(sizeof(*l));
    l->base.ops = &sim_ops;
    l->world = w;
    l->host = sim_host_find(w, host);
    l->alive = true;
    l->clock_true_ns = w->now_ns;
    l->clock_local_ns = l->host->boot_ns + w->now_ns;
    w->loops_made++;
    sim_random_init(&l->random, random_seed(w, host, process_name));
    list_init(&l->objects);
    list_init(&l->timers);
    list_init(&l->held);
    list_append(&w->loops, &l->node);
    return &l->base;
}

bool sim_loop_alive(const struct loop *base)
{
    return ((const struct sim_loop *)base)->alive;
}

/* An object's kill may remove itself and others. */
void sim_loop_kill(struct loop *base)
{
    struct sim_loop *l = sim_of(base);
    if (!l->alive)
        return;
    l->alive = false;
    struct list doomed;
    list_init(&doomed);
    list_splice(&doomed, &l->objects);
    while (!list_empty(&doomed)) {
        struct sim_object *o = LIST_ENTRY(doomed.next, struct sim_object, node);
        list_remove(&o->node);
        list_append(&l->objects, &o->node);
        o->kill(o);
    }
}

void sim_loop_free(struct loop *base)
{
    struct sim_loop *l = sim_of(base);
    sim_loop_kill(base);
    while (!list_empty(&l->objects)) {
        struct sim_object *o = LIST_ENTRY(l->objects.next, struct sim_object, node);
        o->dispose(o);
    }
    if (l->world->running == l)
        l->world->running = NULL;
    list_remove(&l->node);
    free(l);
}

void sim_loop_freeze(struct loop *base, bool frozen)
{
    struct sim_loop *l = sim_of(base);
    l->frozen = frozen;
    while (!frozen && !list_empty(&l->held))
        sim_event_schedule(l->world, LIST_ENTRY(l->held.next, struct sim_event, held), l->world->now_ns);
}

void sim_loop_starve(struct loop *base, bool starved)
{
    sim_of(base)->starved = starved;
}

/* ---- no descriptors ---- */

static struct loop_watch *sim_watch_new(struct loop *l, int fd,
                                        void (*on_ready)(void *arg, bool readable, bool writable), void *arg)
{
    (void)l;
    (void)fd;
    (void)on_ready;
    (void)arg;
    check_failed("a simulated process has no descriptors", __FILE__, __LINE__);
}

const struct loop_ops sim_ops = {
    .now = sim_loop_now,
    .wall = sim_loop_wall,
    .random = sim_loop_random,
    .run = sim_loop_run,
    .stop = sim_loop_stop,
    .post = sim_loop_post,
    .work = sim_loop_work,
    .timer_new = sim_timer_new,
    .timer_start = sim_timer_start,
    .timer_stop = sim_timer_stop,
    .timer_active = sim_timer_active,
    .timer_free = sim_timer_free,
    .listen = sim_listen,
    .listen_fd = sim_listen_fd,
    .listener_pause = sim_listener_pause,
    .listener_refuse = sim_listener_refuse,
    .listener_local = sim_listener_local,
    .listener_free = sim_listener_free,
    .connect = sim_connect,
    .connect_cancel = sim_connect_cancel,
    .stream_read_start = sim_stream_read_start,
    .stream_read_stop = sim_stream_read_stop,
    .stream_write = sim_stream_write,
    .stream_on_drain = sim_stream_on_drain,
    .stream_pending = sim_stream_pending,
    .stream_ask_room = sim_stream_ask_room,
    .stream_peer = sim_stream_peer,
    .stream_local = sim_stream_local,
    .stream_close = sim_stream_close,
    .stream_free = sim_stream_free,
    .watch_new = sim_watch_new,
    .process_spawn = sim_process_spawn,
    .process_pid = sim_process_pid,
    .process_kill = sim_process_kill,
    .process_free = sim_process_free,
    .signal_new = sim_signal_new,
    .signal_free = sim_signal_free,
};
