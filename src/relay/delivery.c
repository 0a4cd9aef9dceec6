#include "relay/delivery.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/schedule.h"
#include "smtp/client_connection.h"

struct delivery {
    struct loop *loop;
    struct delivery_options options;
    const struct delivery_ops *ops;
    void *arg;
    struct smtp_client_connection *connection;
    struct smtp_client *client;
    struct loop_timer *idle_timer;
    bool ready, finishing;

    struct transaction *transaction; /* under way, or NULL */
    struct str addresses[TRANSACTION_RECIPIENTS_MAX];
    struct dsn_request requests[TRANSACTION_RECIPIENTS_MAX];
    struct queue_result results[TRANSACTION_RECIPIENTS_MAX];
    char replies[TRANSACTION_RECIPIENTS_MAX][SMTP_REPLY_TEXT_MAX];
    size_t about_message;                       /* results that say something about the message */
    size_t taken, refused;                      /* of these, by the server */
    bool by_server[TRANSACTION_RECIPIENTS_MAX]; /* the refused ones */
    enum refusal_about session_refused;         /* the server said so, not about the message ... */
    const char *why;                            /* ... by this reply */
    bool turned_away;                           /* the server said that it serves nobody ... */
    bool heard_recipient;                       /* ... or anything else, to RCPT or later */
    bool dotted;                                /* the final dot was given */
    bool withdrawn;                             /* it was not: the message may not be sent any more */

    struct body_reader *body;
    struct store_op *body_op;
    uint64_t body_offset;
    struct mono_time dot_at; /* the message was given to its end; MONO_NEVER: it was not */
};

static void close_body(struct delivery *d)
{
    if (d->body)
        body_close(d->body);
    d->body = NULL;
    d->body_op = NULL;
    d->body_offset = 0;
}

static void take_next(struct delivery *d)
{
    struct transaction *t = d->finishing ? NULL : d->ops->next(d->arg, d);
    if (!t) {
        if (d->finishing)
            smtp_client_quit(d->client);
        else
            loop_timer_start(d->idle_timer, d->options.idle_ms);
        return;
    }
    loop_timer_stop(d->idle_timer);
    d->transaction = t;
    d->about_message = d->taken = d->refused = 0;
    d->session_refused = REFUSAL_NONE;
    memset(d->by_server, 0, sizeof(d->by_server));
    d->turned_away = d->heard_recipient = d->dotted = d->withdrawn = false;
    d->dot_at = MONO_NEVER;
    d->body = queue_body_open(source_queue(t->source), t->message_id);
    for (size_t i = 0; i < t->recipient_count; i++) {
        d->addresses[i] = str_from(t->recipients[i].address);
        d->requests[i] = (struct dsn_request){t->recipients[i].notify, str_from(t->recipients[i].orcpt)};
    }
    struct smtp_client_message message = {
        .reverse_path = str_from(t->reverse_path),
        .recipients = d->addresses,
        .recipient_count = t->recipient_count,
        .size_bytes = t->size_bytes,
        .eight_bit = t->eight_bit,
        .smtputf8 = t->smtputf8,
        .client_ip = str_from(t->client),
        .client_helo = str_from(t->helo),
        .dsn = {t->ret, str_from(t->envid)},
        .requests = d->requests,
        .custody_id = &t->custody_id,
    };
    smtp_client_send(d->client, &message);
}

void delivery_retire(struct delivery *d)
{
    bool idle = delivery_idle(d);
    d->finishing = true;
    if (!idle)
        return;
    d->ready = false;
    loop_timer_stop(d->idle_timer);
    smtp_client_quit(d->client);
}

static void on_idle(void *arg)
{
    delivery_retire(arg);
}

static void on_ready(void *arg)
{
    struct delivery *d = arg;
    d->ready = true;
    take_next(d);
}

static void on_body(void *arg, int err, const char *data, size_t len)
{
    struct delivery *d = arg;
    d->body_op = NULL;
    if (err) {
        smtp_client_body_failed(d->client, err_name(err));
        return;
    }
    d->body_offset += len;
    smtp_client_body(d->client, data, len);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct delivery *d = arg;
    if (d->body_offset > 0 && d->body_offset == body_reader_size_bytes(d->body)) {
        smtp_client_body(d->client, "", 0);
        return;
    }
    d->body_op = body_read(d->body, d->body_offset, len_max, on_body, d);
}

static bool may_end(void *arg)
{
    struct delivery *d = arg;
    d->dotted = source_may_send(d->transaction->source);
    d->withdrawn = !d->dotted;
    if (d->dotted)
        d->dot_at = loop_now(d->loop);
    return d->dotted;
}

static void set_loss(struct delivery *d, size_t i, struct wall_time now)
{
    struct queue_result *r = &d->results[i];
    uint32_t losses = d->transaction->recipients[i].losses + 1;
    r->outcome =
        losses >= (uint64_t)d->options.relay->losses_max ? QUEUE_OUTCOME_QUARANTINED : QUEUE_OUTCOME_LOST;
    r->next_at = (struct wall_time){now.ms + schedule_loss_backoff_ms(d->options.relay->retry_ms, losses)};
}

static void set_deferred(struct delivery *d, size_t i, struct wall_time now)
{
    const struct transaction *t = d->transaction;
    uint32_t attempts = t->recipients[i].attempts + 1;
    d->results[i].outcome = QUEUE_OUTCOME_DEFERRED;
    d->results[i].next_at =
        (struct wall_time){now.ms + schedule_message_backoff_ms(d->options.relay, attempts, t->message_id)};
}

static void set_refused(struct delivery *d, size_t i, enum smtp_stage stage)
{
    struct tell sender = delivery_sender(d->transaction, i);
    d->results[i].outcome =
        tell_failure(&sender, d->options.relay) ? QUEUE_OUTCOME_BOUNCED : QUEUE_OUTCOME_QUARANTINED;
    d->by_server[i] = stage != SMTP_STAGE_LOCAL;
    d->refused += d->by_server[i];
}

bool delivery_any(const struct queue_result *results, size_t count, enum queue_outcome outcome)
{
    for (size_t i = 0; i < count; i++)
        if (results[i].outcome == outcome)
            return true;
    return false;
}

struct tell delivery_sender(const struct transaction *t, size_t i)
{
    return (struct tell){str_from(t->reverse_path), t->recipients[i].notify, t->authenticated};
}

/* What we decided ourselves looks like a reply, too. */
static bool was_said(const struct smtp_client_result *result)
{
    return result->reply.code != 0 && result->stage != SMTP_STAGE_LOCAL;
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *result)
{
    struct delivery *d = arg;
    struct queue_result *r = &d->results[index];
    struct wall_time now = loop_wall(d->loop);
    struct tell sender = delivery_sender(d->transaction, index);
    enum refusal_about about = refusal_about(result);
    smtp_reply_describe(&result->reply, d->replies[index], sizeof(d->replies[index]));
    *r = (struct queue_result){.delivery_id = d->transaction->recipients[index].delivery_id,
                               .reply = str_from(d->replies[index]),
                               .host = str_from(was_said(result) ? d->options.host : ""),
                               .at = now};
    switch (result->outcome) {
    case SMTP_OUTCOME_DELIVERED:
        d->taken++;
        r->outcome = QUEUE_OUTCOME_DELIVERED;
        r->owes = tell_success(&sender, d->options.final, result->dsn);
        break;
    case SMTP_OUTCOME_REFUSED:
        if (about == REFUSAL_TERMS)
            set_deferred(d, index, now);
        else
            set_refused(d, index, result->stage);
        break;
    case SMTP_OUTCOME_LOST:
    case SMTP_OUTCOME_UNKNOWN:
        set_loss(d, index, now);
        break;
    case SMTP_OUTCOME_DEFERRED:
    case SMTP_OUTCOME_ABANDONED:
    case SMTP_OUTCOME_UNSENT:
        set_deferred(d, index, now);
        if (result->stage == SMTP_STAGE_LOCAL) /* more recipients than it takes at once: these are the next */
            r->next_at = now;
        break;
    }
    if (about != REFUSAL_NONE) {
        d->session_refused = about;
        d->why = d->replies[index];
    }
    bool closed = result->outcome == SMTP_OUTCOME_UNSENT && result->reply.code == 421;
    d->turned_away |= closed || about == REFUSAL_SERVER;
    d->heard_recipient |= result->stage > SMTP_STAGE_MAIL;
    if (about != REFUSAL_SERVER && result->outcome != SMTP_OUTCOME_UNSENT)
        d->about_message++;
}

/* One refusal too many: what this message was told may be no word about it. */
static void doubt(struct delivery *d)
{
    for (size_t i = 0; i < d->transaction->recipient_count; i++)
        if (d->by_server[i])
            set_deferred(d, i, d->results[i].at);
}

static void count_refusals(struct delivery *d)
{
    if (!d->options.refusals)
        return;
    if (d->taken > 0)
        refusals_end(d->options.refusals);
    else if (d->refused > 0 && refusals_add(d->options.refusals, loop_now(d->loop)))
        doubt(d);
}

static void on_done(void *arg)
{
    struct delivery *d = arg;
    struct transaction *t = d->transaction;
    count_refusals(d);
    if (d->taken > 0 && d->session_refused == REFUSAL_TERMS)
        d->session_refused = REFUSAL_NONE; /* it was of one recipient */
    d->transaction = NULL;
    close_body(d);
    if (d->withdrawn || (d->about_message == 0 && !d->turned_away))
        d->ops->returned(d->arg, d, t);
    else
        (d->about_message == 0 ? d->ops->turned_away : d->ops->outcome)(d->arg, d, t, d->results,
                                                                        t->recipient_count);
    if (d->session_refused != REFUSAL_NONE) {
        smtp_client_abort(d->client, d->why);
        return;
    }
    if (smtp_client_is_ready(d->client))
        take_next(d);
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct delivery *d = arg;
    (void)reply;
    bool idle_close = (end == SMTP_END_LOST || end == SMTP_END_REFUSED) && stage == SMTP_STAGE_IDLE;
    bool ours = end == SMTP_END_ABANDONED && d->session_refused == REFUSAL_NONE;
    bool terms = end == SMTP_END_ABANDONED && d->session_refused == REFUSAL_TERMS;
    bool over = end == SMTP_END_QUIT || idle_close || ours;
    bool turned_away = end == SMTP_END_REFUSED || d->session_refused == REFUSAL_SERVER;
    d->ready = false;
    loop_timer_stop(d->idle_timer);
    d->ops->ended(d->arg, d,
                  over                    ? DELIVERY_OVER
                  : end == SMTP_END_LOCAL ? DELIVERY_UNTRIED
                  : end == SMTP_END_TLS   ? DELIVERY_UNSAFE
                  : terms                 ? DELIVERY_TERMS
                  : turned_away           ? DELIVERY_TURNED_AWAY
                                          : DELIVERY_FAILED,
                  why);
}

static void on_tls_failed(void *arg, const char *detail)
{
    const struct delivery *d = arg;
    char to[ADDR_TEXT_MAX];
    addr_format(&d->options.to, to);
    log_event(LOG_WARNING, "TLS not established, plain text is used", LOG_TEXT("to", to),
              LOG_TEXT("detail", detail));
}

static const struct smtp_client_ops client_ops = {
    .tls_failed = on_tls_failed,
    .ready = on_ready,
    .body_wanted = on_body_wanted,
    .may_end = may_end,
    .result = on_result,
    .done = on_done,
    .end = on_end,
};

struct delivery *delivery_new(struct loop *l, const struct delivery_options *options,
                              const struct delivery_ops *ops, void *arg)
{
    struct delivery *d = mem_zalloc(sizeof(*d));
    d->loop = l;
    d->options = *options;
    d->ops = ops;
    d->arg = arg;
    d->idle_timer = loop_timer_new(l, on_idle, d);
    d->connection = smtp_client_connection_new(l, &options->to, NULL, options->connect_timeout_ms,
                                               options->client, &client_ops, d);
    d->client = smtp_client_connection_session(d->connection);
    return d;
}

struct transaction *delivery_free(struct delivery *d)
{
    struct transaction *t = d->transaction;
    close_body(d);
    smtp_client_connection_free(d->connection);
    loop_timer_free(d->idle_timer);
    free(d);
    return t;
}

int64_t delivery_answer_ns(const struct delivery *d)
{
    return d->dot_at.ns == MONO_NEVER.ns ? -1 : loop_now(d->loop).ns - d->dot_at.ns;
}

bool delivery_heard_recipient(const struct delivery *d)
{
    return d->heard_recipient;
}

bool delivery_idle(const struct delivery *d)
{
    return d->ready && !d->transaction && !d->finishing && smtp_client_is_ready(d->client);
}

void delivery_kick(struct delivery *d)
{
    if (delivery_idle(d))
        take_next(d);
}

const struct transaction *delivery_transaction(const struct delivery *d)
{
    return d->transaction;
}

bool delivery_is_dotted(const struct delivery *d)
{
    return d->transaction && d->dotted;
}
