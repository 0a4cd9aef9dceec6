#include "net/proxy_stream.h"

#include "base/mem.h"
#include "loop/ops.h"

struct proxy_stream {
    struct loop_stream base;
    struct loop_stream *under;
    struct addr client, local;
    char *ahead; /* NULL: it was given on */
    size_t ahead_len;
    struct loop_timer *timer; /* gives it on */
    loop_read_fn *on_read;    /* while it was not */
    void *read_arg;
    bool reading, busy, freed;
};

static struct proxy_stream *stream_of(struct loop_stream *base)
{
    return (struct proxy_stream *)base;
}

static void give_ahead(void *arg)
{
    struct proxy_stream *s = arg;
    char *ahead = s->ahead;
    if (!s->reading)
        return;
    s->ahead = NULL;
    s->busy = true;
    s->on_read(s->read_arg, ahead, s->ahead_len, 0);
    s->busy = false;
    free(ahead);
    if (s->freed)
        free(s);
    else if (s->reading)
        loop_stream_read_start(s->under, s->on_read, s->read_arg);
}

static void read_start(struct loop_stream *base, loop_read_fn *on_read, void *arg)
{
    struct proxy_stream *s = stream_of(base);
    s->on_read = on_read;
    s->read_arg = arg;
    s->reading = true;
    if (s->ahead)
        loop_timer_start(s->timer, 0);
    else
        loop_stream_read_start(s->under, on_read, arg);
}

static void read_stop(struct loop_stream *base)
{
    struct proxy_stream *s = stream_of(base);
    s->reading = false;
    loop_timer_stop(s->timer);
    loop_stream_read_stop(s->under);
}

static void write_through(struct loop_stream *base, const void *data, size_t len)
{
    loop_stream_write(stream_of(base)->under, data, len);
}

static void on_drain_through(struct loop_stream *base, loop_drain_fn *on_drain, void *arg)
{
    loop_stream_on_drain(stream_of(base)->under, on_drain, arg);
}

static size_t pending(const struct loop_stream *base)
{
    return loop_stream_pending(((const struct proxy_stream *)base)->under);
}

static bool ask_room(struct loop_stream *base)
{
    return loop_stream_ask_room(((struct proxy_stream *)base)->under);
}

static void peer(const struct loop_stream *base, struct addr *ret_addr)
{
    *ret_addr = ((const struct proxy_stream *)base)->client;
}

static void local(const struct loop_stream *base, struct addr *ret_addr)
{
    *ret_addr = ((const struct proxy_stream *)base)->local;
}

/* The stream under it was taken. */
static void dispose(struct proxy_stream *s)
{
    loop_timer_free(s->timer);
    free(s->ahead);
    s->freed = true;
    if (!s->busy)
        free(s);
}

static void close_stream(struct loop_stream *base, int64_t linger_ms)
{
    loop_stream_close(stream_of(base)->under, linger_ms);
    dispose(stream_of(base));
}

static void free_stream(struct loop_stream *base)
{
    loop_stream_free(stream_of(base)->under);
    dispose(stream_of(base));
}

static const struct loop_ops proxy_ops = {
    .stream_read_start = read_start,
    .stream_read_stop = read_stop,
    .stream_write = write_through,
    .stream_on_drain = on_drain_through,
    .stream_pending = pending,
    .stream_ask_room = ask_room,
    .stream_peer = peer,
    .stream_local = local,
    .stream_close = close_stream,
    .stream_free = free_stream,
};

struct loop_stream *proxy_stream_new(struct loop *l, struct loop_stream *under, const struct addr *client,
                                     const struct addr *local_addr, struct str ahead)
{
    struct proxy_stream *s = mem_zalloc(sizeof(*s));
    s->base.ops = &proxy_ops;
    s->under = under;
    s->client = *client;
    s->local = *local_addr;
    s->ahead = ahead.len > 0 ? str_dup(ahead) : NULL;
    s->ahead_len = ahead.len;
    s->timer = loop_timer_new(l, give_ahead, s);
    return &s->base;
}
