/* Timers of the real loop: a heap by deadline on CLOCK_BOOTTIME, and one
 * timerfd on that clock, so that a machine that slept through a deadline fires
 * at once when it wakes (libuv's own timers would wait out the rest). The
 * timerfd is only ever set earlier; one that fires too early sets itself again. */
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/real_impl.h"

struct real_timer {
    struct loop_timer base;
    struct real_object object;
    struct real_loop *loop;
    struct heap_node node;
    int64_t deadline_ns;
    uint64_t seq; /* of the start: equal deadlines fire in the order of their starts */
    void (*on_timer)(void *arg);
    void *arg;
};

int64_t real_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_BOOTTIME, &ts);
    return ts.tv_sec * 1000 * NS_PER_MS + ts.tv_nsec;
}

static struct real_timer *timer_of(const struct heap_node *n)
{
    return CONTAINER_OF((struct heap_node *)(uintptr_t)n, struct real_timer, node);
}

static bool timer_less(const struct heap_node *a, const struct heap_node *b)
{
    const struct real_timer *x = timer_of(a), *y = timer_of(b);
    return x->deadline_ns != y->deadline_ns ? x->deadline_ns < y->deadline_ns : x->seq < y->seq;
}

static void arm(struct real_loop *l, int64_t at_ns)
{
    if (at_ns >= l->timer_armed_ns)
        return;
    l->timer_armed_ns = at_ns;
    struct itimerspec when = {
        .it_value = {.tv_sec = at_ns / (1000 * NS_PER_MS), .tv_nsec = at_ns % (1000 * NS_PER_MS)}};
    CHECK(timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0);
}

static void arm_first(struct real_loop *l)
{
    struct heap_node *first = heap_peek(&l->timers);
    if (first)
        arm(l, timer_of(first)->deadline_ns);
}

/* Time stands still here: a timer that a callback starts anew, without delay,
 * is due later and cannot keep the loop. */
static void on_timer_fd(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct real_loop *l = arg;
    uint64_t expirations;
    ssize_t got = read(l->timer_fd, &expirations, sizeof(expirations));
    (void)got; /* nothing to read is a wake-up too early: it must set the timerfd again as well */
    l->timer_armed_ns = INT64_MAX;
    int64_t now_ns = real_now_ns();
    struct heap_node *first;
    while ((first = heap_peek(&l->timers))) {
        struct real_timer *t = timer_of(first);
        if (t->deadline_ns > now_ns)
            break;
        heap_pop(&l->timers);
        t->on_timer(t->arg);
    }
    arm_first(l);
}

static void timer_dispose(struct real_object *o)
{
    real_timer_free(&CONTAINER_OF(o, struct real_timer, object)->base);
}

struct loop_timer *real_timer_new(struct loop *base, void (*on_timer)(void *arg), void *arg)
{
    struct real_loop *l = real_of(base);
    struct real_timer *t = mem_alloc(sizeof(*t));
    *t = (struct real_timer){.base.ops = &real_ops, .loop = l, .on_timer = on_timer, .arg = arg};
    heap_node_init(&t->node);
    real_object_init(l, &t->object, timer_dispose);
    return &t->base;
}

void real_timer_start(struct loop_timer *base, int64_t delay_ms)
{
    struct real_timer *t = CONTAINER_OF(base, struct real_timer, base);
    real_timer_stop(base);
    int64_t now_ns = real_now_ns();
    t->deadline_ns = delay_ms > (INT64_MAX - now_ns) / NS_PER_MS ? INT64_MAX : now_ns + delay_ms * NS_PER_MS;
    t->seq = ++t->loop->timer_seq;
    heap_push(&t->loop->timers, &t->node);
    arm(t->loop, t->deadline_ns);
}

void real_timer_stop(struct loop_timer *base)
{
    struct real_timer *t = CONTAINER_OF(base, struct real_timer, base);
    if (heap_contains(&t->node))
        heap_remove(&t->loop->timers, &t->node);
}

bool real_timer_active(const struct loop_timer *base)
{
    return heap_contains(&((const struct real_timer *)base)->node);
}

void real_timer_free(struct loop_timer *base)
{
    struct real_timer *t = CONTAINER_OF(base, struct real_timer, base);
    real_timer_stop(base);
    list_remove(&t->object.node);
    free(t);
}

void real_timers_init(struct real_loop *l)
{
    heap_init(&l->timers, timer_less);
    l->timer_armed_ns = INT64_MAX;
    l->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    CHECK(l->timer_fd >= 0);
    l->timer_watch = real_watch_new(&l->base, l->timer_fd, on_timer_fd, l);
    real_watch_set(l->timer_watch, true, false);
}

/* The watch went with the other objects. */
void real_timers_fini(struct real_loop *l)
{
    close(l->timer_fd);
    heap_fini(&l->timers);
}
