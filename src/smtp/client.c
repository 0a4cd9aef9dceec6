#include "smtp/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/tls_client.h"
#include "smtp/client_machine.h"

#define OUT_MAX                                                                                              \
    (CLIENT_OUT_HIGH + 2 * SMTP_CLIENT_BODY_MAX + 4096) /* a stuffed piece and a command on top              \
                                                         */

/* RFC 5321 4.5.3.2; what it does not name is as MAIL. */
#define TIMEOUT_COMMAND_MS   (5 * 60 * 1000)
#define TIMEOUT_DATA_MS      (2 * 60 * 1000)
#define TIMEOUT_BODY_MS      (3 * 60 * 1000)
#define TIMEOUT_DATA_END_MS  (10 * 60 * 1000)
#define TIMEOUT_HANDSHAKE_MS (10 * 1000) /* two round trips, and a signature of a busy server */
#define TIMEOUT_QUIT_MS      (10 * 1000) /* nothing hangs on its answer */

struct smtp_client *smtp_client_new(const struct smtp_client_options *options,
                                    const struct smtp_client_ops *ops, void *arg,
                                    const struct peer_nonce *nonce)
{
    struct smtp_client *c = mem_zalloc(sizeof(*c));
    c->options = options;
    c->ops = ops;
    c->arg = arg;
    c->nonce = *nonce;
    c->offers.known = true;
    buf_init(&c->out, OUT_MAX);
    smtp_reply_parser_init(&c->parser);
    return c;
}

static void destroy(struct smtp_client *c)
{
    free(c->t.rcpts);
    buf_fini(&c->held);
    buf_fini(&c->out);
    free(c);
}

void smtp_client_free(struct smtp_client *c)
{
    if (!c)
        return;
    c->freed = true;
    c->state = CLIENT_ENDED;
    if (!c->running)
        destroy(c);
}

void client_command(struct smtp_client *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_append_vfmt(&c->out, fmt, args);
    va_end(args);
    buf_append_text(&c->out, "\r\n");
    CHECK(!c->out.overflow);
}

/* ---- running: callbacks fire under `running`, so that what they call only
 * leaves its mark and the loop here goes on with it ---- */

static bool step(struct smtp_client *c)
{
    if (c->freed)
        return false;
    if (c->state == CLIENT_READY && client_wants_xclient(c)) {
        client_put_xclient(c);
        return false;
    }
    if (c->state == CLIENT_READY && client_is_anothers(c)) {
        client_come_again(c);
        return true;
    }
    if (c->state == CLIENT_READY && c->in_transaction) {
        c->state = CLIENT_TRANSACTION;
        return true;
    }
    if (c->state == CLIENT_READY && c->quit_wanted) {
        client_command(c, "QUIT");
        c->state = CLIENT_QUIT;
        return false;
    }
    if (c->state == CLIENT_READY && !c->told_ready) {
        c->told_ready = true;
        if (c->ops->ready)
            c->ops->ready(c->arg);
        return true;
    }
    return c->state == CLIENT_TRANSACTION && client_transaction_step(c);
}

static bool enter(struct smtp_client *c)
{
    if (c->running)
        return false;
    c->running = true;
    return true;
}

static void leave(struct smtp_client *c)
{
    while (step(c))
        ;
    c->running = false;
    if (c->freed)
        destroy(c);
}

/* As leave, for what the owner called: who moves the bytes does not know. */
static void leave_and_wake(struct smtp_client *c)
{
    void (*on_wake)(void *arg) = c->on_wake;
    void *wake_arg = c->wake_arg;
    bool freed;
    while (step(c))
        ;
    freed = c->freed;
    c->running = false;
    if (freed)
        destroy(c);
    else if (on_wake)
        on_wake(wake_arg);
}

/* ---- the end ---- */

static enum smtp_outcome outcome_of_loss(const struct smtp_client *c, enum smtp_client_end end)
{
    bool begun = c->t.mail_sent || c->t.introduced;
    if (end == SMTP_END_REFUSED || end == SMTP_END_TLS || !begun)
        return SMTP_OUTCOME_UNSENT;
    if (c->t.dot_sent)
        return c->t.closing ? SMTP_OUTCOME_DEFERRED : SMTP_OUTCOME_UNKNOWN;
    return end == SMTP_END_ABANDONED ? SMTP_OUTCOME_ABANDONED : SMTP_OUTCOME_LOST;
}

void client_end(struct smtp_client *c, enum smtp_client_end end, enum smtp_stage stage,
                const struct smtp_reply *reply, const char *why)
{
    struct smtp_reply none = {.code = 0, .text = str_from(why)};
    if (c->state == CLIENT_ENDED)
        return;
    c->state = CLIENT_ENDED;
    if (!reply)
        reply = &none;
    if (c->in_transaction) {
        client_tell_open(c, outcome_of_loss(c, end), stage, reply);
        client_transaction_end(c);
    }
    if (!c->freed && c->ops->end)
        c->ops->end(c->arg, end, stage, reply, str_from(why));
}

enum smtp_stage client_stage(const struct smtp_client *c)
{
    static const enum smtp_stage stages[] = {
        [CLIENT_GREETING] = SMTP_STAGE_GREETING, [CLIENT_EHLO] = SMTP_STAGE_HELO,
        [CLIENT_HELO] = SMTP_STAGE_HELO,         [CLIENT_PEER] = SMTP_STAGE_PEER,
        [CLIENT_XCLIENT] = SMTP_STAGE_CLIENT,    [CLIENT_STARTTLS] = SMTP_STAGE_TLS,
        [CLIENT_TLS] = SMTP_STAGE_TLS,           [CLIENT_READY] = SMTP_STAGE_IDLE,
        [CLIENT_RSET] = SMTP_STAGE_IDLE,         [CLIENT_QUIT] = SMTP_STAGE_QUIT,
        [CLIENT_ENDED] = SMTP_STAGE_IDLE,
    };
    return c->state == CLIENT_TRANSACTION ? client_transaction_stage(c) : stages[c->state];
}

/* "connection lost (closed) at MAIL" */
static void end_with(struct smtp_client *c, enum smtp_client_end end, const char *what, const char *detail)
{
    char why[160];
    bool before = end == SMTP_END_CONNECT || end == SMTP_END_LOCAL;
    enum smtp_stage stage = before ? SMTP_STAGE_CONNECT : client_stage(c);
    if (detail)
        snprintf(why, sizeof(why), "%s (%s) at %s", what, detail, smtp_stage_name(stage));
    else
        snprintf(why, sizeof(why), "%s at %s", what, smtp_stage_name(stage));
    client_end(c, end, stage, NULL, why);
}

void smtp_client_connect_failed(struct smtp_client *c, int err)
{
    if (!enter(c))
        return;
    enum smtp_client_end end = err == ERR_LIMIT ? SMTP_END_LOCAL : SMTP_END_CONNECT;
    end_with(c, end, "connection could not be made", err_name(err));
    leave(c);
}

void smtp_client_lost(struct smtp_client *c, int err)
{
    if (!enter(c))
        return;
    end_with(c, c->state == CLIENT_QUIT ? SMTP_END_QUIT : SMTP_END_LOST, "connection lost", err_name(err));
    leave(c);
}

void smtp_client_timeout(struct smtp_client *c)
{
    if (!enter(c))
        return;
    end_with(c, c->state == CLIENT_QUIT ? SMTP_END_QUIT : SMTP_END_TIMEOUT, "timeout", NULL);
    leave(c);
}

void smtp_client_abort(struct smtp_client *c, const char *why)
{
    bool outermost = enter(c);
    client_end(c, SMTP_END_ABANDONED, client_stage(c), NULL, why);
    if (outermost)
        leave_and_wake(c);
}

/* ---- bytes ---- */

static void take_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    c->progress++;
    if (c->state == CLIENT_TRANSACTION)
        client_transaction_reply(c, r);
    else
        client_session_reply(c, r);
}

void smtp_client_input(struct smtp_client *c, const char *data, size_t len)
{
    struct smtp_reply reply;
    struct str line;
    size_t used;
    if (!enter(c))
        return;
    while (len > 0 && c->state != CLIENT_ENDED && !c->freed) {
        if (c->state == CLIENT_TLS) { /* somebody on the way may have put it there */
            end_with(c, SMTP_END_PROTOCOL, "the server went on in plain text", NULL);
            break;
        }
        int rc = smtp_reply_parse(&c->parser, data, len, &used, &line, &reply);
        if (rc < 0) {
            end_with(c, SMTP_END_PROTOCOL, "what came is no SMTP reply", NULL);
            break;
        }
        data += used;
        len -= used;
        if (rc >= 1 && c->state == CLIENT_EHLO)
            client_keyword(c, line);
        if (rc == 2) {
            take_reply(c, &reply);
            while (step(c))
                ;
        }
    }
    leave(c);
}

bool smtp_client_wants_tls(const struct smtp_client *c)
{
    return c->state == CLIENT_TLS;
}

void smtp_client_tls_started(struct smtp_client *c, struct str channel)
{
    CHECK(c->state == CLIENT_TLS && !c->running && (channel.len == 0 || channel.len == sizeof(c->channel)));
    c->progress++;
    c->tls_active = true;
    c->has_channel = channel.len > 0;
    memcpy(c->channel, channel.ptr, channel.len);
    client_forget_keywords(c); /* RFC 3207 4.2 */
    client_say_ehlo(c);
}

void smtp_client_connects_to(struct smtp_client *c, const struct addr *to)
{
    addr_format_ip(to, c->address);
}

static void begin_anew(struct smtp_client *c)
{
    client_forget_keywords(c);
    buf_clear(&c->out);
    smtp_reply_parser_init(&c->parser);
    c->told_ip[0] = c->told_helo[0] = c->told_name[0] = '\0';
    c->told = c->t.introduced = false;
    c->state = CLIENT_GREETING;
}

bool smtp_client_tls_failed(struct smtp_client *c, const char *detail)
{
    char why[320];
    bool again = tls_client_policy(c->options->tls) == TLS_OPPORTUNISTIC;
    CHECK(c->state == CLIENT_TLS && enter(c));
    c->progress++;
    c->tls_given_up = again;
    snprintf(why, sizeof(why), "TLS: %s", detail);
    if (!again)
        client_end(c, SMTP_END_TLS, SMTP_STAGE_TLS, NULL, why);
    else
        begin_anew(c);
    if (again && c->ops->tls_failed)
        c->ops->tls_failed(c->arg, detail);
    again = again && c->state == CLIENT_GREETING; /* the owner may have ended it */
    leave(c);
    return again;
}

void smtp_client_spare_tls(struct smtp_client *c)
{
    c->tls_given_up = true;
}

struct str smtp_client_output(const struct smtp_client *c)
{
    return buf_str(&c->out);
}

void smtp_client_output_taken(struct smtp_client *c, size_t len)
{
    buf_consume(&c->out, len);
    c->progress += len > 0;
    if (enter(c))
        leave(c);
}

bool smtp_client_finished(const struct smtp_client *c)
{
    return c->state == CLIENT_ENDED;
}

/* What is awaited in vain is given up the sooner where mail goes on without it. */
static int64_t handshake_timeout_ms(const struct smtp_client *c)
{
    bool spared =
        c->options->opening_timeout_ms > 0 || tls_client_policy(c->options->tls) == TLS_OPPORTUNISTIC;
    return c->state == CLIENT_TLS && spared ? TIMEOUT_HANDSHAKE_MS : TIMEOUT_COMMAND_MS;
}

static int64_t stage_timeout_ms(const struct smtp_client *c)
{
    switch (client_stage(c)) {
    case SMTP_STAGE_DATA:
        return TIMEOUT_DATA_MS;
    case SMTP_STAGE_BODY:
        return c->out.len > 0 || c->t.end_due || client_chunk_unanswered(c)
                   ? TIMEOUT_BODY_MS
                   : 0; /* else it is our own side that is awaited */
    case SMTP_STAGE_DATA_END:
        return TIMEOUT_DATA_END_MS;
    case SMTP_STAGE_QUIT:
        return TIMEOUT_QUIT_MS;
    case SMTP_STAGE_TLS:
        return handshake_timeout_ms(c);
    default:
        return TIMEOUT_COMMAND_MS;
    }
}

static int64_t capped(int64_t timeout_ms, int64_t cap_ms)
{
    return cap_ms > 0 && timeout_ms > cap_ms ? cap_ms : timeout_ms;
}

int64_t smtp_client_timeout_ms(const struct smtp_client *c)
{
    bool reply_of_opening = !c->told_ready && c->state != CLIENT_TLS;
    if (c->state == CLIENT_ENDED || c->state == CLIENT_READY)
        return 0;
    int64_t timeout_ms = capped(stage_timeout_ms(c), c->options->timeout_ms);
    return reply_of_opening ? capped(timeout_ms, c->options->opening_timeout_ms) : timeout_ms;
}

uint64_t smtp_client_progress(const struct smtp_client *c)
{
    return c->progress;
}

void smtp_client_on_wake(struct smtp_client *c, void (*on_wake)(void *arg), void *arg)
{
    c->on_wake = on_wake;
    c->wake_arg = arg;
}

/* ---- the owner ---- */

bool smtp_client_is_ready(const struct smtp_client *c)
{
    return c->told_ready && !c->in_transaction && !c->quit_wanted &&
           (c->state == CLIENT_READY || c->state == CLIENT_RSET);
}

void smtp_client_send(struct smtp_client *c, const struct smtp_client_message *message)
{
    CHECK(smtp_client_is_ready(c) && message->recipient_count > 0);
    c->in_transaction = true;
    c->t = (struct client_transaction){.message = *message};
    c->t.rcpts = mem_calloc(message->recipient_count, sizeof(*c->t.rcpts));
    smtp_stuff_init(&c->t.stuff);
    if (enter(c))
        leave_and_wake(c);
}

static void end_body(struct smtp_client *c)
{
    if (client_by_chunks(c))
        client_chunks_end(c);
    else
        smtp_stuff_end(&c->t.stuff, &c->out);
    c->t.body_open = c->t.body_asked = c->t.end_due = false;
    c->t.dot_sent = true;
}

void smtp_client_body(struct smtp_client *c, const char *data, size_t len)
{
    if (!c->t.body_asked)
        return; /* the transaction ended meanwhile */
    CHECK(len <= SMTP_CLIENT_BODY_MAX);
    c->progress++;
    if (len > 0 && client_by_chunks(c)) {
        c->t.body_asked = false;
        client_chunk(c, data, len);
    } else if (len > 0) {
        c->t.body_asked = false;
        smtp_stuff(&c->t.stuff, &c->out, data, len);
    } else if (c->ops->may_end) {
        if (client_by_chunks(c))
            client_chunks_pause(c);
        c->t.end_due = true;
    } else {
        end_body(c);
    }
    CHECK(!c->out.overflow);
    if (enter(c))
        leave_and_wake(c);
}

bool smtp_client_wants_end(const struct smtp_client *c)
{
    return c->t.end_due && c->out.len == 0 && (!client_by_chunks(c) || client_chunk_may_follow(c));
}

void smtp_client_flushed(struct smtp_client *c)
{
    if (!smtp_client_wants_end(c))
        return;
    if (!c->ops->may_end(c->arg)) {
        smtp_client_abort(c, "the message may not be sent any more");
        return;
    }
    c->progress++;
    end_body(c);
    if (enter(c))
        leave_and_wake(c);
}

void smtp_client_body_failed(struct smtp_client *c, const char *why)
{
    if (c->t.body_asked)
        smtp_client_abort(c, why);
}

void smtp_client_quit(struct smtp_client *c)
{
    c->quit_wanted = true;
    if (enter(c))
        leave_and_wake(c);
}

bool smtp_client_peer_proved(const struct smtp_client *c)
{
    return c->peer_proved;
}

const char *smtp_outcome_name(enum smtp_outcome outcome)
{
    static const char *const names[] = {
        [SMTP_OUTCOME_DELIVERED] = "delivered", [SMTP_OUTCOME_DEFERRED] = "deferred",
        [SMTP_OUTCOME_REFUSED] = "refused",     [SMTP_OUTCOME_UNSENT] = "unsent",
        [SMTP_OUTCOME_LOST] = "lost",           [SMTP_OUTCOME_UNKNOWN] = "unknown",
        [SMTP_OUTCOME_ABANDONED] = "abandoned",
    };
    return names[outcome];
}

const char *smtp_stage_name(enum smtp_stage stage)
{
    static const char *const names[] = {
        [SMTP_STAGE_CONNECT] = "connect",    [SMTP_STAGE_GREETING] = "greeting",
        [SMTP_STAGE_HELO] = "EHLO",          [SMTP_STAGE_TLS] = "STARTTLS",
        [SMTP_STAGE_PEER] = "XHOLDFAST",     [SMTP_STAGE_CLIENT] = "XFORWARD or XCLIENT",
        [SMTP_STAGE_IDLE] = "idle",          [SMTP_STAGE_LOCAL] = "local",
        [SMTP_STAGE_MAIL] = "MAIL",          [SMTP_STAGE_RCPT] = "RCPT",
        [SMTP_STAGE_DATA] = "DATA",          [SMTP_STAGE_BODY] = "body",
        [SMTP_STAGE_DATA_END] = "final dot", [SMTP_STAGE_QUIT] = "QUIT",
    };
    return names[stage];
}
