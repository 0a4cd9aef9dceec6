#include "mailbox/handover.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "smtp/client_connection.h"

/* For MAIL to 354, in which a relay may have to ask a server about recipients. */
#define BEGIN_LIMIT_MS 30000

struct handover {
    struct loop *loop;
    struct relays *relays;
    struct smtp_client_message message;
    const struct handover_ops *ops;
    void *arg;
    size_t *order; /* of relays, as it was at the beginning */
    size_t at;     /* whose turn it is */
    struct smtp_client_connection *connection;
    struct smtp_client *client; /* its session */
    struct loop_timer *timer;
    bool begun; /* a relay said 354 */
    bool ended;
    bool refused; /* by the relay at hand: answer says why */
    bool later;   /* and it may be different at the next */
    struct smtp_reply answer;
    char answer_text[SMTP_REPLY_TEXT_MAX];
};

static void set_answer(struct handover *h, const struct smtp_reply *r)
{
    size_t len = r->text.len < sizeof(h->answer_text) ? r->text.len : sizeof(h->answer_text);
    memcpy(h->answer_text, r->text.ptr, len);
    h->answer = *r;
    h->answer.text = (struct str){h->answer_text, len};
}

static void set_away(struct handover *h)
{
    const struct smtp_reply away =
        SMTP_REPLY(451, 4, 3, 0, "The relay does not take it now, try again later");
    set_answer(h, &away);
}

static void drop_connection(struct handover *h)
{
    loop_timer_stop(h->timer);
    smtp_client_connection_free(h->connection);
    h->connection = NULL;
    h->client = NULL;
}

/* Last: the callee may free h. */
static void finish(struct handover *h)
{
    drop_connection(h);
    h->ended = true;
    h->ops->ended(h->arg, &h->answer);
}

static void start(struct handover *h);

/* Before its final dot was sent: the relay at hand has taken nothing. */
static void leave_relay(struct handover *h, bool may_go_on)
{
    drop_connection(h);
    if (may_go_on && ++h->at < h->relays->count)
        start(h);
    else
        finish(h);
}

/* All recipients are taken or none: one that is refused for good decides, whatever the relay does after it,
 * such as to send away who guesses. */
static bool refused_for_good(const struct handover *h)
{
    return !h->begun && h->refused && !h->later;
}

static void relay_failed(struct handover *h, struct str why)
{
    size_t index = h->order[h->at];
    if (refused_for_good(h)) {
        finish(h);
        return;
    }
    relays_failed(h->relays, index, loop_now(h->loop));
    log_event(LOG_WARNING, "relay not reached for a submission",
              LOG_TEXT("relay", h->relays->items[index].relay->name), LOG_STR("why", why));
    set_away(h);
    leave_relay(h, true);
}

/* ---- the session's callbacks ---- */

static void on_ready(void *arg)
{
    struct handover *h = arg;
    loop_timer_start(h->timer, BEGIN_LIMIT_MS);
    smtp_client_send(h->client, &h->message);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct handover *h = arg;
    if (!h->begun && h->refused) {
        leave_relay(h, h->later); /* all recipients are taken or none: the user gets one answer for all */
        return;
    }
    if (!h->begun) {
        loop_timer_stop(h->timer);
        relays_worked(h->relays, h->order[h->at]);
        h->begun = true;
    }
    h->ops->body_wanted(h->arg, len_max);
}

static void set_refusal(struct handover *h, size_t index, const struct smtp_client_result *result)
{
    char named[SMTP_REPLY_TEXT_MAX];
    struct smtp_reply r = result->reply;
    if (result->stage == SMTP_STAGE_RCPT) {
        int len = snprintf(named, sizeof(named), "<%.*s>: %.*s", STR_ARG(h->message.recipients[index]),
                           STR_ARG(result->reply.text));
        r.text = (struct str){named, (size_t)len < sizeof(named) ? (size_t)len : sizeof(named) - 1};
    }
    set_answer(h, &r);
}

/* The first refusal is the answer; at RCPT it names the recipient. */
static void on_result(void *arg, size_t index, const struct smtp_client_result *result)
{
    struct handover *h = arg;
    if (h->refused)
        return;
    if (result->outcome == SMTP_OUTCOME_DELIVERED) {
        set_answer(h, &result->reply); /* it names the custody id */
        return;
    }
    bool for_good = result->outcome == SMTP_OUTCOME_REFUSED && result->reply.code != 0;
    h->refused = true;
    h->later = !for_good;
    if (for_good)
        set_refusal(h, index, result);
    else
        set_away(h);
}

static void on_done(void *arg)
{
    struct handover *h = arg;
    bool ended = smtp_client_finished(h->client);
    if (ended && h->begun)
        relays_failed(h->relays, h->order[h->at], loop_now(h->loop));
    if (h->begun)
        finish(h);
    else if (ended)
        relay_failed(h, STR("the session ended before the message"));
    else
        leave_relay(h, h->later);
}

/* `done` has told what became of a message; then the session is dropped. */
static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *r,
                   struct str why)
{
    (void)end;
    (void)stage;
    (void)r;
    relay_failed(arg, why);
}

static const struct smtp_client_ops client_ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

static void on_timer(void *arg)
{
    relay_failed(arg, STR("no answer in time"));
}

/* ---- one relay after the other ---- */

static void start(struct handover *h)
{
    h->refused = h->later = false;
    const struct relay_choice *choice = &h->relays->items[h->order[h->at]];
    h->connection = smtp_client_connection_new(h->loop, &choice->address, NULL, HANDOVER_OPENING_MS,
                                               &choice->client, &client_ops, h);
    h->client = smtp_client_connection_session(h->connection);
}

struct handover *handover_new(struct loop *l, struct relays *relays,
                              const struct smtp_client_message *message, const struct handover_ops *ops,
                              void *arg)
{
    struct handover *h = mem_zalloc(sizeof(*h));
    CHECK(relays->count > 0);
    h->loop = l;
    h->relays = relays;
    h->message = *message;
    h->ops = ops;
    h->arg = arg;
    h->order = mem_calloc(relays->count, sizeof(*h->order));
    h->timer = loop_timer_new(l, on_timer, h);
    relays_order(relays, loop_now(l), h->order);
    start(h);
    return h;
}

void handover_body(struct handover *h, const char *data, size_t len)
{
    if (!h->ended)
        smtp_client_body(h->client, data, len);
}

void handover_free(struct handover *h)
{
    if (!h)
        return;
    drop_connection(h);
    loop_timer_free(h->timer);
    free(h->order);
    free(h);
}
