#include "loop/real.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/real_impl.h"

static struct mono_time real_now(struct loop *l)
{
    (void)l;
    return (struct mono_time){real_now_ns()};
}

static struct wall_time real_wall(struct loop *l)
{
    (void)l;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (struct wall_time){ts.tv_sec * 1000LL + ts.tv_nsec / NS_PER_MS};
}

static void real_random(struct loop *l, void *out, size_t len)
{
    (void)l;
    for (char *at = out; len > 0;) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0)
            continue; /* EINTR; the kernel has no other failure for a valid buffer */
        at += got;
        len -= (size_t)got;
    }
}

static void real_run(struct loop *l)
{
    uv_run(&real_of(l)->uv, UV_RUN_DEFAULT);
}

static void real_stop(struct loop *l)
{
    uv_stop(&real_of(l)->uv);
}

/* ---- posts ---- */

static void real_post(struct loop *base, void (*fn)(void *arg), void *arg)
{
    struct real_loop *l = real_of(base);
    struct real_post *post = mem_alloc(sizeof(*post));
    *post = (struct real_post){.fn = fn, .arg = arg};
    pthread_mutex_lock(&l->post_lock);
    *l->post_last = post;
    l->post_last = &post->next;
    pthread_mutex_unlock(&l->post_lock);
    uv_async_send(&l->wake);
}

static struct real_post *posts_take(struct real_loop *l)
{
    pthread_mutex_lock(&l->post_lock);
    struct real_post *first = l->post_first;
    l->post_first = NULL;
    l->post_last = &l->post_first;
    pthread_mutex_unlock(&l->post_lock);
    return first;
}

static void on_wake(uv_async_t *wake)
{
    struct real_loop *l = wake->data;
    struct real_post *next;
    for (struct real_post *post = posts_take(l); post; post = next) {
        next = post->next;
        post->fn(post->arg);
        free(post);
    }
}

/* ---- work on other threads ---- */

struct real_work {
    uv_work_t uv;
    struct real_loop *loop;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void (*drop)(void *arg); /* or NULL */
    void *arg;
};

static void on_work(uv_work_t *uv)
{
    struct real_work *w = uv->data;
    w->work(w->arg);
}

static void on_work_done(uv_work_t *uv, int status)
{
    (void)status;
    struct real_work *w = uv->data;
    if (!w->loop->closing)
        w->done(w->arg);
    else if (w->drop)
        w->drop(w->arg);
    free(w);
}

static void real_work(struct loop *base, void (*work)(void *arg), void (*done)(void *arg),
                      void (*drop)(void *arg), void *arg)
{
    struct real_work *w = mem_alloc(sizeof(*w));
    *w = (struct real_work){.loop = real_of(base), .work = work, .done = done, .drop = drop, .arg = arg};
    w->uv.data = w;
    CHECK(uv_queue_work(&w->loop->uv, &w->uv, on_work, on_work_done) == 0);
}

/* ---- the loop ---- */

/* A descriptor below 3 that is not open would be given to a socket, and a
 * stray write to stdout or stderr would go to a peer. */
static void reserve_stdio(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

struct loop *loop_real_new(void)
{
    struct real_loop *l = mem_zalloc(sizeof(*l));
    l->base.ops = &real_ops;
    reserve_stdio();
    signal(SIGPIPE, SIG_IGN);
    list_init(&l->objects);
    l->read_mem = mem_alloc(REAL_READ_BYTES);
    l->post_last = &l->post_first;
    pthread_mutex_init(&l->post_lock, NULL);
    CHECK(uv_loop_init(&l->uv) == 0);
    CHECK(uv_async_init(&l->uv, &l->wake, on_wake) == 0);
    l->wake.data = l;
    real_timers_init(l);
    return &l->base;
}

static void dispose_objects(struct real_loop *l)
{
    while (!list_empty(&l->objects)) {
        struct real_object *o = LIST_ENTRY(l->objects.next, struct real_object, node);
        o->dispose(o);
    }
}

void loop_real_free(struct loop *base)
{
    struct real_loop *l = real_of(base);
    l->closing = true;
    dispose_objects(l);
    real_timers_fini(l);
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT); /* until all are closed and no work runs */
    CHECK(uv_loop_close(&l->uv) == 0);
    struct real_post *next;
    for (struct real_post *post = posts_take(l); post; post = next) {
        next = post->next;
        free(post);
    }
    pthread_mutex_destroy(&l->post_lock);
    free(l->read_mem);
    free(l);
}

const struct loop_ops real_ops = {
    .now = real_now,
    .wall = real_wall,
    .random = real_random,
    .run = real_run,
    .stop = real_stop,
    .post = real_post,
    .work = real_work,
    .timer_new = real_timer_new,
    .timer_start = real_timer_start,
    .timer_stop = real_timer_stop,
    .timer_active = real_timer_active,
    .timer_free = real_timer_free,
    .listen = real_listen,
    .listen_fd = real_listen_fd,
    .listener_pause = real_listener_pause,
    .listener_refuse = real_listener_refuse,
    .listener_local = real_listener_local,
    .listener_free = real_listener_free,
    .connect = real_connect,
    .connect_cancel = real_connect_cancel,
    .stream_read_start = real_stream_read_start,
    .stream_read_stop = real_stream_read_stop,
    .stream_write = real_stream_write,
    .stream_on_drain = real_stream_on_drain,
    .stream_pending = real_stream_pending,
    .stream_ask_room = real_stream_ask_room,
    .stream_peer = real_stream_peer,
    .stream_local = real_stream_local,
    .stream_close = real_stream_close,
    .stream_free = real_stream_free,
    .watch_new = real_watch_new,
    .watch_set = real_watch_set,
    .watch_free = real_watch_free,
    .process_spawn = real_process_spawn,
    .process_pid = real_process_pid,
    .process_kill = real_process_kill,
    .process_free = real_process_free,
    .signal_new = real_signal_new,
    .signal_free = real_signal_free,
};
