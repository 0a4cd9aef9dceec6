#include "net/conn.h"

#include "base/buf.h"
#include "base/mem.h"

#define LOW_BYTES   ((size_t)64 << 10)
#define HIGH_BYTES  ((size_t)256 << 10)
#define CHUNK_BYTES ((size_t)64 << 10) /* handed to the stream at once; the low mark is seen in such steps   \
                                        */

struct net_conn {
    struct loop *loop;
    struct loop_stream *stream;
    const struct net_conn_ops *ops;
    void *arg;

    bool wants_input, reading;
    bool ended; /* on_end was called */
    bool busy;  /* in a callback: writes wait for its end, and so does the release of the memory */
    bool freed;

    struct buf out; /* before the stream's own queue */
    size_t low_bytes, high_bytes;
    bool full;
    struct loop_timer *soon; /* on_room: not at once, so that a fast peer cannot keep us here */

    struct loop_timer *timer;
    int64_t idle_ms; /* 0: none */
    struct mono_time active, deadline;

    uint64_t bytes_in, bytes_out;
    void (*on_gone)(void *arg);
    void *on_gone_arg;
};

static void on_read(void *arg, const char *data, size_t len, int err);

static void set_reading(struct net_conn *c)
{
    bool reading = c->wants_input && !c->full && !c->ended;
    if (reading == c->reading)
        return;
    c->reading = reading;
    if (reading)
        loop_stream_read_start(c->stream, on_read, c);
    else
        loop_stream_read_stop(c->stream);
}

/* ---- callbacks ---- */

static void callback_done(struct net_conn *c);

static void end(struct net_conn *c, int err)
{
    if (c->ended)
        return;
    c->ended = true;
    loop_timer_stop(c->timer);
    set_reading(c);
    c->ops->on_end(c->arg, err);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct net_conn *c = arg;
    c->busy = true;
    c->active = loop_now(c->loop);
    c->bytes_in += len;
    if (err)
        end(c, err);
    else
        c->ops->on_input(c->arg, data, len);
    callback_done(c);
}

/* ---- output ---- */

size_t net_conn_pending(const struct net_conn *c)
{
    return c->out.len + loop_stream_pending(c->stream);
}

static void flush(struct net_conn *c)
{
    while (c->out.len > 0 && loop_stream_pending(c->stream) == 0) {
        size_t len = c->out.len < CHUNK_BYTES ? c->out.len : CHUNK_BYTES;
        loop_stream_write(c->stream, buf_data(&c->out), len);
        buf_consume(&c->out, len);
    }
    if (c->out.len == 0 && c->out.capacity > CHUNK_BYTES)
        buf_fini(&c->out);
    if (c->full && net_conn_pending(c) <= c->low_bytes)
        loop_timer_start(c->soon, 0);
}

/* Sends what the callback has written, or lets go of a connection that it freed. */
static void callback_done(struct net_conn *c)
{
    c->busy = false;
    if (c->freed) {
        free(c);
        return;
    }
    flush(c);
    set_reading(c);
}

static void on_drain(void *arg, int err)
{
    struct net_conn *c = arg;
    c->busy = true;
    c->active = loop_now(c->loop);
    if (err) {
        buf_fini(&c->out);
        end(c, err);
    }
    callback_done(c);
}

static void on_soon(void *arg)
{
    struct net_conn *c = arg;
    if (net_conn_pending(c) > c->low_bytes)
        return;
    c->busy = true;
    c->full = false;
    if (c->ops->on_room)
        c->ops->on_room(c->arg);
    callback_done(c);
}

void net_conn_write(struct net_conn *c, const void *data, size_t len)
{
    c->bytes_out += len;
    CHECK(buf_append(&c->out, data, len) == 0);
    if (!c->busy)
        flush(c);
    if (net_conn_pending(c) >= c->high_bytes)
        c->full = true;
    set_reading(c);
}

bool net_conn_full(const struct net_conn *c)
{
    return c->full;
}

void net_conn_set_marks(struct net_conn *c, size_t low_bytes, size_t high_bytes)
{
    CHECK(low_bytes < high_bytes);
    c->low_bytes = low_bytes;
    c->high_bytes = high_bytes;
}

void net_conn_want_input(struct net_conn *c, bool wanted)
{
    c->wants_input = wanted;
    set_reading(c);
}

/* ---- time ---- */

static struct mono_time time_limit(const struct net_conn *c)
{
    struct mono_time idle = c->idle_ms ? mono_add_ms(c->active, c->idle_ms) : MONO_NEVER;
    return mono_before(idle, c->deadline) ? idle : c->deadline;
}

/* Activity only moves the limit; the timer finds out when it fires. */
static void timer_set(struct net_conn *c)
{
    struct mono_time limit = time_limit(c), now = loop_now(c->loop);
    if (limit.ns == INT64_MAX || c->ended)
        loop_timer_stop(c->timer);
    else
        loop_timer_start(c->timer, mono_before(now, limit) ? mono_diff_ms(limit, now) + 1 : 0);
}

static void on_timer(void *arg)
{
    struct net_conn *c = arg;
    if (mono_before(loop_now(c->loop), time_limit(c))) {
        timer_set(c);
        return;
    }
    c->busy = true;
    end(c, ERR_TIMEOUT);
    callback_done(c);
}

void net_conn_set_idle(struct net_conn *c, int64_t idle_ms)
{
    c->idle_ms = idle_ms;
    c->active = loop_now(c->loop);
    timer_set(c);
}

void net_conn_set_deadline(struct net_conn *c, int64_t deadline_ms)
{
    c->deadline = deadline_ms ? mono_add_ms(loop_now(c->loop), deadline_ms) : MONO_NEVER;
    timer_set(c);
}

/* ---- life ---- */

struct net_conn *net_conn_new(struct loop *l, struct loop_stream *stream, const struct net_conn_ops *ops,
                              void *arg)
{
    struct net_conn *c = mem_alloc(sizeof(*c));
    *c = (struct net_conn){.loop = l,
                           .stream = stream,
                           .ops = ops,
                           .arg = arg,
                           .wants_input = true,
                           .low_bytes = LOW_BYTES,
                           .high_bytes = HIGH_BYTES,
                           .active = loop_now(l),
                           .deadline = MONO_NEVER};
    buf_init(&c->out, SIZE_MAX / 2);
    c->timer = loop_timer_new(l, on_timer, c);
    c->soon = loop_timer_new(l, on_soon, c);
    loop_stream_on_drain(stream, on_drain, c);
    set_reading(c);
    return c;
}

void net_conn_set_ops(struct net_conn *c, const struct net_conn_ops *ops, void *arg)
{
    c->ops = ops;
    c->arg = arg;
}

uint64_t net_conn_bytes_in(const struct net_conn *c)
{
    return c->bytes_in;
}

uint64_t net_conn_bytes_out(const struct net_conn *c)
{
    return c->bytes_out;
}

void net_conn_peer(const struct net_conn *c, struct addr *ret_addr)
{
    loop_stream_peer(c->stream, ret_addr);
}

void net_conn_local(const struct net_conn *c, struct addr *ret_addr)
{
    loop_stream_local(c->stream, ret_addr);
}

void net_conn_on_gone(struct net_conn *c, void (*fn)(void *arg), void *arg)
{
    c->on_gone = fn;
    c->on_gone_arg = arg;
}

static void conn_release(struct net_conn *c)
{
    loop_timer_free(c->timer);
    loop_timer_free(c->soon);
    buf_fini(&c->out);
    if (c->on_gone)
        c->on_gone(c->on_gone_arg);
    c->freed = true;
    if (!c->busy)
        free(c);
}

void net_conn_close(struct net_conn *c, int64_t linger_ms)
{
    loop_stream_write(c->stream, buf_data(&c->out), c->out.len);
    loop_stream_close(c->stream, linger_ms);
    conn_release(c);
}

void net_conn_free(struct net_conn *c)
{
    if (!c)
        return;
    loop_stream_free(c->stream);
    conn_release(c);
}
