/* Mail by SMTP and LMTP into the INBOXes of its recipients. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "mailbox/instance.h"
#include "smtp/map_error.h"
#include "smtp/refusal_log.h"
#include "smtp/server_connection.h"
#include "wire/received.h"

#define TRACE_MAX_BYTES 4096 /* Return-Path and Received, each address at its longest */

struct intake {
    struct session_node base; /* first */
    struct smtp_server_connection *connection;
    struct smtp_server *server;
    char client_ip[ADDR_TEXT_MAX];
    char *reverse_path;
    bool held;                    /* by a relay of ours */
    struct custody_id custody_id; /* that relay's, or we make one */
    uint64_t size_bytes;
    struct str *users; /* owned copies */
    size_t user_count;
    struct body_writer *body;
    struct store_op *op;
    struct directory_look *look; /* for the recipient that was just named */
};

static void reply(struct intake *s, struct smtp_reply r)
{
    smtp_server_reply(s->server, &r);
}

static void reply_error(struct intake *s, int err)
{
    reply(s, smtp_reply_for_error(err));
}

static void drop_transaction(struct intake *s)
{
    if (s->body)
        body_abort(s->body);
    s->body = NULL;
    for (size_t i = 0; i < s->user_count; i++)
        free((void *)(uintptr_t)s->users[i].ptr);
    free(s->users);
    s->users = NULL;
    s->user_count = 0;
    free(s->reverse_path);
    s->reverse_path = NULL;
}

/* 0, or why nothing can be taken; ERR_DEGRADED: but what is held by our relays. */
static int intake_health(const struct instance *i)
{
    bool closed = i->closing || !instance_serves(i) || !directory_known(i->directory);
    return closed ? ERR_CLOSED : mail_health(i->mail);
}

/* 421 at once while nothing can be taken, so that senders go on to a relay. */
static void on_connect(void *arg)
{
    struct intake *s = arg;
    const struct smtp_reply unavailable = SMTP_REPLY_UNAVAILABLE;
    int health = intake_health(s->base.instance);
    smtp_server_reply(s->server, health == 0 || health == ERR_DEGRADED ? NULL : &unavailable);
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct intake *s = arg;
    drop_transaction(s);
    s->reverse_path = str_dup(mail->reverse_path);
    s->held = mail->custody_id != NULL;
    if (mail->custody_id)
        s->custody_id = *mail->custody_id;
    else
        loop_random(s->base.instance->loop, s->custody_id.bytes, sizeof(s->custody_id.bytes));
    if (intake_health(s->base.instance) == ERR_DEGRADED && !s->held)
        reply_error(s, ERR_DEGRADED);
    else
        on_connect(s);
}

/* Other spellings of a recipient are the same mailbox: one copy. */
static void add_user(struct intake *s, struct str user)
{
    for (size_t i = 0; i < s->user_count; i++)
        if (str_eq(s->users[i], user))
            return;
    s->users = mem_grow(s->users, s->user_count, sizeof(*s->users));
    s->users[s->user_count++] = (struct str){str_dup(user), user.len};
}

static void answer_rcpt(struct intake *s, struct str user)
{
    if (user.ptr) {
        add_user(s, user);
        smtp_server_reply(s->server, NULL);
    } else {
        reply(s, SMTP_REPLY(550, 5, 1, 1, "No such user here"));
    }
}

static void on_looked(void *arg, int err, struct str user)
{
    struct intake *s = arg;
    s->look = NULL;
    if (err)
        reply_error(s, err);
    else
        answer_rcpt(s, user);
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    struct intake *s = arg;
    const struct instance *i = s->base.instance;
    const struct config_domain *domain = config_domain_find(i->config, rcpt->domain);
    struct str user = directory_find(i->directory, rcpt->local_part, rcpt->domain);
    if (!user.ptr && !domain) {
        reply(s, SMTP_REPLY(550, 5, 7, 1, "Relaying denied: not a domain of this server"));
        return;
    }
    if (!user.ptr && directory_has_domain(i->directory, domain))
        s->look = directory_look(i->directory, rcpt->local_part, rcpt->domain, on_looked, s);
    if (!s->look)
        answer_rcpt(s, user);
}

static void write_trace(struct intake *s)
{
    struct buf out;
    buf_init(&out, TRACE_MAX_BYTES);
    buf_append_fmt(&out, "Return-Path: <%s>\r\n", s->reverse_path);
    struct received_line received = {
        .helo = smtp_server_helo(s->server),
        .client_ip = str_from(s->client_ip),
        .by = str_from(s->base.instance->server->hostname),
        .for_one = s->user_count == 1 ? s->users[0] : STR_EMPTY,
        .tls = smtp_server_tls(s->server),
        .with = smtp_server_protocol_name(s->server),
        .id = &s->custody_id,
        .at = loop_wall(s->base.instance->loop),
    };
    received_line_format(&out, &received);
    body_append(s->body, buf_data(&out), out.len);
    buf_fini(&out);
}

static void on_room(void *arg)
{
    struct intake *s = arg;
    smtp_server_resume(s->server);
}

static void on_data_begin(void *arg)
{
    struct intake *s = arg;
    s->body = mail_body_begin(s->base.instance->mail, s->held);
    if (!s->body) {
        reply_error(s, mail_health(s->base.instance->mail));
        return;
    }
    body_writer_on_room(s->body, on_room, s);
    write_trace(s);
    smtp_server_reply(s->server, NULL);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct intake *s = arg;
    if (!s->body || body_writer_error(s->body))
        return true; /* the rest is swallowed; the end of the message gets the answer */
    body_append(s->body, data, len);
    return !body_writer_full(s->body);
}

static void on_refused(void *arg, const struct smtp_refusal *refusal)
{
    struct intake *s = arg;
    const struct instance *i = s->base.instance;
    if (i->config->log_messages == LOG_MESSAGES_ALL)
        smtp_refusal_log(i->log_limit, s->server, s->client_ip, refusal);
}

static void log_stored(const struct intake *s, const char *id, size_t k)
{
    if (s->base.instance->config->log_messages == LOG_MESSAGES_ALL)
        log_event(LOG_INFO, "stored", LOG_TEXT("id", id), LOG_TEXT("client", s->client_ip),
                  LOG_STR("helo", smtp_server_helo(s->server)), LOG_TEXT("sender", s->reverse_path),
                  LOG_STR("recipient", s->users[k]), LOG_I64("size", (int64_t)s->size_bytes));
}

/* The same words as the relay's. */
static void answer_stored(struct intake *s, const char *id)
{
    char text[64];
    snprintf(text, sizeof(text), "Accepted as %s", id);
    reply(s, (struct smtp_reply){.code = 250, .enhanced = {2, 0, 0}, .text = str_from(text)});
}

static void on_delivered(void *arg, int err)
{
    struct intake *s = arg;
    struct instance *i = s->base.instance;
    s->op = NULL;
    char id[CUSTODY_ID_TEXT_MAX];
    custody_id_format(&s->custody_id, id);
    if (err == ERR_CORRUPT)
        log_event(LOG_ERROR, "mail not stored: the mail store is damaged", LOG_TEXT("id", id),
                  LOG_TEXT("sender", s->reverse_path), LOG_STR("recipient", s->users[0]));
    for (size_t k = 0; err == 0 && k < s->user_count; k++)
        log_stored(s, id, k);
    drop_transaction(s);
    if (err == 0)
        answer_stored(s, id);
    else if (err == ERR_UNKNOWN)
        smtp_server_hang_up(s->server); /* whoever sent it sends it again */
    else
        reply_error(s, err);
    if (err == ERR_FENCED)
        i->on_fenced(i);
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct intake *s = arg;
    s->size_bytes = info->size_bytes;
    int err = s->body && instance_serves(s->base.instance) ? body_writer_error(s->body) : ERR_CLOSED;
    if (err) {
        drop_transaction(s);
        reply_error(s, err);
        return;
    }
    s->op = mail_deliver(s->base.instance->mail, s->body, &s->custody_id, s->users, s->user_count,
                         loop_wall(s->base.instance->loop), on_delivered, s);
    s->body = NULL;
}

static void on_tls_failed(void *arg, const char *detail)
{
    struct intake *s = arg;
    const struct instance *i = s->base.instance;
    if (i->config->log_messages == LOG_MESSAGES_ALL)
        smtp_tls_failure_log(i->log_limit, s->server, s->client_ip, detail);
}

static void on_reset(void *arg)
{
    drop_transaction(arg);
}

static void on_cancel(void *arg)
{
    struct intake *s = arg;
    if (s->op)
        store_op_forget(s->op);
    s->op = NULL;
    directory_look_cancel(s->look);
    s->look = NULL;
}

static void on_closed(void *arg)
{
    struct intake *s = arg;
    on_cancel(s);
    drop_transaction(s);
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
    .reset = on_reset,
    .cancel = on_cancel,
    .closed = on_closed,
};

static void shutdown_session(struct session_node *node)
{
    smtp_server_shutdown(((struct intake *)node)->server, NULL);
}

static void make_room(struct session_node *node)
{
    smtp_server_connection_make_room(((struct intake *)node)->connection);
}

static void cut_session(struct session_node *node)
{
    smtp_server_connection_free(((struct intake *)node)->connection);
}

void intake_accept(struct instance *i, const struct smtp_server_options *options, struct loop_stream *stream,
                   const struct addr *peer, bool tls)
{
    struct intake *s = mem_zalloc(sizeof(*s));
    session_node_init(&s->base, i, peer);
    s->base.takes_mail = true;
    s->base.shutdown = shutdown_session;
    s->base.make_room = make_room;
    s->base.cut = cut_session;
    addr_format_ip(peer, s->client_ip);
    s->connection = smtp_server_connection_new(i->loop, stream, &s->base.slot, options, &server_ops, s);
    s->server = smtp_server_connection_session(s->connection);
    if (tls)
        smtp_server_begin_with_tls(s->server);
}
