#include "base/mem.h"
#include "loop/real_impl.h"

struct real_signal {
    struct loop_signal base;
    struct real_object object;
    uv_signal_t uv;
    void (*on_signal)(void *arg, int signum);
    void *arg;
};

static void on_uv_signal(uv_signal_t *uv, int signum)
{
    struct real_signal *s = uv->data;
    s->on_signal(s->arg, signum);
}

static void signal_dispose(struct real_object *o)
{
    real_signal_free(&CONTAINER_OF(o, struct real_signal, object)->base);
}

struct loop_signal *real_signal_new(struct loop *base, int signum, void (*on_signal)(void *arg, int signum),
                                    void *arg)
{
    struct real_loop *l = real_of(base);
    struct real_signal *s = mem_alloc(sizeof(*s));
    *s = (struct real_signal){.base.ops = &real_ops, .on_signal = on_signal, .arg = arg};
    CHECK(uv_signal_init(&l->uv, &s->uv) == 0);
    s->uv.data = s;
    CHECK(uv_signal_start(&s->uv, on_uv_signal, signum) == 0);
    real_object_init(l, &s->object, signal_dispose);
    return &s->base;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void real_signal_free(struct loop_signal *base)
{
    struct real_signal *s = CONTAINER_OF(base, struct real_signal, base);
    list_remove(&s->object.node);
    uv_close((uv_handle_t *)&s->uv, on_closed);
}
