#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/edge_impl.h"
#include "relay/fit.h"
#include "smtp/map_error.h"
#include "smtp/refusal_log.h"
#include "wire/received.h"

#define RECEIVED_MAX_BYTES 2048 /* helo (255), names and one address at their longest, folded */

static void reply(struct edge_session *s, struct smtp_reply r)
{
    smtp_server_reply(s->server, &r);
}

static void refuse(struct edge_session *s)
{
    char text[DOOR_CLOSED_TEXT_MAX];
    door_closed_text(&s->edge->door, text);
    reply(s, (struct smtp_reply){.code = 421, .enhanced = {4, 3, 2}, .text = str_from(text)});
}

static void on_connect(void *arg)
{
    struct edge_session *s = arg;
    int err = edge_choose(s->edge).err;
    if (err == ERR_CLOSED || err == ERR_FENCED)
        refuse(s);
    else
        smtp_server_reply(s->server, NULL);
}

static void on_client_named(void *arg, const struct addr *client)
{
    struct edge_session *s = arg;
    s->client_ip[0] = '\0';
    if (client)
        addr_format_ip(client, s->client_ip);
    struct smtp_reply no = door_exchange(&s->edge->door, &s->visitor, client, s->limit_text);
    smtp_server_reply(s->server, no.code ? &no : NULL);
}

/* One more of kind, of a client that is no part of the network: code 0, or its refusal. */
static struct smtp_reply take(struct edge_session *s, enum rates_kind kind)
{
    if (smtp_server_peer_node(s->server).len > 0)
        return (struct smtp_reply){.code = 0};
    return door_take(&s->edge->door, kind, &s->visitor, s->limit_text);
}

static struct smtp_reply on_error(void *arg)
{
    return take(arg, RATES_ERRORS);
}

static void drop_transaction(struct edge_session *s)
{
    if (s->body)
        body_abort(s->body);
    s->body = NULL;
    s->into = NULL;
    envelope_clear(&s->envelope);
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct edge_session *s = arg;
    int err = edge_choose(s->edge).err;
    struct smtp_reply no = err ? smtp_reply_for_error(err) : take(s, RATES_MESSAGES);
    if (no.code != 0) {
        reply(s, no);
        return;
    }
    drop_transaction(s);
    envelope_begin(&s->envelope, mail);
    s->envelope.authenticated &= recipients_has_domain_of(s->edge->options.recipients, mail->reverse_path);
    reply(s, SMTP_REPLY(250, 2, 1, 0, "Sender ok"));
}

static void take_rcpt(struct edge_session *s, struct envelope_rcpt rcpt)
{
    if (envelope_add(&s->envelope, rcpt) == 0)
        reply(s, SMTP_REPLY(250, 2, 1, 5, "Recipient ok"));
    else
        reply(s,
              SMTP_REPLY(452, 4, 3, 1, "Too many recipients of all messages that come in, try again later"));
}

static void forget_asked(struct edge_session *s)
{
    verify_forget(&s->waiter);
    envelope_rcpt_fini(&s->asked);
}

static void on_verdict(struct verify_waiter *w, enum verdict verdict)
{
    struct edge_session *s = CONTAINER_OF(w, struct edge_session, waiter);
    struct envelope_rcpt rcpt = s->asked;
    s->asked = (struct envelope_rcpt){NULL, NULL, 0, NULL};
    if (verdict == VERDICT_TAKE) {
        take_rcpt(s, rcpt);
        return;
    }
    envelope_rcpt_fini(&rcpt);
    if (verdict == VERDICT_REFUSE)
        reply(s, recipients_refusal(RECIPIENT_UNKNOWN));
    else
        reply(s, SMTP_REPLY(450, 4, 1, 1, "The recipient cannot be verified now, try again later"));
}

static void ask_about(struct edge_session *s, const struct smtp_rcpt *rcpt,
                      const struct config_domain *domain)
{
    s->asked = envelope_rcpt_of(rcpt, domain);
    s->waiter.on_verdict = on_verdict;
    enum verdict verdict =
        verify_recipient(s->edge->options.verify, domain, str_from(s->asked.address), &s->waiter);
    if (verdict != VERDICT_ASK)
        on_verdict(&s->waiter, verdict);
}

static void look_at_rcpt(struct edge_session *s, const struct smtp_rcpt *rcpt)
{
    const struct config_domain *domain;
    enum recipient_answer word =
        recipients_check(s->edge->options.recipients, rcpt->local_part, rcpt->domain, &domain);
    bool ours = word == RECIPIENT_OURS || word == RECIPIENT_ASK;
    struct smtp_reply no =
        ours ? fit_domain(&s->edge->options.servers, domain, s->envelope.smtputf8, s->envelope.said_bytes)
             : recipients_refusal(word);
    if (no.code != 0)
        reply(s, no);
    else if (word == RECIPIENT_ASK)
        ask_about(s, rcpt, domain);
    else
        take_rcpt(s, envelope_rcpt_of(rcpt, domain));
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    struct edge_session *s = arg;
    struct smtp_reply no = take(s, RATES_RECIPIENTS);
    if (no.code != 0)
        reply(s, no);
    else
        look_at_rcpt(s, rcpt);
}

static void write_received(struct edge_session *s)
{
    struct buf line;
    buf_init(&line, RECEIVED_MAX_BYTES);
    struct received_line received = {
        .helo = smtp_server_helo(s->server),
        .client_name = smtp_server_client_name(s->server),
        .client_ip = str_from(s->client_ip),
        .by = str_from(s->edge->options.relay->hostname),
        .tls = smtp_server_tls(s->server),
        .with = smtp_server_protocol_name(s->server),
        .id = &s->custody_id,
        .for_one = s->envelope.count == 1 ? str_from(s->envelope.rcpts[0].address) : STR_EMPTY,
        .at = s->received_at,
    };
    received_line_format(&line, &received);
    body_append(s->body, buf_data(&line), line.len);
    buf_fini(&line);
}

static void on_room(void *arg)
{
    struct edge_session *s = arg;
    smtp_server_resume(s->server);
}

static void on_data_begin(void *arg)
{
    struct edge_session *s = arg;
    struct spool_choice choice = edge_choose(s->edge);
    s->into = choice.spools ? s->edge->spool : s->edge->queue;
    s->body = choice.err ? NULL : queue_body_begin(s->into);
    if (!s->body) {
        reply(s, smtp_reply_for_error(choice.err ? choice.err : ERR_UNAVAILABLE));
        return;
    }
    loop_random(s->edge->loop, s->custody_id.bytes, sizeof(s->custody_id.bytes));
    s->received_at = loop_wall(s->edge->loop);
    loop_guard_init(&s->guard, str_from(s->edge->options.relay->hostname));
    body_writer_on_room(s->body, on_room, s);
    write_received(s);
    smtp_server_reply(s->server, NULL);
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct edge_session *s = arg;
    loop_guard_feed(&s->guard, data, len);
    if (!s->body || body_writer_error(s->body))
        return true; /* the rest is swallowed; the end of the message gets the answer */
    body_append(s->body, data, len);
    return !body_writer_full(s->body);
}

static bool is_spooled(const struct edge_session *s)
{
    return s->into == s->edge->spool;
}

static void log_accepted(const struct edge_session *s, const char *id)
{
    if (s->edge->options.config->log_messages != LOG_MESSAGES_ALL)
        return;
    log_event(LOG_INFO, "accepted", LOG_TEXT("id", id), LOG_TEXT("client", s->client_ip),
              LOG_STR("helo", smtp_server_helo(s->server)), LOG_TEXT("sender", s->envelope.reverse_path),
              LOG_I64("recipients", (int64_t)s->envelope.count), LOG_I64("size", (int64_t)s->size_bytes),
              LOG_STR("tls", smtp_server_tls(s->server)), LOG_TEXT("message_id", s->guard.message_id),
              LOG_TEXT("spooled", is_spooled(s) ? "yes" : ""));
}

static void on_refused(void *arg, const struct smtp_refusal *refusal)
{
    struct edge_session *s = arg;
    struct record_work *work = s->edge->options.work;
    if (refusal->reply->code < 500)
        work->refused_later++;
    else
        work->refused_for_good++;
    if (s->edge->options.config->log_messages == LOG_MESSAGES_ALL)
        smtp_refusal_log(s->edge->door.log_limit, s->server, s->client_ip, refusal);
}

static void on_tls_failed(void *arg, const char *detail)
{
    struct edge_session *s = arg;
    if (s->edge->options.config->log_messages == LOG_MESSAGES_ALL)
        smtp_tls_failure_log(s->edge->door.log_limit, s->server, s->client_ip, detail);
}

/* Whoever sends it on would bounce it, were it refused. */
static void tell_stopped(const struct edge_session *s, const char *id)
{
    char why[LOOP_GUARD_TEXT_MAX];
    loop_guard_describe(&s->guard, why);
    log_event(LOG_WARNING, "in quarantine", LOG_TEXT("id", id), LOG_TEXT("client", s->client_ip),
              LOG_TEXT("sender", s->envelope.reverse_path), LOG_TEXT("why", why));
}

static void tell_owner(const struct edge_session *s)
{
    const struct edge *e = s->edge;
    if (is_spooled(s))
        e->ops->spooled(e->arg, s->envelope.count);
    else if (loop_guard_tripped(&s->guard))
        e->ops->accepted(e->arg, NULL);
    else
        envelope_each_domain(&s->envelope, e->ops->accepted, e->arg);
}

/* If it is here, it goes its way. */
static void end_unknown(struct edge_session *s)
{
    tell_owner(s);
    drop_transaction(s);
    smtp_server_hang_up(s->server);
}

static void refuse_message(struct edge_session *s, int err)
{
    drop_transaction(s);
    reply(s, smtp_reply_for_error(err));
}

static void on_accept(void *arg, int err, int64_t message_id)
{
    struct edge_session *s = arg;
    (void)message_id;
    s->accept_op = NULL;
    char id[CUSTODY_ID_TEXT_MAX], text[64];
    custody_id_format(&s->custody_id, id);
    if (err) {
        log_event(LOG_WARNING, err == ERR_UNKNOWN ? "message perhaps taken" : "message not taken",
                  LOG_TEXT("id", id), LOG_TEXT("client", s->client_ip), LOG_TEXT("error", err_name(err)));
        if (err == ERR_UNKNOWN)
            end_unknown(s);
        else
            refuse_message(s, err);
        return;
    }
    s->edge->options.work->accepted++;
    s->edge->options.work->accepted_bytes += (int64_t)s->size_bytes;
    log_accepted(s, id);
    if (loop_guard_tripped(&s->guard))
        tell_stopped(s, id);
    tell_owner(s);
    snprintf(text, sizeof(text), "Accepted as %s%s", id, is_spooled(s) ? ", spooled" : "");
    drop_transaction(s);
    reply(s, (struct smtp_reply){.code = 250, .enhanced = {2, 0, 0}, .text = str_from(text)});
}

static void accept_message(struct edge_session *s, const struct smtp_data_info *info)
{
    char why[LOOP_GUARD_TEXT_MAX];
    struct queue_message_in message = envelope_message(&s->envelope);
    loop_guard_describe(&s->guard, why);
    s->size_bytes = info->size_bytes;
    message.custody_id = s->custody_id;
    message.id_is_drawn = true;
    message.helo = smtp_server_helo(s->server);
    message.client = str_from(s->client_ip);
    message.eight_bit = info->eight_bit;
    message.header_id = str_from(s->guard.message_id);
    message.received_at = s->received_at;
    message.stopped = str_from(why);
    struct queue_recipient_in *recipients = envelope_recipients(&s->envelope);
    s->accept_op = queue_accept(s->into, s->body, &message, recipients, s->envelope.count, on_accept, s);
    s->body = NULL;
    free(recipients);
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct edge_session *s = arg;
    int err = s->body ? body_writer_error(s->body) : ERR_CLOSED;
    char misfit[FIT_TEXT_MAX];
    struct smtp_reply no =
        fit_envelope(&s->edge->options.servers, &s->envelope, s->envelope.smtputf8, info->size_bytes, misfit);
    if (err || no.code != 0) {
        drop_transaction(s);
        reply(s, err ? smtp_reply_for_error(err) : no);
    } else {
        accept_message(s, info);
    }
}

static void on_reset(void *arg)
{
    drop_transaction(arg);
}

static void on_cancel(void *arg)
{
    struct edge_session *s = arg;
    if (s->accept_op)
        store_op_forget(s->accept_op);
    s->accept_op = NULL;
    forget_asked(s);
}

static void session_free(void *arg)
{
    struct edge_session *s = arg;
    on_cancel(s);
    drop_transaction(s);
    envelope_fini(&s->envelope);
    list_remove(&s->node);
    door_leave(&s->visitor);
    free(s);
}

static const struct smtp_server_ops server_ops = {
    .connect = on_connect,
    .client = on_client_named,
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data_begin = on_data_begin,
    .data = on_data,
    .data_end = on_data_end,
    .error = on_error,
    .refused = on_refused,
    .tls_failed = on_tls_failed,
    .reset = on_reset,
    .cancel = on_cancel,
    .closed = session_free,
};

void edge_session_start(struct edge *e, struct edge_session *s, struct loop_stream *stream,
                        const struct addr *peer)
{
    s->edge = e;
    envelope_init(&s->envelope, &e->envelopes);
    addr_format_ip(peer, s->client_ip);
    list_append(&e->sessions, &s->node);
    s->connection =
        smtp_server_connection_new(e->loop, stream, &s->visitor.slot, &e->server_options, &server_ops, s);
    s->server = smtp_server_connection_session(s->connection);
    if (addr_blocks_have(&e->options.relay->xclient_from, peer))
        smtp_server_offer_xclient(s->server);
}

/* What it asks for has no answer yet, and would have none. */
static void end_question(struct edge_session *s)
{
    if (!s->asked.address || edge_choose(s->edge).err == 0)
        return;
    forget_asked(s);
    reply(s, SMTP_REPLY(421, 4, 3, 2, "This relay takes no mail now, try another one"));
}

void edge_session_end_unanswered(struct edge_session *s, const struct queue *closed)
{
    bool on_its_way = s->into && s->into == closed;
    if (on_its_way &&
        s->accept_op) { /* its commit may come yet, or not: neither 250 nor a refusal would be true */
        smtp_server_connection_free(s->connection);
        return;
    }
    if (on_its_way && s->body) {
        body_abort(s->body);
        s->body = NULL;
        smtp_server_resume(s->server); /* it may wait for room; what still comes is swallowed */
    }
    end_question(s);
}
