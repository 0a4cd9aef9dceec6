#include "dns/server_tcp.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/bind.h"

#define LENGTH_BYTES 2            /* before each message: RFC 1035 4.2.2 */
#define QUERY_MAX    4096         /* a query has below 300 bytes; longer ones end the connection */
#define UNSENT_MAX   (128 * 1024) /* two of the largest replies: an asker that does not read gets no more */
#define LINGER_MS    2000

struct connection {
    struct list node; /* in dns_tcp.connections, the least recently asking first */
    struct dns_tcp *tcp;
    struct loop_stream *stream;
    struct loop_timer *idle;
    struct buf in;
    bool held; /* not reading until the replies were sent */
};

struct dns_tcp {
    struct loop *loop;
    struct dns_current *current;
    size_t count;
    int *fds; /* bound, until started */
    struct addr *addrs;
    struct loop_listener **listeners;
    struct list connections;
    size_t connection_count;
    uint8_t reply[LENGTH_BYTES + DNS_TCP_MAX_BYTES];
};

/* The stream is gone before. */
static void connection_free(struct connection *c)
{
    c->tcp->connection_count--;
    list_remove(&c->node);
    loop_timer_free(c->idle);
    buf_fini(&c->in);
    free(c);
}

static void connection_cut(struct connection *c)
{
    loop_stream_free(c->stream);
    connection_free(c);
}

static void connection_close(struct connection *c)
{
    loop_stream_close(c->stream, LINGER_MS);
    connection_free(c);
}

static void on_idle(void *arg)
{
    connection_close(arg);
}

static size_t frame_len(const struct connection *c)
{
    const uint8_t *p = (const uint8_t *)buf_data(&c->in);
    return c->in.len < LENGTH_BYTES ? 0 : (size_t)(p[0] << 8 | p[1]);
}

static bool has_frame(const struct connection *c)
{
    return c->in.len >= LENGTH_BYTES && c->in.len >= LENGTH_BYTES + frame_len(c);
}

/* ERR_CLOSED: what came is no query; the connection is to be closed. */
static int answer_frame(struct connection *c)
{
    struct dns_tcp *t = c->tcp;
    const uint8_t *query = (const uint8_t *)buf_data(&c->in) + LENGTH_BYTES;
    size_t len =
        dns_respond(dns_current_source(t->current), DNS_TCP, query, frame_len(c), t->reply + LENGTH_BYTES);
    buf_consume(&c->in, LENGTH_BYTES + frame_len(c));
    if (len == 0)
        return ERR_CLOSED;
    t->reply[0] = (uint8_t)(len >> 8);
    t->reply[1] = (uint8_t)len;
    loop_stream_write(c->stream, t->reply, LENGTH_BYTES + len);
    return 0;
}

static void touch(struct connection *c)
{
    list_remove(&c->node);
    list_append(&c->tcp->connections, &c->node);
    loop_timer_start(c->idle, DNS_TCP_IDLE_MS);
}

static void on_read(void *arg, const char *data, size_t len, int err);

/* Answers what is there, as long as the replies leave. The connection may be gone after. */
static void proceed(struct connection *c)
{
    while (has_frame(c) && loop_stream_pending(c->stream) <= UNSENT_MAX) {
        touch(c);
        if (answer_frame(c) < 0) {
            connection_close(c);
            return;
        }
    }
    if (frame_len(c) > QUERY_MAX) {
        connection_close(c);
        return;
    }
    bool hold = loop_stream_pending(c->stream) > UNSENT_MAX;
    if (hold && !c->held)
        loop_stream_read_stop(c->stream);
    else if (!hold && c->held)
        loop_stream_read_start(c->stream, on_read, c);
    c->held = hold;
}

static void on_drain(void *arg, int err)
{
    if (err < 0)
        connection_cut(arg);
    else
        proceed(arg);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct connection *c = arg;
    if (err == ERR_CLOSED) {
        connection_close(c); /* with what is still to be sent */
        return;
    }
    if (err < 0 || buf_append(&c->in, data, len) < 0) {
        connection_cut(c);
        return;
    }
    proceed(c);
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct dns_tcp *t = arg;
    (void)peer;
    if (t->connection_count == DNS_TCP_CONNECTIONS_MAX)
        connection_cut(LIST_ENTRY(t->connections.next, struct connection, node));
    struct connection *c = mem_zalloc(sizeof(*c));
    c->tcp = t;
    c->stream = s;
    c->idle = loop_timer_new(t->loop, on_idle, c);
    buf_init(&c->in, 2 * DNS_TCP_MAX_BYTES); /* one read and the rest of a query before it */
    list_init(&c->node);
    t->connection_count++;
    touch(c);
    loop_stream_on_drain(s, on_drain, c);
    loop_stream_read_start(s, on_read, c);
}

static int bind_one(struct dns_tcp *t, size_t i, struct err_buf *eb)
{
    socklen_t len = sizeof(t->addrs[i]);
    int err = loop_bind(LOOP_TCP, &t->addrs[i], &t->fds[i], eb);
    if (err == 0)
        CHECK(getsockname(t->fds[i], &t->addrs[i].u.sa, &len) == 0);
    return err;
}

int dns_tcp_open(const struct addr *addrs, size_t count, struct dns_tcp **ret_tcp, struct err_buf *eb)
{
    struct dns_tcp *t = mem_zalloc(sizeof(*t));
    int err = 0;
    list_init(&t->connections);
    t->count = count;
    t->fds = mem_calloc(count + 1, sizeof(*t->fds));
    t->addrs = mem_calloc(count + 1, sizeof(*t->addrs));
    t->listeners = mem_calloc(count + 1, sizeof(struct loop_listener *));
    memcpy(t->addrs, addrs, count * sizeof(*addrs));
    for (size_t i = 0; i < count; i++)
        t->fds[i] = -1;
    for (size_t i = 0; err == 0 && i < count; i++)
        err = bind_one(t, i, eb);
    if (err < 0) {
        dns_tcp_free(t);
        return err;
    }
    *ret_tcp = t;
    return 0;
}

void dns_tcp_local(const struct dns_tcp *t, size_t index, struct addr *ret_addr)
{
    CHECK(index < t->count);
    *ret_addr = t->addrs[index];
}

int dns_tcp_start(struct dns_tcp *t, struct loop *l, struct dns_current *current, struct err_buf *eb)
{
    t->loop = l;
    t->current = current;
    for (size_t i = 0; i < t->count; i++) {
        int fd = t->fds[i];
        t->fds[i] = -1; /* the loop's from here, in any case */
        int err = loop_listen_fd(l, fd, on_accept, t, &t->listeners[i], eb);
        if (err < 0)
            return err;
    }
    return 0;
}

void dns_tcp_free(struct dns_tcp *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++) {
        loop_listener_free(t->listeners[i]);
        if (t->fds[i] >= 0)
            close(t->fds[i]);
    }
    LIST_FOREACH (it, &t->connections)
        connection_cut(LIST_ENTRY(it, struct connection, node));
    free(t->fds);
    free(t->addrs);
    free(t->listeners);
    free(t);
}
