#include "net/tls_stream.h"

#include <openssl/err.h>
#include <stdio.h>

#include "base/mem.h"
#include "loop/ops.h"
#include "net/tls_impl.h"

#define RECORD_BYTES 16384 /* of plain text, RFC 8446 5.1 */
/* What reading made us answer (alerts, new keys) and the peer does not fetch: above it nothing more is read.
 */
#define ANSWERS_MAX_BYTES 65536

enum tls_state { STATE_HANDSHAKE, STATE_OPEN, STATE_FAILED };

struct tls_stream {
    struct loop_stream base;
    struct loop_stream *under;
    SSL *ssl;
    BIO *in, *out;            /* the ssl's: what came, what is to go */
    struct loop_timer *timer; /* for what must not be told inside of the owner's call */
    enum tls_state state;
    unsigned busy; /* callbacks of the owner may be on the stack */
    bool freed;

    tls_check_fn *check;
    void *check_arg;
    tls_ready_fn *on_ready; /* NULL: it was told */
    void *ready_arg;

    bool reading;    /* the owner wants it */
    bool read_ended; /* the owner was told */
    loop_read_fn *on_read;
    void *read_arg;
    size_t answer_bytes; /* since all was last fetched */

    bool write_broken, broken_told;
    loop_drain_fn *on_drain;
    void *drain_arg;
};

static const struct loop_ops tls_ops;

static struct tls_stream *stream_of(struct loop_stream *base)
{
    return CONTAINER_OF(base, struct tls_stream, base);
}

static void enter(struct tls_stream *s)
{
    s->busy++;
}

static void leave(struct tls_stream *s)
{
    if (--s->busy == 0 && s->freed)
        free(s);
}

/* ---- bytes between OpenSSL and the stream under it ---- */

static size_t send_out(struct tls_stream *s)
{
    char *data;
    long len = BIO_get_mem_data(s->out, &data);
    if (len <= 0)
        return 0;
    loop_stream_write(s->under, data, (size_t)len);
    (void)BIO_reset(s->out);
    tls_bio_shrink(s->out);
    return (size_t)len;
}

static void send_answers(struct tls_stream *s)
{
    s->answer_bytes += send_out(s);
    if (loop_stream_pending(s->under) == 0)
        s->answer_bytes = 0;
}

static void on_under_read(void *arg, const char *data, size_t len, int err);

static bool has_input(const struct tls_stream *s)
{
    return BIO_ctrl_pending(s->in) > 0 || SSL_has_pending(s->ssl);
}

static void update_reading(struct tls_stream *s)
{
    bool wanted = s->state == STATE_HANDSHAKE || (s->state == STATE_OPEN && s->reading && !s->read_ended);
    if (wanted && s->answer_bytes <= ANSWERS_MAX_BYTES)
        loop_stream_read_start(s->under, on_under_read, s);
    else
        loop_stream_read_stop(s->under);
}

/* ---- the handshake ---- */

static void tell_ready(struct tls_stream *s, int err, const char *detail)
{
    tls_ready_fn *on_ready = s->on_ready;
    s->on_ready = NULL;
    if (on_ready)
        on_ready(s->ready_arg, err, detail);
}

static void fail(struct tls_stream *s, int err, const char *detail)
{
    s->state = STATE_FAILED;
    tell_ready(s, err, detail);
}

static void handshake_refused(struct tls_stream *s)
{
    char detail[256];
    long verified = SSL_get_verify_result(s->ssl);
    if (SSL_get_verify_mode(s->ssl) != SSL_VERIFY_NONE && verified != X509_V_OK)
        snprintf(detail, sizeof(detail), "the peer's certificate is not trusted: %s",
                 X509_verify_cert_error_string(verified));
    else
        snprintf(detail, sizeof(detail), "the TLS handshake failed: %s", tls_error_reason());
    ERR_clear_error();
    fail(s, ERR_REFUSED, detail);
}

static void handshake_done(struct tls_stream *s)
{
    struct err_buf eb = {""};
    if (s->check && s->check(s->check_arg, s->ssl, &eb) < 0) {
        fail(s, ERR_REFUSED, eb.text);
        return;
    }
    s->state = STATE_OPEN;
    tell_ready(s, 0, "");
}

static void handshake(struct tls_stream *s)
{
    ERR_clear_error();
    int rc = SSL_do_handshake(s->ssl);
    send_answers(s);
    if (rc == 1)
        handshake_done(s);
    else if (SSL_get_error(s->ssl, rc) != SSL_ERROR_WANT_READ)
        handshake_refused(s);
}

/* ---- reading ---- */

static void end_reading(struct tls_stream *s, int err)
{
    s->read_ended = true;
    s->on_read(s->read_arg, NULL, 0, err);
}

static int read_error(struct tls_stream *s, int rc)
{
    switch (SSL_get_error(s->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        return ERR_CLOSED;
    default:
        s->write_broken = true; /* OpenSSL writes nothing more after an error */
        return ERR_IO;
    }
}

static bool may_deliver(const struct tls_stream *s)
{
    return !s->freed && s->state == STATE_OPEN && s->reading && !s->read_ended &&
           s->answer_bytes <= ANSWERS_MAX_BYTES;
}

static void deliver(struct tls_stream *s)
{
    char plain[RECORD_BYTES];
    while (may_deliver(s)) {
        ERR_clear_error();
        int rc = SSL_read(s->ssl, plain, sizeof(plain));
        send_answers(s);
        if (rc > 0) {
            s->on_read(s->read_arg, plain, (size_t)rc, 0);
            continue;
        }
        int err = read_error(s, rc);
        ERR_clear_error();
        if (err)
            end_reading(s, err);
        return;
    }
}

static void advance(struct tls_stream *s)
{
    if (s->state == STATE_HANDSHAKE)
        handshake(s);
    deliver(s);
    if (s->freed)
        return;
    tls_bio_shrink(s->in);
    update_reading(s);
}

static void under_ended(struct tls_stream *s, int err)
{
    if (s->state == STATE_HANDSHAKE)
        fail(s, err, "the connection ended during the TLS handshake");
    else if (s->state == STATE_OPEN && s->reading && !s->read_ended)
        end_reading(s, err == ERR_CLOSED ? ERR_IO : err);
}

static void on_under_read(void *arg, const char *data, size_t len, int err)
{
    struct tls_stream *s = arg;
    enter(s);
    if (err) {
        under_ended(s, err);
    } else {
        CHECK(BIO_write(s->in, data, (int)len) == (int)len);
        advance(s);
    }
    leave(s);
}

static void tls_read_start(struct loop_stream *base, loop_read_fn *on_read, void *arg)
{
    struct tls_stream *s = stream_of(base);
    s->on_read = on_read;
    s->read_arg = arg;
    s->reading = true;
    if (s->state == STATE_OPEN && has_input(s))
        loop_timer_start(s->timer, 0);
    else
        update_reading(s);
}

static void tls_read_stop(struct loop_stream *base)
{
    struct tls_stream *s = stream_of(base);
    s->reading = false;
    update_reading(s);
}

/* ---- writing ---- */

static void tls_write(struct loop_stream *base, const void *data, size_t len)
{
    struct tls_stream *s = stream_of(base);
    const char *at = data;
    if (s->state != STATE_OPEN)
        return;
    while (len > 0 && !s->write_broken) {
        int piece = len < RECORD_BYTES ? (int)len : RECORD_BYTES;
        ERR_clear_error();
        s->write_broken = SSL_write(s->ssl, at, piece) != piece;
        ERR_clear_error();
        send_out(s);
        at += piece;
        len -= (size_t)piece;
    }
    if (s->write_broken && !s->broken_told)
        loop_timer_start(s->timer, 0);
}

static void tell_broken(struct tls_stream *s, int err)
{
    if (s->broken_told)
        return;
    s->write_broken = s->broken_told = true;
    if (s->on_drain)
        s->on_drain(s->drain_arg, err);
}

static void on_under_drain(void *arg, int err)
{
    struct tls_stream *s = arg;
    enter(s);
    s->answer_bytes = 0;
    if (s->state == STATE_HANDSHAKE && err)
        fail(s, err, "the connection broke during the TLS handshake");
    else if (s->state == STATE_OPEN && err)
        tell_broken(s, err);
    else if (s->state == STATE_OPEN && s->on_drain)
        s->on_drain(s->drain_arg, 0);
    if (!s->freed)
        advance(s);
    leave(s);
}

static void tls_on_drain(struct loop_stream *base, loop_drain_fn *on_drain, void *arg)
{
    struct tls_stream *s = stream_of(base);
    s->on_drain = on_drain;
    s->drain_arg = arg;
}

static size_t tls_pending(const struct loop_stream *base)
{
    return loop_stream_pending(((const struct tls_stream *)base)->under);
}

static bool tls_ask_room(struct loop_stream *base)
{
    struct tls_stream *s = stream_of(base);
    return !s->write_broken && loop_stream_ask_room(s->under);
}

/* ---- life ---- */

static void on_timer(void *arg)
{
    struct tls_stream *s = arg;
    enter(s);
    if (s->write_broken && s->state == STATE_OPEN)
        tell_broken(s, ERR_IO);
    if (!s->freed)
        advance(s);
    leave(s);
}

struct loop_stream *tls_stream_open(struct loop *l, struct loop_stream *under, SSL *ssl, tls_check_fn *check,
                                    void *check_arg, tls_ready_fn *on_ready, void *arg)
{
    struct tls_stream *s = mem_alloc(sizeof(*s));
    *s = (struct tls_stream){.base.ops = &tls_ops,
                             .under = under,
                             .ssl = ssl,
                             .in = SSL_get_rbio(ssl),
                             .out = SSL_get_wbio(ssl),
                             .check = check,
                             .check_arg = check_arg,
                             .on_ready = on_ready,
                             .ready_arg = arg};
    s->timer = loop_timer_new(l, on_timer, s);
    loop_stream_on_drain(under, on_under_drain, s);
    loop_stream_read_stop(under);
    loop_timer_start(s->timer, 0);
    return &s->base;
}

void tls_stream_info(const struct loop_stream *base, struct tls_info *ret_info)
{
    const struct tls_stream *s = (const struct tls_stream *)base;
    CHECK(base->ops == &tls_ops && s->state == STATE_OPEN);
    *ret_info = (struct tls_info){
        .version = SSL_get_version(s->ssl),
        .cipher = SSL_get_cipher_name(s->ssl),
        .bits = SSL_get_cipher_bits(s->ssl, NULL),
    };
}

int tls_stream_channel(const struct loop_stream *base, uint8_t out[TLS_CHANNEL_BYTES])
{
    static const char label[] = "EXPORTER-Channel-Binding";
    const struct tls_stream *s = (const struct tls_stream *)base;
    CHECK(base->ops == &tls_ops && s->state == STATE_OPEN);
    if (SSL_version(s->ssl) < TLS1_3_VERSION && SSL_get_extms_support(s->ssl) != 1)
        return ERR_UNSUPPORTED;
    int rc = SSL_export_keying_material(s->ssl, out, TLS_CHANNEL_BYTES, label, strlen(label), NULL, 0, 0);
    return rc == 1 ? 0 : ERR_UNSUPPORTED;
}

static void tls_peer(const struct loop_stream *base, struct addr *ret_addr)
{
    loop_stream_peer(((const struct tls_stream *)base)->under, ret_addr);
}

static void tls_local(const struct loop_stream *base, struct addr *ret_addr)
{
    loop_stream_local(((const struct tls_stream *)base)->under, ret_addr);
}

/* The stream under it was taken. */
static void dispose(struct tls_stream *s)
{
    loop_timer_free(s->timer);
    SSL_free(s->ssl);
    s->freed = true;
    if (s->busy == 0)
        free(s);
}

/* The peer's end is not waited for. */
static void say_end(struct tls_stream *s)
{
    if (s->state != STATE_OPEN || s->write_broken)
        return;
    ERR_clear_error();
    SSL_shutdown(s->ssl);
    ERR_clear_error();
    send_out(s);
}

static void tls_free(struct loop_stream *base)
{
    struct tls_stream *s = stream_of(base);
    if (loop_stream_pending(s->under) == 0)
        say_end(s);
    loop_stream_free(s->under);
    dispose(s);
}

static void tls_close(struct loop_stream *base, int64_t linger_ms)
{
    struct tls_stream *s = stream_of(base);
    if (linger_ms <= 0) {
        tls_free(base);
        return;
    }
    say_end(s);
    loop_stream_close(s->under, linger_ms);
    dispose(s);
}

static const struct loop_ops tls_ops = {
    .stream_read_start = tls_read_start,
    .stream_read_stop = tls_read_stop,
    .stream_write = tls_write,
    .stream_on_drain = tls_on_drain,
    .stream_pending = tls_pending,
    .stream_ask_room = tls_ask_room,
    .stream_peer = tls_peer,
    .stream_local = tls_local,
    .stream_close = tls_close,
    .stream_free = tls_free,
};
