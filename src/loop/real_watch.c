#include "base/mem.h"
#include "loop/real_impl.h"

struct real_watch {
    struct loop_watch base;
    struct real_object object;
    uv_poll_t poll;
    int events; /* that are asked for: of UV_READABLE, UV_WRITABLE */
    bool freed; /* waits for libuv to let go of it */
    void (*on_ready)(void *arg, bool readable, bool writable);
    void *arg;
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void apply(struct real_watch *w)
{
    if (w->events)
        CHECK(uv_poll_start(&w->poll, w->events, on_poll) == 0);
    else
        uv_poll_stop(&w->poll);
}

/* libuv stops a poll that has an error; ours is level-triggered until the
 * owner has taken the error from the descriptor or asks for nothing more. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct real_watch *w = poll->data;
    if (status < 0)
        events = UV_READABLE | UV_WRITABLE;
    w->on_ready(w->arg, events & UV_READABLE, events & UV_WRITABLE);
    if (status < 0 && !w->freed)
        apply(w);
}

static void watch_dispose(struct real_object *o)
{
    real_watch_free(&CONTAINER_OF(o, struct real_watch, object)->base);
}

struct loop_watch *real_watch_new(struct loop *base, int fd,
                                  void (*on_ready)(void *arg, bool readable, bool writable), void *arg)
{
    struct real_loop *l = real_of(base);
    struct real_watch *w = mem_alloc(sizeof(*w));
    *w = (struct real_watch){.base.ops = &real_ops, .on_ready = on_ready, .arg = arg};
    CHECK(uv_poll_init(&l->uv, &w->poll, fd) == 0);
    w->poll.data = w;
    real_object_init(l, &w->object, watch_dispose);
    return &w->base;
}

void real_watch_set(struct loop_watch *base, bool readable, bool writable)
{
    struct real_watch *w = CONTAINER_OF(base, struct real_watch, base);
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (events == w->events)
        return;
    w->events = events;
    apply(w);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void real_watch_free(struct loop_watch *base)
{
    struct real_watch *w = CONTAINER_OF(base, struct real_watch, base);
    w->freed = true;
    list_remove(&w->object.node);
    uv_close((uv_handle_t *)&w->poll, on_closed);
}
