#include "smtp/server.h"

#include <string.h>

#include "base/mem.h"
#include "smtp/limits.h"
#include "smtp/server_machine.h"

#define IN_MAX            (1 << 20)  /* what one call of smtp_server_input may leave to wait */
#define IN_KEEP_BYTES     4096       /* a larger empty input buffer is given back */
#define OUT_MAX           (16 << 20) /* never reached: one reply for each LMTP recipient is the most */
#define ERRORS_MAX        20
#define RECIPIENTS_MAX    1000
#define IDLE_TIMEOUT_MS   (5 * 60 * 1000) /* RFC 5321 4.5.3.2.7 */
#define DATA_PACE_BYTES_S 1024 /* a message may come no slower, on the average of an idle timeout */
/* Until a message has begun, or the next one: commands alone do not keep a session open. */
#define TALK_IDLE_TIMEOUTS 12

struct smtp_server *smtp_server_new(const struct smtp_server_options *options,
                                    const struct smtp_server_ops *ops, void *arg,
                                    const struct peer_nonce *nonce)
{
    struct smtp_server *s = mem_zalloc(sizeof(*s));
    s->options = options;
    s->ops = ops;
    s->arg = arg;
    s->nonce = *nonce;
    s->stage = "CONNECT";
    buf_init(&s->in, IN_MAX);
    buf_init(&s->out, OUT_MAX);
    smtp_line_reader_init(&s->reader);
    return s;
}

void smtp_server_free(struct smtp_server *s)
{
    if (!s)
        return;
    CHECK(!s->running);
    server_finish(s);
    buf_fini(&s->in);
    buf_fini(&s->out);
    free(s);
}

/* ---- replies ---- */

void server_write(struct smtp_server *s, const struct smtp_reply *r)
{
    server_tell_refusal(s, r);
    server_write_again(s, r);
}

void server_write_again(struct smtp_server *s, const struct smtp_reply *r)
{
    smtp_reply_format(&s->out, r, true);
    CHECK(!s->out.overflow);
}

void server_write_plain(struct smtp_server *s, const struct smtp_reply *r)
{
    server_tell_refusal(s, r);
    smtp_reply_format(&s->out, r, false);
    CHECK(!s->out.overflow);
}

/* The reply to end the session with, if there is one error too many. */
static struct smtp_reply count_error(struct smtp_server *s)
{
    unsigned max = s->options->errors_max ? s->options->errors_max : ERRORS_MAX;
    struct smtp_reply owners = {.code = 0};
    if (s->ops->error)
        owners = s->ops->error(s->arg);
    if (++s->errors >= max)
        return SMTP_REPLY(421, 4, 7, 0, "Too many errors, closing transmission channel");
    return owners;
}

void server_refuse(struct smtp_server *s, struct smtp_reply r)
{
    struct smtp_reply last = count_error(s);
    if (last.code == 0) {
        server_write(s, &r);
        return;
    }
    server_write(s, &last);
    server_finish(s);
}

void server_refuse_without_mail(struct smtp_server *s)
{
    static const struct smtp_reply r = {503, {5, 5, 1}, {"MAIL first", 10}};
    if (s->mail_put_off)
        server_write(s, &r);
    else
        server_refuse(s, r);
}

/* ---- the session's end ---- */

void server_reset(struct smtp_server *s)
{
    s->recipient_count = 0;
    s->mail_utf8 = false;
    s->mail_put_off = false;
    s->chunking = false;
    if (!s->transaction)
        return;
    s->transaction = false;
    if (s->ops->reset)
        s->ops->reset(s->arg);
}

void server_finish(struct smtp_server *s)
{
    if (s->phase == PHASE_FINISHED)
        return;
    enum server_phase phase = s->phase;
    bool open = s->question != QUESTION_NONE;
    s->phase = PHASE_FINISHED;
    s->question = QUESTION_NONE;
    if (open && s->ops->cancel)
        s->ops->cancel(s->arg);
    if (!open && phase == PHASE_AUTH && s->ops->auth_cancel)
        s->ops->auth_cancel(s->arg);
    server_reset(s);
}

static bool may_shut_down(const struct smtp_server *s)
{
    return s->shutting_down && s->started && s->question == QUESTION_NONE &&
           (s->phase == PHASE_COMMAND || s->phase == PHASE_AUTH);
}

void smtp_server_shutdown(struct smtp_server *s, const struct smtp_reply *reply)
{
    s->shutdown_reply = reply ? *reply : SMTP_REPLY_UNAVAILABLE;
    struct str text = str_sub(s->shutdown_reply.text, 0, sizeof(s->shutdown_text));
    memcpy(s->shutdown_text, text.ptr, text.len);
    s->shutdown_reply.text = (struct str){s->shutdown_text, text.len};
    s->shutting_down = true;
    server_go_on(s);
}

void smtp_server_hang_up(struct smtp_server *s)
{
    server_finish(s);
    server_go_on(s);
}

void smtp_server_timeout(struct smtp_server *s)
{
    if (s->phase == PHASE_FINISHED)
        return;
    if (s->phase != PHASE_TLS) /* amid a handshake nothing can be said */
        server_write(s, &SMTP_REPLY(421, 4, 4, 2, "Timeout, closing transmission channel"));
    server_finish(s);
}

/* ---- running ---- */

static struct str pending_input(const struct smtp_server *s)
{
    return s->in.len > 0 ? buf_str(&s->in) : s->direct;
}

static void consume_input(struct smtp_server *s, size_t len)
{
    if (s->in.len > 0)
        buf_consume(&s->in, len);
    else
        s->direct = str_sub(s->direct, len, s->direct.len);
}

static bool can_go_on(const struct smtp_server *s)
{
    return s->started && s->phase != PHASE_FINISHED && s->phase != PHASE_TLS &&
           s->question == QUESTION_NONE && !s->no_room && s->out.len < SMTP_SERVER_OUT_HIGH;
}

static void take_line(struct smtp_server *s, struct str line)
{
    if (s->phase == PHASE_AUTH)
        auth_line(s, line);
    else
        server_dispatch(s, line);
}

static void refuse_line(struct smtp_server *s, int err)
{
    if (s->phase == PHASE_AUTH) {
        s->phase = PHASE_COMMAND;
        if (s->ops->auth_cancel)
            s->ops->auth_cancel(s->arg);
    }
    if (err == ERR_LIMIT)
        server_refuse(s, SMTP_REPLY(500, 5, 5, 2, "Line too long"));
    else
        server_refuse(s, SMTP_REPLY(500, 5, 5, 2, "Line holds a bare CR, a bare LF or a NUL"));
}

static void line_input(struct smtp_server *s, struct str bytes)
{
    size_t used;
    struct str line;
    int rc = smtp_line_read(&s->reader, bytes.ptr, bytes.len, &used, &line);
    s->progress += rc != 0;
    s->behind_bytes = bytes.len - used;
    if (rc == 1)
        take_line(s, line);
    else if (rc != 0)
        refuse_line(s, rc);
    consume_input(s, used); /* only now: the line may be a view of it */
}

static void run(struct smtp_server *s)
{
    struct str bytes;
    size_t used;
    s->running = true;
    while (can_go_on(s)) {
        if (may_shut_down(s)) {
            server_write_again(s, &s->shutdown_reply); /* nothing of the client's was refused */
            server_finish(s);
            break;
        }
        if (s->phase == PHASE_CHUNK && s->chunk_left == 0) {
            server_chunk_ended(s);
            continue;
        }
        bytes = pending_input(s);
        if (bytes.len == 0)
            break;
        if (s->phase == PHASE_DATA || s->phase == PHASE_CHUNK) {
            (s->phase == PHASE_DATA ? server_data_input : server_chunk_input)(s, bytes, &used);
            consume_input(s, used);
            s->data_bytes += used;
        } else {
            line_input(s, bytes);
        }
    }
    s->running = false;
    if (s->in.len == 0 && s->in.capacity > IN_KEEP_BYTES)
        buf_fini(&s->in);
}

void server_go_on(struct smtp_server *s)
{
    if (s->running)
        return;
    run(s);
    if (s->on_wake)
        s->on_wake(s->wake_arg);
}

void server_ask_connect(struct smtp_server *s)
{
    s->question = QUESTION_CONNECT;
    if (s->ops->connect)
        s->ops->connect(s->arg);
    else
        smtp_server_reply(s, NULL);
}

void smtp_server_start(struct smtp_server *s)
{
    CHECK(!s->started);
    s->started = true;
    s->running = true;
    if (s->tls_first)
        s->phase = PHASE_TLS;
    else
        server_ask_connect(s);
    run(s);
}

void smtp_server_input(struct smtp_server *s, const char *data, size_t len)
{
    if (s->phase == PHASE_FINISHED)
        return;
    if (s->in.len > 0) {
        CHECK(buf_append(&s->in, data, len) == 0);
        run(s);
        return;
    }
    s->direct = (struct str){data, len};
    run(s);
    if (s->direct.len > 0)
        CHECK(buf_append_str(&s->in, s->direct) == 0);
    s->direct = STR_EMPTY;
}

bool smtp_server_wants_input(const struct smtp_server *s)
{
    return can_go_on(s);
}

struct str smtp_server_output(const struct smtp_server *s)
{
    return buf_str(&s->out);
}

void smtp_server_output_taken(struct smtp_server *s, size_t len)
{
    buf_consume(&s->out, len);
    run(s);
}

bool smtp_server_finished(const struct smtp_server *s)
{
    return s->phase == PHASE_FINISHED;
}

static int64_t idle_timeout_ms(const struct smtp_server *s)
{
    return s->options->idle_timeout_ms ? s->options->idle_timeout_ms : IDLE_TIMEOUT_MS;
}

int64_t smtp_server_timeout_ms(const struct smtp_server *s)
{
    if (!s->started || s->phase == PHASE_FINISHED || s->question != QUESTION_NONE)
        return 0;
    return idle_timeout_ms(s);
}

/* Pieces of messages that came at the least pace. */
static uint64_t pieces(const struct smtp_server *s)
{
    uint64_t piece_bytes = (uint64_t)idle_timeout_ms(s) * DATA_PACE_BYTES_S / 1000;
    return s->data_bytes / (piece_bytes ? piece_bytes : 1);
}

uint64_t smtp_server_progress(const struct smtp_server *s)
{
    return s->progress + pieces(s);
}

int64_t smtp_server_stage_timeout_ms(const struct smtp_server *s)
{
    bool talks = s->phase != PHASE_DATA && !s->peer_node[0];
    return talks ? TALK_IDLE_TIMEOUTS * idle_timeout_ms(s) : 0;
}

uint64_t smtp_server_stage(const struct smtp_server *s)
{
    return s->stages + pieces(s);
}

void smtp_server_on_wake(struct smtp_server *s, void (*on_wake)(void *arg), void *arg)
{
    s->on_wake = on_wake;
    s->wake_arg = arg;
}

void smtp_server_resume(struct smtp_server *s)
{
    s->no_room = false;
    s->progress++;
    server_go_on(s);
}

/* ---- what the owner may ask ---- */

bool smtp_server_busy(const struct smtp_server *s)
{
    bool in_message = s->transaction && (s->phase == PHASE_DATA || s->chunking); /* else it is swallowed */
    return in_message || s->user[0] || s->peer_node[0] || s->question != QUESTION_NONE;
}

size_t server_recipients_max(const struct smtp_server *s)
{
    return s->options->recipients_max ? s->options->recipients_max : RECIPIENTS_MAX;
}

uint64_t server_size_max_bytes(const struct smtp_server *s)
{
    uint64_t max = s->options->size_max_bytes;
    if (max == 0)
        return UINT64_MAX;
    return s->peer_node[0] ? max + SMTP_PEER_TRACE_MAX_BYTES : max;
}

struct str smtp_server_helo(const struct smtp_server *s)
{
    return str_from(s->xclient.helo[0] ? s->xclient.helo : s->helo);
}

struct str smtp_server_user(const struct smtp_server *s)
{
    return str_from(s->user);
}

struct str smtp_server_peer_node(const struct smtp_server *s)
{
    return str_from(s->peer_node);
}

const char *smtp_server_protocol_name(const struct smtp_server *s)
{
    static const char *const names[2][2][2][2] = {
        /* [LMTP][UTF8][TLS][AUTH] */
        {{{"ESMTP", "ESMTPA"}, {"ESMTPS", "ESMTPSA"}},
         {{"UTF8SMTP", "UTF8SMTPA"}, {"UTF8SMTPS", "UTF8SMTPSA"}}},
        {{{"LMTP", "LMTPA"}, {"LMTPS", "LMTPSA"}}, {{"UTF8LMTP", "UTF8LMTPA"}, {"UTF8LMTPS", "UTF8LMTPSA"}}},
    };
    if (!s->esmtp)
        return "SMTP";
    return names[s->options->flavour == SMTP_FLAVOUR_LMTP][s->mail_utf8][s->tls[0] != '\0']
                [s->user[0] != '\0'];
}
