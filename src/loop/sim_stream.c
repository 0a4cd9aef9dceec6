/* A stream as its process has it, on top of its kernel's end (sim_conn.c). */
#include <string.h>

#include "base/mem.h"
#include "loop/sim_impl.h"

struct sim_stream {
    struct loop_stream base;
    struct sim_object object;
    struct sim_loop *loop;
    struct sim_end *end; /* NULL: its process is dead */
    struct addr local, peer;

    bool reading;
    struct sim_event input;
    loop_read_fn *on_read;
    void *read_arg;

    bool broke_told;
    int drain_err;
    struct sim_event drained;
    loop_drain_fn *on_drain;
    void *drain_arg;
};

static struct sim_stream *stream_of(struct loop_stream *base)
{
    return CONTAINER_OF(base, struct sim_stream, base);
}

/* ---- reading ---- */

static bool has_input(const struct sim_end *e)
{
    return e->inbox.len > 0 || (e->end_err && !e->end_reported);
}

void sim_stream_on_input(struct sim_stream *s)
{
    if (s->end && s->reading && has_input(s->end) && !sim_event_waits(&s->input))
        sim_event_schedule(s->loop->world, &s->input, s->loop->world->now_ns);
}

/* Mostly all that is there, sometimes any part of it. */
static size_t read_len(struct sim_world *w, size_t most)
{
    if (most > SIM_READ_BYTES)
        most = SIM_READ_BYTES;
    return sim_random_below(w, 4) ? most : 1 + (size_t)sim_random_below(w, most);
}

static void input_fire(struct sim_event *event)
{
    struct sim_stream *s = CONTAINER_OF(event, struct sim_stream, input);
    struct sim_end *e = s->end;
    if (!s->reading || !has_input(e))
        return;
    if (e->inbox.len == 0) {
        e->end_reported = true;
        s->on_read(s->read_arg, NULL, 0, e->end_err);
        return;
    }
    struct sim_world *w = s->loop->world;
    size_t len = read_len(w, e->inbox.len);
    memcpy(w->read_mem, buf_data(&e->inbox), len);
    sim_end_read(e, len);
    sim_stream_on_input(s);
    s->on_read(s->read_arg, w->read_mem, len, 0);
}

void sim_stream_read_start(struct loop_stream *base, loop_read_fn *on_read, void *arg)
{
    struct sim_stream *s = stream_of(base);
    s->on_read = on_read;
    s->read_arg = arg;
    s->reading = true;
    sim_stream_on_input(s);
}

void sim_stream_read_stop(struct loop_stream *base)
{
    stream_of(base)->reading = false;
}

/* ---- writing ---- */

static void drained_fire(struct sim_event *event)
{
    struct sim_stream *s = CONTAINER_OF(event, struct sim_stream, drained);
    if (s->on_drain)
        s->on_drain(s->drain_arg, s->drain_err);
}

void sim_stream_on_drained(struct sim_stream *s, int err)
{
    if (s->broke_told)
        return;
    s->broke_told = err != 0;
    s->drain_err = err;
    sim_event_schedule(s->loop->world, &s->drained, s->loop->world->now_ns);
}

void sim_stream_write(struct loop_stream *base, const void *data, size_t len)
{
    struct sim_stream *s = stream_of(base);
    if (!s->end)
        return;
    if (s->end->broken)
        sim_stream_on_drained(s, ERR_CLOSED);
    else
        sim_end_write(s->end, data, len);
}

void sim_stream_on_drain(struct loop_stream *base, loop_drain_fn *on_drain, void *arg)
{
    struct sim_stream *s = stream_of(base);
    s->on_drain = on_drain;
    s->drain_arg = arg;
}

size_t sim_stream_pending(const struct loop_stream *base)
{
    const struct sim_stream *s = (const struct sim_stream *)base;
    return s->end ? s->end->unsent.len : 0;
}

bool sim_stream_ask_room(struct loop_stream *base)
{
    struct sim_stream *s = stream_of(base);
    if (s->end && s->end->broken)
        sim_stream_on_drained(s, ERR_CLOSED);
    return s->end && !s->end->broken && sim_end_ask_room(s->end);
}

/* ---- life ---- */

void sim_stream_detach(struct sim_stream *s)
{
    sim_event_cancel(s->loop->world, &s->input);
    sim_event_cancel(s->loop->world, &s->drained);
    s->end = NULL;
}

/* The end, an object of its own, ends the stream at the peer. */
static void stream_kill(struct sim_object *o)
{
    struct sim_stream *s = CONTAINER_OF(o, struct sim_stream, object);
    if (s->end)
        s->end->stream = NULL;
    sim_stream_detach(s);
}

static void stream_dispose(struct sim_object *o)
{
    sim_stream_free(&CONTAINER_OF(o, struct sim_stream, object)->base);
}

struct loop_stream *sim_stream_open(struct sim_end *e)
{
    struct sim_stream *s = mem_alloc(sizeof(*s));
    *s = (struct sim_stream){.base.ops = &sim_ops, .loop = e->loop, .end = e, .local = e->local};
    s->peer = sim_end_other(e)->local;
    sim_event_init(&s->input, s->loop, input_fire);
    sim_event_init(&s->drained, s->loop, drained_fire);
    sim_object_init(s->loop, &s->object, stream_kill, stream_dispose);
    e->stream = s;
    return &s->base;
}

void sim_stream_peer(const struct loop_stream *base, struct addr *ret_addr)
{
    *ret_addr = ((const struct sim_stream *)base)->peer;
}

void sim_stream_local(const struct loop_stream *base, struct addr *ret_addr)
{
    *ret_addr = ((const struct sim_stream *)base)->local;
}

static void stream_release(struct sim_stream *s)
{
    sim_stream_detach(s);
    list_remove(&s->object.node);
    free(s);
}

void sim_stream_close(struct loop_stream *base, int64_t linger_ms)
{
    struct sim_stream *s = stream_of(base);
    struct sim_end *e = s->end;
    stream_kill(&s->object);
    stream_release(s);
    if (e)
        sim_end_linger(e, linger_ms);
}

void sim_stream_free(struct loop_stream *base)
{
    sim_stream_close(base, 0);
}
