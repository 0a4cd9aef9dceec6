/* Readers' sessions: the pure IMAP and POP3 machines over streams. Both have the
 * same face for who moves the bytes; a table stands for each. */
#include "base/log.h"
#include "base/mem.h"
#include "mailbox/instance.h"
#include "mailbox/login.h"

#define STREAM_HIGH_BYTES (256 * 1024) /* output that the kernel has not taken; above it no more is made */
#define LINGER_MS         5000         /* for the last answer to be fetched */
#define GOING_DOWN        "This instance is going down, connect again soon"
#define LOGIN_MAX_MS      180000 /* from the connection to a login, whatever comes */

struct machine {
    const char *protocol;
    void (*input)(void *m, const char *data, size_t len);
    bool (*wants_input)(const void *m);
    struct str (*output)(const void *m);
    void (*output_taken)(void *m, size_t len);
    bool (*wants_tls)(const void *m);
    void (*tls_started)(void *m);
    bool (*finished)(const void *m);
    int64_t (*timeout_ms)(const void *m);
    void (*timeout)(void *m);
    void (*shutdown)(void *m, const char *why);
    void (*authenticated)(void *m, int err, struct str user);
    void (*free)(void *m);
};

#define DEFINE_MACHINE(name, protocol)                                                                       \
    static void name##_input_of(void *m, const char *data, size_t len)                                       \
    {                                                                                                        \
        name##_session_input(m, data, len);                                                                  \
    }                                                                                                        \
    static bool name##_wants_input_of(const void *m)                                                         \
    {                                                                                                        \
        return name##_session_wants_input(m);                                                                \
    }                                                                                                        \
    static struct str name##_output_of(const void *m)                                                        \
    {                                                                                                        \
        return name##_session_output(m);                                                                     \
    }                                                                                                        \
    static void name##_output_taken_of(void *m, size_t len)                                                  \
    {                                                                                                        \
        name##_session_output_taken(m, len);                                                                 \
    }                                                                                                        \
    static bool name##_wants_tls_of(const void *m)                                                           \
    {                                                                                                        \
        return name##_session_wants_tls(m);                                                                  \
    }                                                                                                        \
    static void name##_tls_started_of(void *m)                                                               \
    {                                                                                                        \
        name##_session_tls_started(m);                                                                       \
    }                                                                                                        \
    static bool name##_finished_of(const void *m)                                                            \
    {                                                                                                        \
        return name##_session_finished(m);                                                                   \
    }                                                                                                        \
    static int64_t name##_timeout_ms_of(const void *m)                                                       \
    {                                                                                                        \
        return name##_session_timeout_ms(m);                                                                 \
    }                                                                                                        \
    static void name##_timeout_of(void *m)                                                                   \
    {                                                                                                        \
        name##_session_timeout(m);                                                                           \
    }                                                                                                        \
    static void name##_shutdown_of(void *m, const char *why)                                                 \
    {                                                                                                        \
        name##_session_shutdown(m, why);                                                                     \
    }                                                                                                        \
    static void name##_authenticated_of(void *m, int err, struct str user)                                   \
    {                                                                                                        \
        name##_session_authenticated(m, err, user);                                                          \
    }                                                                                                        \
    static void name##_free_of(void *m)                                                                      \
    {                                                                                                        \
        name##_session_free(m);                                                                              \
    }                                                                                                        \
    static const struct machine name##_machine = {protocol,                                                  \
                                                  name##_input_of,                                           \
                                                  name##_wants_input_of,                                     \
                                                  name##_output_of,                                          \
                                                  name##_output_taken_of,                                    \
                                                  name##_wants_tls_of,                                       \
                                                  name##_tls_started_of,                                     \
                                                  name##_finished_of,                                        \
                                                  name##_timeout_ms_of,                                      \
                                                  name##_timeout_of,                                         \
                                                  name##_shutdown_of,                                        \
                                                  name##_authenticated_of,                                   \
                                                  name##_free_of};

DEFINE_MACHINE(imap, "IMAP")
DEFINE_MACHINE(pop3, "POP3")
#undef DEFINE_MACHINE

struct reader {
    struct session_node base; /* first */
    char client_ip[ADDR_TEXT_MAX];
    const struct machine *type;
    void *machine;
    struct loop_stream *stream;
    struct loop_timer *timer;
    bool reading, ended;
    bool shaking_hands;  /* the stream is TLS already, and not ready */
    struct login *login; /* being checked */
    bool logged_in;
    struct mono_time login_by; /* whatever comes until then */
};

static void on_read(void *arg, const char *data, size_t len, int err);

/* The end itself is left to the timer: not from inside a callback of the machine. */
static void end(struct reader *r)
{
    if (r->ended)
        return;
    r->ended = true;
    loop_stream_read_stop(r->stream);
    loop_timer_start(r->timer, 0);
}

static void set_reading(struct reader *r)
{
    bool wanted = r->type->wants_input(r->machine) && loop_stream_pending(r->stream) < STREAM_HIGH_BYTES;
    if (wanted == r->reading)
        return;
    r->reading = wanted;
    if (wanted)
        loop_stream_read_start(r->stream, on_read, r);
    else
        loop_stream_read_stop(r->stream);
}

static void on_drain(void *arg, int err);
static void on_tls(void *arg, int err, const char *detail);

/* What is queued goes out before it in plain text. */
static void start_tls(struct reader *r)
{
    admission_touch(&r->base.slot);
    r->shaking_hands = true;
    r->reading = false;
    r->stream = tls_server_stream(r->base.instance->tls, r->stream, on_tls, r);
    loop_stream_on_drain(r->stream, on_drain, r);
}

/* Somebody who sends a byte now and then must not stay without a login. */
static int64_t timeout_ms(const struct reader *r)
{
    int64_t timeout = r->type->timeout_ms(r->machine);
    int64_t left = mono_diff_ms(r->login_by, loop_now(r->base.instance->loop));
    if (r->logged_in || timeout == 0 || timeout < left)
        return timeout;
    return left > 0 ? left : 1;
}

static void pump(struct reader *r)
{
    struct str out;
    if (r->ended)
        return;
    while ((out = r->type->output(r->machine)).len > 0 &&
           loop_stream_pending(r->stream) < STREAM_HIGH_BYTES) {
        loop_stream_write(r->stream, out.ptr, out.len);
        r->type->output_taken(r->machine, out.len);
    }
    if (r->type->finished(r->machine)) {
        end(r);
        return;
    }
    if (r->type->wants_tls(r->machine) && out.len == 0 && !r->shaking_hands)
        start_tls(r);
    set_reading(r);
    int64_t timeout = timeout_ms(r);
    if (timeout > 0)
        loop_timer_start(r->timer, timeout);
    else
        loop_timer_stop(r->timer);
}

static void tell_tls_failed(const struct reader *r, const char *detail)
{
    const struct instance *i = r->base.instance;
    if (i->config->log_messages == LOG_MESSAGES_ALL && log_limit_may(i->log_limit, r->client_ip))
        log_event(LOG_INFO, "TLS not established", LOG_TEXT("protocol", r->type->protocol),
                  LOG_TEXT("client", r->client_ip), LOG_TEXT("detail", detail));
}

static void on_tls(void *arg, int err, const char *detail)
{
    struct reader *r = arg;
    r->shaking_hands = false;
    if (r->ended)
        return;
    if (err) {
        tell_tls_failed(r, detail);
        end(r);
        return;
    }
    r->type->tls_started(r->machine);
    pump(r);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct reader *r = arg;
    if (err) {
        end(r);
        return;
    }
    admission_touch(&r->base.slot);
    r->type->input(r->machine, data, len);
    pump(r);
}

static void on_drain(void *arg, int err)
{
    struct reader *r = arg;
    if (err)
        end(r);
    else
        pump(r);
}

static void on_wake(void *arg)
{
    pump(arg);
}

static void destroy(struct reader *r, int64_t linger_ms)
{
    struct str out = r->type->output(r->machine);
    loop_stream_write(r->stream, out.ptr, out.len);
    loop_stream_close(r->stream, linger_ms);
    loop_timer_free(r->timer);
    r->type->free(r->machine);
    session_node_fini(&r->base);
    free(r);
}

static void on_timer(void *arg)
{
    struct reader *r = arg;
    if (r->ended) {
        destroy(r, admission_linger_ms(&r->base.slot, loop_now(r->base.instance->loop), LINGER_MS));
        return;
    }
    r->type->timeout(r->machine);
    pump(r);
}

/* ---- login ---- */

static void on_login(void *arg, int err, struct str user)
{
    struct reader *r = arg;
    r->login = NULL;
    r->logged_in = err == 0;
    admission_set_busy(&r->base.slot, r->logged_in);
    r->type->authenticated(r->machine, err, user);
    pump(r);
}

static void on_authenticate(void *arg, struct str user, struct str password)
{
    struct reader *r = arg;
    struct login_from from = {r->type->protocol, r->client_ip};
    admission_set_busy(&r->base.slot, true);
    r->login = login_new(r->base.instance, &from, user, password, on_login, r);
}

static void on_cancel(void *arg)
{
    struct reader *r = arg;
    login_cancel(r->login);
    r->login = NULL;
    admission_set_busy(&r->base.slot, false);
}

static struct wall_time on_now(void *arg)
{
    struct reader *r = arg;
    return loop_wall(r->base.instance->loop);
}

static void on_fenced(void *arg)
{
    struct reader *r = arg;
    r->base.instance->on_fenced(r->base.instance);
}

static const struct imap_ops imap_ops = {
    .authenticate = on_authenticate, .cancel = on_cancel, .now = on_now, .fenced = on_fenced};
static const struct pop3_ops pop3_ops = {
    .authenticate = on_authenticate, .cancel = on_cancel, .fenced = on_fenced};

/* ---- new connections ---- */

static void shutdown_session(struct session_node *node)
{
    struct reader *r = (struct reader *)node;
    r->type->shutdown(r->machine, GOING_DOWN);
    pump(r);
}

static void end_now(struct reader *r, const char *why)
{
    if (!r->shaking_hands && !r->ended)
        r->type->shutdown(r->machine, why);
    destroy(r, 0);
}

static void make_room(struct session_node *node)
{
    end_now((struct reader *)node, "Too many connections: idle ones are ended first");
}

static void cut_session(struct session_node *node)
{
    end_now((struct reader *)node, GOING_DOWN);
}

static struct reader *reader_new(struct instance *i, const struct machine *type, struct loop_stream *stream,
                                 const struct addr *peer)
{
    struct reader *r = mem_zalloc(sizeof(*r));
    session_node_init(&r->base, i, peer);
    r->base.shutdown = shutdown_session;
    r->base.make_room = make_room;
    r->base.cut = cut_session;
    r->type = type;
    r->stream = stream;
    addr_format_ip(peer, r->client_ip);
    r->timer = loop_timer_new(i->loop, on_timer, r);
    r->login_by = mono_add_ms(loop_now(i->loop), LOGIN_MAX_MS);
    loop_stream_on_drain(stream, on_drain, r);
    return r;
}

void imap_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls)
{
    struct reader *r = reader_new(i, &imap_machine, stream, peer);
    struct imap_session *s = imap_session_new(&i->imap_options, &imap_ops, r, i->mail, addr_is_loopback(peer),
                                              tls_server_usable(i->tls));
    r->machine = s;
    if (tls)
        imap_session_begin_with_tls(s);
    imap_session_on_wake(s, on_wake, r);
    pump(r);
}

void pop3_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls)
{
    struct reader *r = reader_new(i, &pop3_machine, stream, peer);
    struct pop3_session *s = pop3_session_new(&i->pop3_options, &pop3_ops, r, i->mail, addr_is_loopback(peer),
                                              tls_server_usable(i->tls));
    r->machine = s;
    if (tls)
        pop3_session_begin_with_tls(s);
    pop3_session_on_wake(s, on_wake, r);
    pump(r);
}
