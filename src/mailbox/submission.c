/* What users submit: handed on to a relay while it comes in, so that the relay's
 * 250 is what the user's 250 rests on. Nothing is kept here. */
#include <string.h>

#include "auth/sasl.h"
#include "base/log.h"
#include "base/mem.h"
#include "mailbox/handover.h"
#include "mailbox/instance.h"
#include "mailbox/login.h"
#include "smtp/map_error.h"
#include "smtp/refusal_log.h"
#include "smtp/server_connection.h"
#include "wire/received.h"

#define BUFFER_HIGH_BYTES (128 * 1024)  /* of the message, waiting for the relay */
#define BUFFER_MAX_BYTES  (1024 * 1024) /* what may come after "no more": one batch of input */

struct submission {
    struct session_node base; /* first */
    struct smtp_server_connection *connection;
    struct smtp_server *server;
    char client_ip[ADDR_TEXT_MAX];
    struct sasl sasl;
    bool sasl_open;
    struct login *login; /* being checked */
    struct directory_look *look;
    struct str asked; /* the forward-path that is looked for, owned */
    struct dsn_request asked_request;

    char *reverse_path;
    bool smtputf8;
    enum dsn_ret ret;
    char *envid;
    struct str *recipients;       /* owned copies */
    struct dsn_request *requests; /* for each of them, owned, too */
    size_t recipient_count;
    uint64_t size_bytes;
    struct handover *handover;
    struct buf body;
    char piece[SMTP_CLIENT_BODY_MAX];
    size_t wanted;      /* a relay asked for a piece of up to so many bytes; 0: not now */
    bool body_ended;    /* the user's final dot was seen */
    bool waiting_begin; /* data_begin is open until a relay has taken all recipients */
    bool paused;
    bool done;                /* the handover is over: answer is its result */
    struct smtp_reply answer; /* its text is the handover's */
};

static void reply(struct submission *s, struct smtp_reply r)
{
    smtp_server_reply(s->server, &r);
}

static void drop_handover(struct submission *s)
{
    handover_free(s->handover);
    s->handover = NULL;
    s->wanted = 0;
}

static void drop_transaction(struct submission *s)
{
    drop_handover(s);
    for (size_t i = 0; i < s->recipient_count; i++) {
        free((void *)(uintptr_t)s->recipients[i].ptr);
        free((void *)(uintptr_t)s->requests[i].orcpt.ptr);
    }
    free(s->recipients);
    free(s->requests);
    s->recipients = NULL;
    s->requests = NULL;
    s->recipient_count = 0;
    free(s->reverse_path);
    free(s->envid);
    s->reverse_path = s->envid = NULL;
    buf_clear(&s->body);
    s->body_ended = s->waiting_begin = s->paused = s->done = false;
}

/* ---- login ---- */

static void close_sasl(struct submission *s)
{
    if (s->sasl_open)
        sasl_fini(&s->sasl);
    s->sasl_open = false;
}

static void on_login(void *arg, int err, struct str user)
{
    struct submission *s = arg;
    s->login = NULL;
    if (err == 0)
        smtp_server_auth_done(s->server, user);
    else if (err == ERR_BUSY)
        reply(s, SMTP_REPLY(454, 4, 7, 0, "Too many logins at once, try again later"));
    else if (err == ERR_UNAVAILABLE)
        reply(s, SMTP_REPLY(454, 4, 7, 0, "Nobody can log in now, try again later"));
    else
        reply(s, SMTP_REPLY(535, 5, 7, 8, "Wrong user name or password"));
}

static void sasl_moved(struct submission *s, int err, struct str challenge)
{
    if (err == ERR_UNSUPPORTED) {
        reply(s, SMTP_REPLY(504, 5, 5, 4, "This mechanism is not offered"));
    } else if (err) {
        reply(s, SMTP_REPLY(535, 5, 7, 8, "Wrong user name or password"));
    } else if (!sasl_finished(&s->sasl)) {
        smtp_server_auth_challenge(s->server, challenge);
        return;
    } else {
        struct login_from from = {"submission", s->client_ip};
        s->login =
            login_new(s->base.instance, &from, sasl_user(&s->sasl), sasl_password(&s->sasl), on_login, s);
    }
    close_sasl(s);
}

static void on_auth(void *arg, struct str mechanism, const struct str *initial)
{
    struct submission *s = arg;
    struct str challenge = STR_EMPTY;
    close_sasl(s);
    s->sasl_open = true;
    int err = sasl_start(&s->sasl, mechanism, initial, &challenge);
    sasl_moved(s, err, challenge);
}

static void on_auth_response(void *arg, struct str response)
{
    struct submission *s = arg;
    struct str challenge = STR_EMPTY;
    int err = sasl_respond(&s->sasl, response, &challenge);
    sasl_moved(s, err, challenge);
}

static void on_auth_cancel(void *arg)
{
    close_sasl(arg);
}

/* ---- the relay's side ---- */

static void resume(struct submission *s)
{
    if (!s->paused)
        return;
    s->paused = false;
    smtp_server_resume(s->server);
}

static void give_body(struct submission *s)
{
    if (s->wanted == 0 || (s->body.len == 0 && !s->body_ended))
        return;
    size_t len = s->body.len < s->wanted ? s->body.len : s->wanted;
    memcpy(s->piece, buf_data(&s->body), len); /* taken out first: the client may ask for more from inside */
    buf_consume(&s->body, len);
    s->wanted = 0;
    handover_body(s->handover, s->piece, len);
    if (s->body.len < BUFFER_HIGH_BYTES)
        resume(s);
}

static void log_submitted(const struct submission *s)
{
    if (s->base.instance->config->log_messages == LOG_MESSAGES_ALL)
        log_event(LOG_INFO, "submitted", LOG_STR("user", smtp_server_user(s->server)),
                  LOG_TEXT("client", s->client_ip), LOG_STR("helo", smtp_server_helo(s->server)),
                  LOG_TEXT("sender", s->reverse_path), LOG_I64("recipients", (int64_t)s->recipient_count),
                  LOG_I64("size", (int64_t)s->size_bytes), LOG_STR("tls", smtp_server_tls(s->server)),
                  LOG_STR("relay_reply", s->answer.text));
}

static void on_refused(void *arg, const struct smtp_refusal *refusal)
{
    struct submission *s = arg;
    const struct instance *i = s->base.instance;
    if (i->config->log_messages == LOG_MESSAGES_ALL && refusal->reply->code != 535) /* the login told that */
        smtp_refusal_log(i->log_limit, s->server, s->client_ip, refusal);
}

static void on_tls_failed(void *arg, const char *detail)
{
    struct submission *s = arg;
    const struct instance *i = s->base.instance;
    if (i->config->log_messages == LOG_MESSAGES_ALL)
        smtp_tls_failure_log(i->log_limit, s->server, s->client_ip, detail);
}

static void answer_end(struct submission *s)
{
    struct smtp_reply answer = s->answer;
    if (!s->done || !s->body_ended)
        return;
    if (smtp_reply_class(&answer) == 2)
        log_submitted(s);
    smtp_server_reply(s->server, &answer);
    drop_transaction(s);
}

/* The message can begin, or not: all its recipients are taken or none, since the
 * user gets one answer for all and would send it again to all. */
static void on_body_wanted(void *arg, size_t len_max)
{
    struct submission *s = arg;
    s->wanted = len_max;
    if (s->waiting_begin) {
        s->waiting_begin = false;
        smtp_server_reply(s->server, NULL);
    } else {
        give_body(s);
    }
}

static void on_ended(void *arg, const struct smtp_reply *answer)
{
    struct submission *s = arg;
    s->wanted = 0;
    if (s->waiting_begin) {
        s->waiting_begin = false;
        reply(s, *answer); /* the answer goes with the handover */
        return;
    }
    s->answer = *answer;
    s->done = true;
    resume(s);
    answer_end(s);
}

static const struct handover_ops handover_ops = {.body_wanted = on_body_wanted, .ended = on_ended};

/* ---- the user's side ---- */

static void on_connect(void *arg)
{
    struct submission *s = arg;
    const struct instance *i = s->base.instance;
    if (i->closing || !instance_serves(i) || i->relays.count == 0 || !directory_known(i->directory))
        reply(s, SMTP_REPLY_UNAVAILABLE);
    else
        smtp_server_reply(s->server, NULL);
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct submission *s = arg;
    drop_transaction(s);
    s->reverse_path = str_dup(mail->reverse_path);
    s->smtputf8 = mail->smtputf8;
    s->ret = mail->dsn.ret;
    s->envid = str_dup(mail->dsn.envid);
    on_connect(s);
}

static struct str copy(struct str text)
{
    return (struct str){str_dup(text), text.len};
}

/* Takes the texts, which are copies. */
static void take_recipient(struct submission *s, struct str forward_path, struct dsn_request request)
{
    size_t count = s->recipient_count + 1;
    s->recipients = mem_reallocarray(s->recipients, count, sizeof(*s->recipients));
    s->requests = mem_reallocarray(s->requests, count, sizeof(*s->requests));
    s->recipients[count - 1] = forward_path;
    s->requests[count - 1] = request;
    s->recipient_count = count;
    smtp_server_reply(s->server, NULL);
}

static void drop_asked(struct submission *s)
{
    free((void *)(uintptr_t)s->asked.ptr);
    free((void *)(uintptr_t)s->asked_request.orcpt.ptr);
    s->asked = s->asked_request.orcpt = (struct str){NULL, 0};
}

static void cancel_look(struct submission *s)
{
    directory_look_cancel(s->look);
    s->look = NULL;
    drop_asked(s);
}

static void on_looked(void *arg, int err, struct str user)
{
    struct submission *s = arg;
    struct str asked = s->asked;
    struct dsn_request request = s->asked_request;
    s->look = NULL;
    if (!err && user.ptr) {
        s->asked = s->asked_request.orcpt = (struct str){NULL, 0};
        take_recipient(s, asked, request);
        return;
    }
    drop_asked(s);
    reply(s, err ? smtp_reply_for_error(err) : SMTP_REPLY(550, 5, 1, 1, "No such user here"));
}

/* Who was added a moment ago may not be in the directory yet. */
static void look_for(struct submission *s, const struct smtp_rcpt *rcpt)
{
    s->asked = copy(rcpt->forward_path);
    s->asked_request = (struct dsn_request){rcpt->dsn.notify, copy(rcpt->dsn.orcpt)};
    s->look = directory_look(s->base.instance->directory, rcpt->local_part, rcpt->domain, on_looked, s);
    if (!s->look)
        on_looked(s, 0, (struct str){NULL, 0});
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    struct submission *s = arg;
    const struct instance *i = s->base.instance;
    const struct config_domain *domain = config_domain_find(i->config, rcpt->domain);
    if (!domain) {
        reply(s, SMTP_REPLY(550, 5, 7, 1, "Mail to other networks is not sent from here"));
        return;
    }
    if (directory_has_domain(i->directory, domain) &&
        !directory_find(i->directory, rcpt->local_part, rcpt->domain).ptr) {
        look_for(s, rcpt);
        return;
    }
    take_recipient(s, copy(rcpt->forward_path),
                   (struct dsn_request){rcpt->dsn.notify, copy(rcpt->dsn.orcpt)});
}

static void write_received(struct submission *s)
{
    struct received_line received = {
        .helo = smtp_server_helo(s->server),
        .client_ip = str_from(s->client_ip),
        .by = str_from(s->base.instance->server->hostname),
        .user = smtp_server_user(s->server),
        .tls = smtp_server_tls(s->server),
        .with = smtp_server_protocol_name(s->server),
        .at = loop_wall(s->base.instance->loop),
    };
    received_line_format(&s->body, &received);
}

static void on_data_begin(void *arg)
{
    struct submission *s = arg;
    struct instance *i = s->base.instance;
    struct smtp_client_message message = {
        .reverse_path = str_from(s->reverse_path),
        .recipients = s->recipients,
        .recipient_count = s->recipient_count,
        .smtputf8 = s->smtputf8,
        .eight_bit = true, /* not known before it came; our relay offers it */
        .dsn = {s->ret, str_from(s->envid)},
        .requests = s->requests,
        .user = smtp_server_user(s->server),
    };
    drop_handover(s); /* of a DATA that was refused */
    buf_clear(&s->body);
    write_received(s);
    s->waiting_begin = true;
    s->handover = handover_new(i->loop, &i->relays, &message, &handover_ops, s);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct submission *s = arg;
    if (s->done)
        return true; /* the relay has refused it: the rest is swallowed */
    buf_append(&s->body, data, len);
    give_body(s);
    s->paused = s->body.len >= BUFFER_HIGH_BYTES;
    return !s->paused;
}

/* No relay has the end of the message, so none has taken it. */
static void give_up(struct submission *s, struct smtp_reply answer)
{
    drop_handover(s);
    s->answer = answer;
    s->done = true;
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct submission *s = arg;
    s->size_bytes = info->size_bytes;
    s->body_ended = true;
    if (s->body.overflow)
        give_up(s, SMTP_REPLY(451, 4, 3, 0, "The relay does not take it now, try again later"));
    else if (!s->done && !instance_serves(s->base.instance))
        give_up(s, SMTP_REPLY_UNAVAILABLE);
    give_body(s);
    answer_end(s);
}

static void on_reset(void *arg)
{
    drop_transaction(arg);
}

static void on_cancel(void *arg)
{
    struct submission *s = arg;
    login_cancel(s->login);
    s->login = NULL;
    cancel_look(s);
    drop_handover(s);
}

static void on_closed(void *arg)
{
    struct submission *s = arg;
    on_cancel(s);
    close_sasl(s);
    drop_transaction(s);
    buf_fini(&s->body);
    session_node_fini(&s->base);
    free(s);
}

static const struct smtp_server_ops server_ops = {
    .connect = on_connect,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_data_begin,
    .data = on_data,
    .data_end = on_data_end,
    .refused = on_refused,
    .tls_failed = on_tls_failed,
    .auth = on_auth,
    .auth_response = on_auth_response,
    .auth_cancel = on_auth_cancel,
    .reset = on_reset,
    .cancel = on_cancel,
    .closed = on_closed,
};

static void shutdown_session(struct session_node *node)
{
    smtp_server_shutdown(((struct submission *)node)->server, NULL);
}

static void make_room(struct session_node *node)
{
    smtp_server_connection_make_room(((struct submission *)node)->connection);
}

static void cut_session(struct session_node *node)
{
    smtp_server_connection_free(((struct submission *)node)->connection);
}

void submission_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls)
{
    struct submission *s = mem_zalloc(sizeof(*s));
    session_node_init(&s->base, i, peer);
    s->base.takes_mail = true;
    s->base.shutdown = shutdown_session;
    s->base.make_room = make_room;
    s->base.cut = cut_session;
    buf_init(&s->body, BUFFER_MAX_BYTES);
    addr_format_ip(peer, s->client_ip);
    s->connection = smtp_server_connection_new(
        i->loop, stream, &s->base.slot,
        addr_is_loopback(peer) ? &i->submission_options : &i->submission_away_options, &server_ops, s);
    s->server = smtp_server_connection_session(s->connection);
    if (tls)
        smtp_server_begin_with_tls(s->server);
}
