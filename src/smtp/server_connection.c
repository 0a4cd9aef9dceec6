#include "smtp/server_connection.h"

#include <stdio.h>

#include "base/mem.h"
#include "net/tls_server.h"

#define STREAM_HIGH_BYTES 65536 /* replies that the kernel has not taken; above it no more are made */
#define LINGER_MS         5000  /* for the last reply to be fetched */

struct smtp_server_connection {
    struct loop *loop;
    struct admission_slot *slot; /* or NULL */
    struct loop_stream *stream;
    struct loop_timer *timer;
    struct smtp_server *session;
    const struct smtp_server_options *options;
    const struct smtp_server_ops *ops;
    void *arg;
    enum { STATE_STARTING, STATE_RUNNING, STATE_ENDED } state;
    bool reading;
    bool shaking_hands; /* the stream is TLS already, and not ready */
    int64_t timeout_ms; /* that the timer was started with; 0: stopped */
    uint64_t progress;  /* of the session, when it was */
    uint64_t stage;
    struct mono_time stage_since;
};

static void on_read(void *arg, const char *data, size_t len, int err);

/* The end itself is left to the timer, so that it does not come from inside an
 * answer of the owner. */
static void end(struct smtp_server_connection *c)
{
    if (c->state == STATE_ENDED)
        return;
    c->state = STATE_ENDED;
    loop_stream_read_stop(c->stream);
    loop_timer_start(c->timer, 0);
}

static void set_reading(struct smtp_server_connection *c)
{
    bool wanted = smtp_server_wants_input(c->session) && loop_stream_pending(c->stream) < STREAM_HIGH_BYTES;
    if (wanted == c->reading)
        return;
    c->reading = wanted;
    if (wanted)
        loop_stream_read_start(c->stream, on_read, c);
    else
        loop_stream_read_stop(c->stream);
}

static int64_t left_of_stage_ms(const struct smtp_server_connection *c)
{
    int64_t limit_ms = smtp_server_stage_timeout_ms(c->session);
    int64_t left_ms = limit_ms - mono_diff_ms(loop_now(c->loop), c->stage_since);
    return limit_ms == 0 ? INT64_MAX : left_ms > 0 ? left_ms : 0;
}

static void start_timer(struct smtp_server_connection *c)
{
    int64_t stage_ms = left_of_stage_ms(c);
    loop_timer_start(c->timer, stage_ms < c->timeout_ms ? stage_ms : c->timeout_ms);
}

static void set_timer(struct smtp_server_connection *c)
{
    int64_t timeout_ms = smtp_server_timeout_ms(c->session);
    uint64_t progress = smtp_server_progress(c->session);
    if (timeout_ms == c->timeout_ms && progress == c->progress)
        return;
    c->timeout_ms = timeout_ms;
    c->progress = progress;
    if (c->stage != smtp_server_stage(c->session)) {
        c->stage = smtp_server_stage(c->session);
        c->stage_since = loop_now(c->loop);
    }
    if (timeout_ms > 0)
        start_timer(c);
    else
        loop_timer_stop(c->timer);
}

/* So that it is known whose session may be ended for another. */
static void tell_slot(struct smtp_server_connection *c)
{
    if (!c->slot)
        return;
    admission_set_busy(c->slot, smtp_server_busy(c->session));
    if (c->progress != smtp_server_progress(c->session))
        admission_touch(c->slot);
}

static void on_drain(void *arg, int err);
static void on_tls(void *arg, int err, const char *detail);

/* What is queued goes out before it in plain text. */
static void start_tls(struct smtp_server_connection *c)
{
    c->shaking_hands = true;
    c->reading = false;
    c->stream = tls_server_stream(c->options->tls, c->stream, on_tls, c);
    loop_stream_on_drain(c->stream, on_drain, c);
}

/* Sends what there is, and sees what the session wants next. */
static void pump(struct smtp_server_connection *c)
{
    struct str out;
    if (c->state == STATE_ENDED)
        return;
    while ((out = smtp_server_output(c->session)).len > 0 &&
           loop_stream_pending(c->stream) < STREAM_HIGH_BYTES) {
        loop_stream_write(c->stream, out.ptr, out.len);
        smtp_server_output_taken(c->session, out.len);
    }
    if (smtp_server_finished(c->session)) {
        end(c);
        return;
    }
    if (smtp_server_wants_tls(c->session) && out.len == 0 && !c->shaking_hands)
        start_tls(c);
    set_reading(c);
    tell_slot(c);
    set_timer(c);
}

static void on_tls(void *arg, int err, const char *detail)
{
    struct smtp_server_connection *c = arg;
    struct tls_info info;
    char how[128];
    uint8_t bytes[TLS_CHANNEL_BYTES];
    c->shaking_hands = false;
    if (c->state == STATE_ENDED)
        return;
    if (err) {
        smtp_server_tls_failed(c->session, detail);
    } else {
        tls_stream_info(c->stream, &info);
        snprintf(how, sizeof(how), "%s %s", info.version, info.cipher);
        bool bound = tls_stream_channel(c->stream, bytes) == 0;
        smtp_server_tls_started(c->session, str_from(how),
                                (struct str){(const char *)bytes, bound ? sizeof(bytes) : 0});
    }
    pump(c);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct smtp_server_connection *c = arg;
    if (err) {
        end(c);
        return;
    }
    smtp_server_input(c->session, data, len);
    pump(c);
}

static void on_drain(void *arg, int err)
{
    struct smtp_server_connection *c = arg;
    if (err)
        end(c);
    else
        pump(c);
}

static void on_wake(void *arg)
{
    pump(arg);
}

static void destroy(struct smtp_server_connection *c, int64_t linger_ms)
{
    const struct smtp_server_ops *ops = c->ops;
    void *arg = c->arg;
    struct str out = smtp_server_output(c->session);
    loop_stream_write(c->stream, out.ptr, out.len); /* the last of a session that a slow reader held up */
    loop_stream_close(c->stream, linger_ms);
    loop_timer_free(c->timer);
    smtp_server_free(c->session);
    free(c);
    if (ops->closed)
        ops->closed(arg);
}

static void on_timer(void *arg)
{
    struct smtp_server_connection *c = arg;
    switch (c->state) {
    case STATE_STARTING:
        c->state = STATE_RUNNING;
        smtp_server_start(c->session);
        pump(c);
        break;
    case STATE_RUNNING:
        smtp_server_timeout(c->session);
        pump(c);
        break;
    case STATE_ENDED:
        destroy(c, admission_linger_ms(c->slot, loop_now(c->loop), LINGER_MS));
        break;
    }
}

struct smtp_server_connection *smtp_server_connection_new(struct loop *l, struct loop_stream *stream,
                                                          struct admission_slot *slot,
                                                          const struct smtp_server_options *options,
                                                          const struct smtp_server_ops *ops, void *arg)
{
    struct smtp_server_connection *c = mem_zalloc(sizeof(*c));
    struct peer_nonce nonce;
    loop_random(l, nonce.bytes, sizeof(nonce.bytes));
    c->loop = l;
    c->stage_since = loop_now(l);
    c->slot = slot;
    c->stream = stream;
    c->options = options;
    c->ops = ops;
    c->arg = arg;
    c->session = smtp_server_new(options, ops, arg, &nonce);
    if (options->tls && tls_server_usable(options->tls))
        smtp_server_offer_tls(c->session);
    smtp_server_on_wake(c->session, on_wake, c);
    loop_stream_on_drain(stream, on_drain, c);
    c->timer = loop_timer_new(l, on_timer, c);
    loop_timer_start(c->timer, 0);
    return c;
}

struct smtp_server *smtp_server_connection_session(struct smtp_server_connection *c)
{
    return c->session;
}

void smtp_server_connection_make_room(struct smtp_server_connection *c)
{
    smtp_server_shutdown(c->session, &SMTP_REPLY_MAKE_ROOM);
    smtp_server_connection_free(c);
}

void smtp_server_connection_free(struct smtp_server_connection *c)
{
    if (c)
        destroy(c, 0);
}
