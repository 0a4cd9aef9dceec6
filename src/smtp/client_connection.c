#include "smtp/client_connection.h"

#include "base/mem.h"
#include "net/tls_client.h"

#define STREAM_HIGH_BYTES 65536 /* that the kernel has not taken; above it no more is made */
#define LINGER_MS         5000  /* for QUIT to get out */

struct smtp_client_connection {
    struct loop *loop;
    struct addr to, from;
    bool has_from;
    int64_t connect_timeout_ms;
    struct tls_client *tls;
    bool shaking_hands;           /* the stream is TLS already, and not ready */
    struct loop_connect *connect; /* until on_connect */
    struct loop_stream *stream;   /* after it, until the end */
    struct loop_timer *timer;
    struct smtp_client *session;
    int64_t timeout_ms; /* that the timer was started with; 0: stopped */
    uint64_t progress;  /* of the session, when it was */
    unsigned busy;      /* callbacks of the owner may be on the stack */
    bool freed;
};

static void leave(struct smtp_client_connection *c)
{
    if (--c->busy == 0 && c->freed)
        free(c);
}

static void release(struct smtp_client_connection *c, int64_t linger_ms)
{
    loop_connect_cancel(c->connect);
    c->connect = NULL;
    if (c->stream)
        loop_stream_close(c->stream, linger_ms);
    c->stream = NULL;
    loop_timer_free(c->timer);
    c->timer = NULL;
}

static void set_timer(struct smtp_client_connection *c)
{
    int64_t timeout_ms = smtp_client_timeout_ms(c->session);
    uint64_t progress = smtp_client_progress(c->session);
    if (timeout_ms == c->timeout_ms && progress == c->progress)
        return;
    c->timeout_ms = timeout_ms;
    c->progress = progress;
    if (timeout_ms > 0)
        loop_timer_start(c->timer, timeout_ms);
    else
        loop_timer_stop(c->timer);
}

static void on_read(void *arg, const char *data, size_t len, int err);
static void on_drain(void *arg, int err);
static void on_tls(void *arg, int err, const char *detail);

static void listen_to(struct smtp_client_connection *c, struct loop_stream *s)
{
    c->stream = s;
    loop_stream_on_drain(s, on_drain, c);
    loop_stream_read_start(s, on_read, c);
}

/* Sends what there is, and sees what the session wants next. */
static void pump(struct smtp_client_connection *c)
{
    struct str out;
    while (!c->freed && c->stream && (out = smtp_client_output(c->session)).len > 0 &&
           (loop_stream_pending(c->stream) < STREAM_HIGH_BYTES || smtp_client_finished(c->session))) {
        loop_stream_write(c->stream, out.ptr, out.len);
        smtp_client_output_taken(c->session, out.len);
    }
    if (!c->freed && c->stream && smtp_client_wants_end(c->session) && loop_stream_ask_room(c->stream))
        smtp_client_flushed(c->session); /* it wakes us when that makes more */
    if (c->freed || !c->timer)
        return;
    if (smtp_client_finished(c->session)) {
        release(c, LINGER_MS);
        return;
    }
    if (!c->stream)
        return;
    if (smtp_client_wants_tls(c->session) && !c->shaking_hands) {
        c->shaking_hands = true;
        listen_to(c, tls_client_stream(c->tls, c->stream, on_tls, c));
    }
    set_timer(c);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct smtp_client_connection *c = arg;
    c->busy++;
    if (err)
        smtp_client_lost(c->session, err);
    else
        smtp_client_input(c->session, data, len);
    pump(c);
    leave(c);
}

static void on_drain(void *arg, int err)
{
    struct smtp_client_connection *c = arg;
    c->busy++;
    if (err)
        smtp_client_lost(c->session, err);
    pump(c);
    leave(c);
}

static void connect_to(struct smtp_client_connection *c);

static void tls_failed(struct smtp_client_connection *c, const char *detail)
{
    c->shaking_hands = false;
    if (!smtp_client_tls_failed(c->session, detail))
        return;
    loop_stream_close(c->stream, 0);
    c->stream = NULL;
    loop_timer_stop(c->timer);
    c->timeout_ms = 0;
    connect_to(c);
}

static struct str channel_of(const struct loop_stream *s, uint8_t channel[TLS_CHANNEL_BYTES])
{
    int err = tls_stream_channel(s, channel);
    return err ? STR_EMPTY : (struct str){(const char *)channel, TLS_CHANNEL_BYTES};
}

static void on_tls(void *arg, int err, const char *detail)
{
    struct smtp_client_connection *c = arg;
    uint8_t channel[TLS_CHANNEL_BYTES];
    c->busy++;
    if (err) {
        tls_failed(c, detail);
    } else {
        c->shaking_hands = false;
        smtp_client_tls_started(c->session, channel_of(c->stream, channel));
    }
    pump(c);
    leave(c);
}

static void on_timer(void *arg)
{
    struct smtp_client_connection *c = arg;
    c->busy++;
    if (c->shaking_hands) {
        tls_client_note_mute(c->tls, &c->to);
        tls_failed(c, "the handshake took too long");
    } else
        smtp_client_timeout(c->session);
    pump(c);
    leave(c);
}

static void on_wake(void *arg)
{
    struct smtp_client_connection *c = arg;
    c->busy++;
    pump(c);
    leave(c);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct smtp_client_connection *c = arg;
    c->connect = NULL;
    c->busy++;
    if (err)
        smtp_client_connect_failed(c->session, err);
    else
        listen_to(c, s);
    pump(c);
    leave(c);
}

static void connect_to(struct smtp_client_connection *c)
{
    loop_connect(c->loop, &c->to, c->has_from ? &c->from : NULL, c->connect_timeout_ms, on_connect, c,
                 &c->connect);
}

struct smtp_client_connection *smtp_client_connection_new(struct loop *l, const struct addr *to,
                                                          const struct addr *from, int64_t connect_timeout_ms,
                                                          const struct smtp_client_options *options,
                                                          const struct smtp_client_ops *ops, void *arg)
{
    struct smtp_client_connection *c = mem_zalloc(sizeof(*c));
    struct peer_nonce nonce;
    loop_random(l, nonce.bytes, sizeof(nonce.bytes));
    c->loop = l;
    c->to = *to;
    c->has_from = from != NULL;
    if (from)
        c->from = *from;
    c->connect_timeout_ms = connect_timeout_ms;
    c->tls = options->tls;
    c->session = smtp_client_new(options, ops, arg, &nonce);
    smtp_client_connects_to(c->session, to);
    if (tls_client_is_mute(c->tls, to))
        smtp_client_spare_tls(c->session);
    smtp_client_on_wake(c->session, on_wake, c);
    c->timer = loop_timer_new(l, on_timer, c);
    connect_to(c);
    return c;
}

struct smtp_client *smtp_client_connection_session(struct smtp_client_connection *c)
{
    return c->session;
}

void smtp_client_connection_free(struct smtp_client_connection *c)
{
    if (!c)
        return;
    release(c, 0);
    smtp_client_free(c->session);
    c->freed = true;
    if (c->busy == 0)
        free(c);
}
