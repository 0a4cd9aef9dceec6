/* One transaction of a client session: MAIL, RCPT, DATA, the body, the final replies. */
#include <stdio.h>
#include <stdlib.h>

#include "smtp/client_machine.h"
#include "smtp/limits.h"

static const struct smtp_reply no_error = {0, {0, 0, 0}, {"", 0}};

/* ---- results ---- */

static void tell(struct smtp_client *c, size_t index, enum smtp_outcome outcome, enum smtp_stage stage,
                 const struct smtp_reply *reply)
{
    struct smtp_client_result result = {outcome, stage, *reply, c->dsn};
    c->t.rcpts[index] = RCPT_TOLD;
    c->t.told++;
    if (!c->freed && c->ops->result)
        c->ops->result(c->arg, index, &result);
}

void client_tell_open(struct smtp_client *c, enum smtp_outcome outcome, enum smtp_stage stage,
                      const struct smtp_reply *reply)
{
    for (size_t i = 0; i < c->t.message.recipient_count; i++)
        if (c->t.rcpts[i] != RCPT_TOLD)
            tell(c, i, outcome, stage, reply);
}

void client_transaction_end(struct smtp_client *c)
{
    free(c->t.rcpts);
    buf_fini(&c->held);
    c->t = (struct client_transaction){.mail_sent = false};
    c->in_transaction = false;
    c->messages++;
    c->quit_wanted |= c->offers.messages_max && c->messages >= c->offers.messages_max;
    if (!c->freed && c->ops->done)
        c->ops->done(c->arg);
}

enum smtp_outcome client_outcome_of(const struct smtp_reply *r)
{
    switch (smtp_reply_class(r)) {
    case 2:
        return SMTP_OUTCOME_DELIVERED;
    case 5:
        return SMTP_OUTCOME_REFUSED;
    default:
        return SMTP_OUTCOME_DEFERRED;
    }
}

/* All told, and all replies in: the session goes on, by RSET when the server may still have a
 * transaction open. */
static void close_transaction(struct smtp_client *c)
{
    bool need_rset = c->t.need_rset;
    c->state = CLIENT_READY;
    if (need_rset) {
        client_command(c, "RSET");
        c->state = CLIENT_RSET;
    }
    client_transaction_end(c);
}

/* ---- what this server cannot take ---- */

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 127)
            return true;
    return s.len > 1024; /* no path is that long */
}

static bool is_too_large(const struct smtp_client *c)
{
    uint64_t slack = c->peer_proved ? SMTP_PEER_TRACE_MAX_BYTES : 0;
    return c->offers.size_max_bytes && c->t.message.size_bytes > c->offers.size_max_bytes + slack;
}

static struct smtp_reply check_message(const struct smtp_client *c)
{
    const struct smtp_client_message *m = &c->t.message;
    if (m->smtputf8 && !c->offers.smtputf8)
        return SMTP_REPLY(553, 5, 6, 7, "The message needs SMTPUTF8, which the server does not offer");
    if (is_too_large(c))
        return SMTP_REPLY(552, 5, 3, 4, "The message is larger than the server takes");
    if (has_control(m->reverse_path))
        return SMTP_REPLY(553, 5, 1, 7, "The reverse-path cannot be sent");
    for (size_t i = 0; i < m->recipient_count; i++)
        if (has_control(m->recipients[i]))
            return SMTP_REPLY(553, 5, 1, 3, "A forward-path cannot be sent");
    return no_error;
}

/* ---- putting out ---- */

static void put_mail(struct smtp_client *c)
{
    const struct smtp_client_message *m = &c->t.message;
    char custody[CUSTODY_ID_TEXT_MAX], size[40] = "";
    bool with_custody = c->peer_proved && m->custody_id;
    if (with_custody)
        custody_id_format(m->custody_id, custody);
    if (c->offers.size && m->size_bytes)
        snprintf(size, sizeof(size), " SIZE=%llu", (unsigned long long)m->size_bytes);
    struct buf more;
    buf_init(&more, CLIENT_PARAMS_MAX);
    client_mail_params(c, &more);
    client_command(c, "MAIL FROM:<%.*s>%s%s%s%s%s%s", STR_ARG(m->reverse_path), size,
                   m->eight_bit && c->offers.eight_bit_mime ? " BODY=8BITMIME" : "",
                   m->smtputf8 ? " SMTPUTF8" : "", with_custody ? " XCUSTODY=" : "",
                   with_custody ? custody : "", buf_data(&more));
    buf_fini(&more);
    c->t.mail_sent = true;
}

static bool all_answered(const struct client_transaction *t)
{
    return t->info_sent == t->info_answered && t->mail_answered && t->rcpt_answered == t->rcpt_sent;
}

/* MAIL was refused, or every recipient: nothing more is put out but what must be. */
static bool is_hopeless(const struct client_transaction *t)
{
    return t->told == t->message.recipient_count;
}

static struct str domain_of(struct str address)
{
    size_t at = address.len;
    while (at > 0 && address.ptr[at - 1] != '@')
        at--;
    return str_sub(address, at, address.len);
}

static bool is_new_domain(const struct smtp_client_message *m, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (str_ieq(domain_of(m->recipients[i]), domain_of(m->recipients[index])))
            return false;
    return true;
}

/* RFC 9422: so many of the recipients, from the first on, may go together by RCPTMAX and RCPTDOMAINMAX. */
static uint64_t recipients_that_fit(const struct smtp_client *c)
{
    const struct smtp_client_message *m = &c->t.message;
    uint64_t max = c->offers.recipients_max, domains = 0;
    if (!max || max > m->recipient_count)
        max = m->recipient_count;
    for (size_t i = 0; c->offers.domains_max && i < max; i++)
        if (is_new_domain(m, i) && ++domains > c->offers.domains_max)
            return i;
    return max;
}

/* Those beyond it would be refused, and are told so at once. */
static void defer_beyond_limit(struct smtp_client *c)
{
    static const struct smtp_reply too_many = {
        452, {4, 5, 3}, {"The server takes no more recipients at once", 43}};
    struct client_transaction *t = &c->t;
    uint64_t max = recipients_that_fit(c);
    while (t->message.recipient_count > max) {
        t->message.recipient_count--;
        tell(c, t->message.recipient_count, SMTP_OUTCOME_DEFERRED, SMTP_STAGE_LOCAL, &too_many);
        t->told--;
    }
}

static bool put_commands(struct smtp_client *c)
{
    struct client_transaction *t = &c->t;
    if (client_wants_xforward(c)) {
        client_put_xforward(c);
        return true;
    }
    if (!t->mail_sent && (c->pipelining || t->info_sent == t->info_answered)) {
        put_mail(c);
        return true;
    }
    bool all_sent = t->rcpt_sent == t->message.recipient_count;
    if (!t->mail_sent || t->data_sent || (all_sent && t->message.question) || is_hopeless(t) ||
        (!c->pipelining && !all_answered(t)))
        return false;
    if (!all_sent) {
        struct buf params;
        buf_init(&params, CLIENT_PARAMS_MAX);
        client_rcpt_params(c, t->rcpt_sent, &params);
        client_command(c, "RCPT TO:<%.*s>%s", STR_ARG(t->message.recipients[t->rcpt_sent]),
                       buf_data(&params));
        buf_fini(&params);
        t->rcpt_sent++;
    } else if (client_by_chunks(c)) {
        return client_chunks_begin(c);
    } else {
        client_command(c, "DATA");
        t->data_sent = true;
    }
    return true;
}

static bool ask_body(struct smtp_client *c)
{
    if (!c->t.body_open || c->t.body_asked || !client_chunk_may_follow(c) || is_hopeless(&c->t))
        return false;
    c->t.body_asked = true;
    c->ops->body_wanted(c->arg, SMTP_CLIENT_BODY_MAX);
    return true;
}

bool client_transaction_step(struct smtp_client *c)
{
    struct client_transaction *t = &c->t;
    if (!t->mail_sent) {
        defer_beyond_limit(c);
        struct smtp_reply r = check_message(c);
        if (r.code != 0) {
            client_tell_open(c, SMTP_OUTCOME_REFUSED, SMTP_STAGE_LOCAL, &r);
            close_transaction(c);
            return true;
        }
    }
    if (is_hopeless(t) && all_answered(t) && t->data_sent == t->data_answered &&
        (client_by_chunks(c) ? !client_chunk_unanswered(c) : !t->dot_sent)) {
        close_transaction(c);
        return true;
    }
    return c->out.len < CLIENT_OUT_HIGH && (put_commands(c) || ask_body(c));
}

/* ---- replies ---- */

enum smtp_stage client_transaction_stage(const struct smtp_client *c)
{
    const struct client_transaction *t = &c->t;
    if (t->info_sent && !t->info_answered)
        return SMTP_STAGE_CLIENT;
    if (!t->mail_answered)
        return SMTP_STAGE_MAIL;
    if (t->rcpt_answered < t->rcpt_sent)
        return SMTP_STAGE_RCPT;
    if (t->data_sent && !t->data_answered)
        return SMTP_STAGE_DATA;
    if (t->dot_sent && (!client_by_chunks(c) || client_chunk_is_last(c)))
        return SMTP_STAGE_DATA_END;
    if (client_chunk_unanswered(c))
        return SMTP_STAGE_BODY;
    return t->body_open ? SMTP_STAGE_BODY : SMTP_STAGE_RCPT;
}

static void unexpected(struct smtp_client *c, const struct smtp_reply *r)
{
    client_end(c, SMTP_END_PROTOCOL, client_stage(c), r, "the server sent a reply of a wrong kind");
}

static void mail_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) == 3) {
        unexpected(c, r);
        return;
    }
    c->t.mail_answered = true;
    c->t.need_rset = smtp_reply_class(r) == 2;
    if (!c->t.need_rset)
        client_tell_open(c, client_outcome_of(r), SMTP_STAGE_MAIL, r);
}

/* "Too many recipients" in the old way (RFC 5321 4.5.3.1.10). */
static bool is_too_many(const struct smtp_reply *r)
{
    return r->code == 552 &&
           (r->enhanced.class == 0 || (r->enhanced.subject == 5 && r->enhanced.detail == 3));
}

static void rcpt_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) == 3) {
        unexpected(c, r);
        return;
    }
    size_t index = c->t.rcpt_answered++;
    if (c->t.rcpts[index] == RCPT_TOLD)
        return; /* MAIL was refused */
    if (smtp_reply_class(r) == 2 && c->t.message.question)
        tell(c, index, SMTP_OUTCOME_DELIVERED, SMTP_STAGE_RCPT, r);
    else if (smtp_reply_class(r) == 2)
        c->t.rcpts[index] = RCPT_ACCEPTED;
    else
        tell(c, index, is_too_many(r) ? SMTP_OUTCOME_DEFERRED : client_outcome_of(r), SMTP_STAGE_RCPT, r);
}

/* 354 to a DATA that was pipelined, though nobody is to get the message: an empty
 * one is given, and the answer does not matter (RFC 2920 3.1). */
static void end_empty(struct smtp_client *c)
{
    client_command(c, ".");
    c->t.dot_sent = true;
}

static void data_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    int class = smtp_reply_class(r);
    if (class == 2) {
        unexpected(c, r);
        return;
    }
    c->t.data_answered = true;
    if (class == 3 && is_hopeless(&c->t))
        end_empty(c);
    else if (class == 3)
        c->t.body_open = true;
    else
        client_tell_open(c, client_outcome_of(r), SMTP_STAGE_DATA, r);
}

/* A final word before the final dot: it is the answer, but the two sides no
 * longer agree on where the message ends. */
static void answered_early(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) >= 4)
        client_tell_open(c, client_outcome_of(r), SMTP_STAGE_BODY, r);
    unexpected(c, r);
}

static void skip_to_accepted(struct client_transaction *t)
{
    while (t->final_index < t->message.recipient_count && t->rcpts[t->final_index] != RCPT_ACCEPTED)
        t->final_index++;
}

static void data_end_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    struct client_transaction *t = &c->t;
    if (smtp_reply_class(r) == 3) {
        unexpected(c, r);
        return;
    }
    if (c->options->flavour == SMTP_CLIENT_LMTP && !is_hopeless(t)) {
        skip_to_accepted(t);
        tell(c, t->final_index, client_outcome_of(r), SMTP_STAGE_DATA_END, r);
    } else {
        client_tell_open(c, client_outcome_of(r), SMTP_STAGE_DATA_END, r);
    }
    t->closing = t->closing || r->code == 421;
    if (!is_hopeless(t))
        return;
    if (t->closing) {
        client_end(c, SMTP_END_REFUSED, SMTP_STAGE_DATA_END, r, "the server closes the session");
        return;
    }
    t->chunks_answered = t->chunks_sent;
    t->need_rset = t->chunks_sent > 0 && smtp_reply_class(r) != 2; /* RFC 3030 section 2 */
    close_transaction(c);
}

void client_transaction_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    enum smtp_stage stage = client_transaction_stage(c);
    if (r->code == 421 && stage != SMTP_STAGE_DATA_END) {
        client_end(c, SMTP_END_REFUSED, stage, r, "the server closes the session");
        return;
    }
    switch (stage) {
    case SMTP_STAGE_CLIENT:
        c->t.info_answered = true;
        if (smtp_reply_class(r) != 2)
            c->xforward_offered = 0; /* it goes on without being told */
        break;
    case SMTP_STAGE_MAIL:
        mail_answered(c, r);
        break;
    case SMTP_STAGE_RCPT:
        if (c->t.rcpt_answered == c->t.rcpt_sent)
            unexpected(c, r);
        else
            rcpt_answered(c, r);
        break;
    case SMTP_STAGE_DATA:
        data_answered(c, r);
        break;
    case SMTP_STAGE_BODY:
        if (client_chunk_unanswered(c))
            client_chunk_reply(c, r);
        else
            answered_early(c, r);
        break;
    default:
        data_end_answered(c, r);
    }
}
