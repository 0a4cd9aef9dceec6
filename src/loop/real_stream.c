#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/real_impl.h"

#define KEEP_OUT_BYTES 65536 /* a drained queue that grew beyond this gives its memory back */

struct real_stream {
    struct loop_stream base;
    struct real_object object;
    struct real_loop *loop;
    int fd;
    struct addr peer;
    struct loop_watch *watch;
    struct loop_timer *linger; /* made by close */
    bool busy;                 /* in on_ready, which lets go of the memory of a stream freed meanwhile */
    bool freed;

    bool reading;
    bool read_ended; /* the end or an error was reported */
    loop_read_fn *on_read;
    void *read_arg;

    struct buf out;   /* not yet taken by the kernel */
    bool room_wanted; /* on_drain fires once the kernel has room */
    bool broken;      /* a send failed: nothing more is sent */
    bool lingering;   /* closed by its owner: no callbacks */
    bool shut;        /* our end of stream was sent */
    loop_drain_fn *on_drain;
    void *drain_arg;
};

static struct real_stream *stream_of(struct loop_stream *base)
{
    return CONTAINER_OF(base, struct real_stream, base);
}

static void update_watch(struct real_stream *s)
{
    bool readable = (s->reading || s->lingering) && !s->read_ended;
    bool writable = s->out.len > 0 || s->room_wanted;
    loop_watch_set(s->watch, readable, writable);
}

/* ---- reading ---- */

/* A reset is told apart from the orderly end. */
static int read_error(int errno_value)
{
    return errno_value == ECONNRESET ? ERR_IO : err_from_errno(errno_value);
}

static void report_read(struct real_stream *s, size_t len, int err)
{
    if (err) {
        s->read_ended = true;
        update_watch(s);
    }
    if (!s->lingering)
        s->on_read(s->read_arg, err ? NULL : s->loop->read_mem, len, err);
    else if (err && s->shut)
        real_stream_free(&s->base);
}

static void receive(struct real_stream *s)
{
    if (s->read_ended || !(s->reading || s->lingering)) {
        update_watch(s);
        return;
    }
    ssize_t got = recv(s->fd, s->loop->read_mem, REAL_READ_BYTES, MSG_DONTWAIT);
    if (got > 0)
        report_read(s, (size_t)got, 0);
    else if (got == 0)
        report_read(s, 0, ERR_CLOSED);
    else if (errno != EAGAIN && errno != EINTR)
        report_read(s, 0, read_error(errno));
}

void real_stream_read_start(struct loop_stream *base, loop_read_fn *on_read, void *arg)
{
    struct real_stream *s = stream_of(base);
    s->on_read = on_read;
    s->read_arg = arg;
    s->reading = true;
    update_watch(s);
}

/* The watch stays until something comes that nobody reads: most who stop start again before, and a change of
 * it is a system call. */
void real_stream_read_stop(struct loop_stream *base)
{
    stream_of(base)->reading = false;
}

/* ---- writing ---- */

static void queue_drained(struct real_stream *s)
{
    if (s->out.capacity > KEEP_OUT_BYTES)
        buf_fini(&s->out);
    s->room_wanted = false; /* it is told now */
    update_watch(s);
    if (s->lingering) {
        s->shut = true;
        if (shutdown(s->fd, SHUT_WR) != 0 || s->read_ended)
            real_stream_free(&s->base);
    } else if (s->on_drain) {
        s->on_drain(s->drain_arg, 0);
    }
}

static void write_broke(struct real_stream *s, int err)
{
    s->broken = true;
    buf_fini(&s->out);
    update_watch(s);
    if (s->lingering)
        real_stream_free(&s->base);
    else if (s->on_drain)
        s->on_drain(s->drain_arg, err);
}

/* Reset, or failed: nothing that is written would arrive. */
static bool is_dead(const struct real_stream *s)
{
    struct pollfd p = {.fd = s->fd};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP));
}

/* What came before its death is read first, while somebody reads. */
static void found_dead(struct real_stream *s)
{
    if (s->reading && !s->read_ended)
        return;
    s->room_wanted = false;
    write_broke(s, ERR_IO);
}

static void found_room(struct real_stream *s)
{
    if (!s->room_wanted)
        return;
    if (is_dead(s)) {
        found_dead(s);
        return;
    }
    s->room_wanted = false;
    update_watch(s);
    if (s->on_drain && !s->lingering)
        s->on_drain(s->drain_arg, 0);
}

static void flush(struct real_stream *s)
{
    if (s->out.len == 0) {
        found_room(s);
        return;
    }
    ssize_t sent = send(s->fd, buf_data(&s->out), s->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            write_broke(s, err_from_errno(errno));
        return;
    }
    buf_consume(&s->out, (size_t)sent);
    if (s->out.len == 0)
        queue_drained(s);
}

/* An error is left for flush to meet again, from the loop: no callback fires
 * inside the call. */
void real_stream_write(struct loop_stream *base, const void *data, size_t len)
{
    struct real_stream *s = stream_of(base);
    if (s->broken)
        return;
    size_t taken = 0;
    if (s->out.len == 0) {
        ssize_t sent = send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0)
            taken = (size_t)sent;
    }
    if (taken == len)
        return;
    CHECK(buf_append(&s->out, (const char *)data + taken, len - taken) == 0);
    update_watch(s);
}

void real_stream_on_drain(struct loop_stream *base, loop_drain_fn *on_drain, void *arg)
{
    struct real_stream *s = stream_of(base);
    s->on_drain = on_drain;
    s->drain_arg = arg;
}

size_t real_stream_pending(const struct loop_stream *base)
{
    return ((const struct real_stream *)base)->out.len;
}

/* POLLOUT: a third of the send buffer is free (tcp_poll), and nobody but us writes into it; a dead socket
 * says so, too, beside POLLERR or POLLHUP. */
bool real_stream_ask_room(struct loop_stream *base)
{
    struct real_stream *s = stream_of(base);
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    bool room = !s->broken && s->out.len == 0 && poll(&p, 1, 0) == 1 && p.revents == POLLOUT;
    s->room_wanted = !room && !s->broken;
    update_watch(s);
    return room;
}

/* ---- life ---- */

static void on_ready(void *arg, bool readable, bool writable)
{
    struct real_stream *s = arg;
    s->busy = true;
    if (writable)
        flush(s);
    if (!s->freed && readable)
        receive(s);
    s->busy = false;
    if (s->freed)
        free(s);
}

static void stream_dispose(struct real_object *o)
{
    real_stream_free(&CONTAINER_OF(o, struct real_stream, object)->base);
}

struct loop_stream *real_stream_open(struct real_loop *l, int fd, const struct addr *peer)
{
    struct real_stream *s = mem_alloc(sizeof(*s));
    *s = (struct real_stream){.base.ops = &real_ops, .loop = l, .fd = fd, .peer = *peer};
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof(on)); /* replies are written whole; a failure only costs time */
    buf_init(&s->out, SIZE_MAX / 2);
    real_object_init(l, &s->object, stream_dispose);
    s->watch = loop_watch_new(&l->base, fd, on_ready, s);
    return &s->base;
}

void real_stream_peer(const struct loop_stream *base, struct addr *ret_addr)
{
    *ret_addr = ((const struct real_stream *)base)->peer;
}

void real_stream_local(const struct loop_stream *base, struct addr *ret_addr)
{
    const struct real_stream *s = (const struct real_stream *)base;
    socklen_t len = sizeof(ret_addr->u);
    CHECK(getsockname(s->fd, &ret_addr->u.sa, &len) == 0);
}

static void on_linger_end(void *arg)
{
    real_stream_free(arg);
}

void real_stream_close(struct loop_stream *base, int64_t linger_ms)
{
    struct real_stream *s = stream_of(base);
    if (linger_ms <= 0 || s->broken) {
        real_stream_free(base);
        return;
    }
    s->lingering = true;
    s->linger = loop_timer_new(&s->loop->base, on_linger_end, base);
    loop_timer_start(s->linger, linger_ms);
    if (s->out.len == 0)
        queue_drained(s);
    else
        update_watch(s);
}

/* RST instead of FIN, so that the peer cannot take what it got for the whole. */
static void cut(struct real_stream *s)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void real_stream_free(struct loop_stream *base)
{
    struct real_stream *s = stream_of(base);
    if (s->out.len > 0)
        cut(s);
    list_remove(&s->object.node);
    loop_timer_free(s->linger);
    loop_watch_free(s->watch);
    close(s->fd);
    buf_fini(&s->out);
    s->freed = true;
    if (!s->busy)
        free(s);
}
