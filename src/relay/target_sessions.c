/* The sessions of one target: what they are given, what becomes of it, and what their ends say of the server.
 */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/delivery.h"
#include "relay/target_parts.h"

#define CONNECT_TIMEOUT_MS 5000 /* both ends are ours or near; a probe says sooner that it is down */
/* A loss costs a message one retry; as long again it makes way for the others. */
#define LOSSY_PATIENCE_RETRIES 2
#define SESSION_IDLE_MS        2000 /* a kept session saves a greeting for mail in bursts */

struct session {
    struct list node;
    struct target *target;
    struct delivery *delivery;
    bool answered;         /* a transaction was */
    enum blame_word blame; /* for its being turned away */
};

size_t target_sessions_busy(const struct target *t)
{
    size_t busy = 0;
    LIST_FOREACH (it, &t->sessions)
        busy += delivery_transaction(LIST_ENTRY(it, struct session, node)->delivery) != NULL;
    return busy;
}

size_t target_sessions_idle(const struct target *t)
{
    return (size_t)t->schedule.sessions - target_sessions_busy(t);
}

enum turn_word target_whose_turn(struct target *t)
{
    struct turn_view view = {
        .up = target_schedule_word(t) == SCHEDULE_UP,
        .normal = source_set_ready(&t->sources, SOURCE_NORMAL),
        .lossy = source_set_ready(&t->sources, SOURCE_LOSSY),
        .busy = target_sessions_busy(t),
        .patience_ms = LOSSY_PATIENCE_RETRIES * t->options.relay->retry_ms,
        .now = loop_now(t->loop),
    };
    return turn_ask(&t->turn, &view);
}

static struct transaction *next_transaction(void *arg, struct delivery *d)
{
    struct session *s = arg;
    struct target *t = s->target;
    (void)d;
    enum turn_word turn = target_whose_turn(t);
    if (turn == TURN_NOBODY || (int64_t)target_sessions_busy(t) >= schedule_sessions_allowed(&t->schedule))
        return NULL;
    struct transaction *found =
        source_set_take(&t->sources, turn == TURN_LOSSY ? SOURCE_LOSSY : SOURCE_NORMAL);
    if (found && turn == TURN_LOSSY)
        turn_begin(&t->turn, loop_now(t->loop));
    return found;
}

static void leave_alone(struct target *t, const struct transaction *transaction)
{
    if (transaction->lane != SOURCE_LOSSY)
        return;
    turn_end(&t->turn, loop_now(t->loop));
    loop_timer_start(t->timer, 0); /* the others may go on */
}

static void note_progress(struct target *t, const struct delivery *d, bool taken)
{
    int64_t taken_in_ns = taken ? delivery_answer_ns(d) : -1;
    if (schedule_on_session_progress(&t->schedule, taken_in_ns))
        loop_timer_start(t->timer, 0); /* a further session, or one that was idle */
    monitor_report(t->monitor, HEALTH_OK, STR("delivery answered"));
}

static void settle(struct target *t, struct transaction *transaction, struct queue_result *results,
                   size_t count)
{
    char ip[ADDR_TEXT_MAX], instance[ADDR_TEXT_MAX + sizeof(t->instance.node) + 1];
    addr_format_ip(&t->instance.address, ip);
    snprintf(instance, sizeof(instance), "%s@%s", ip, t->instance.node);
    for (size_t i = 0; i < count; i++) {
        results[i].server = str_from(t->options.server->name);
        results[i].instance = str_from(instance);
        results[i].epoch = t->instance.epoch;
        results[i].generation = t->instance.generation;
    }
    settlements_add(&t->settlements, transaction, results, count);
}

static void note_standstill(struct target *t, const struct queue_result *results, size_t count, bool taken)
{
    if (taken)
        blame_taken(&t->blame);
    if (taken && standstill_end(&t->standstill, loop_now(t->loop), t->options.relay->retry_max_ms))
        source_set_wake(&t->sources);
    else if (!taken && delivery_any(results, count, QUEUE_OUTCOME_DEFERRED))
        standstill_put_off(&t->standstill);
}

static void on_delivery_outcome(void *arg, struct delivery *d, struct transaction *transaction,
                                struct queue_result *results, size_t count)
{
    struct session *s = arg;
    struct target *t = s->target;
    leave_alone(t, transaction);
    bool taken = delivery_any(results, count, QUEUE_OUTCOME_DELIVERED);
    note_standstill(t, results, count, taken);
    if (refusals_tell(&t->refusals))
        log_event(LOG_WARNING, "mail waits: the server refuses one message after another",
                  LOG_TEXT("server", t->options.server->name), LOG_STR("why", results[0].reply));
    if (!delivery_any(results, count, QUEUE_OUTCOME_LOST)) {
        s->answered = true;
        note_progress(t, d, taken);
    }
    settle(t, transaction, results, count);
}

static void on_turned_away(void *arg, struct delivery *d, struct transaction *transaction,
                           struct queue_result *results, size_t count)
{
    struct session *s = arg;
    struct target *t = s->target;
    leave_alone(t, transaction);
    if (s->answered && !delivery_heard_recipient(d)) { /* enough of this session: no word on the message */
        s->blame = BLAME_OPEN;
        source_give_back(transaction);
        return;
    }
    s->blame = blame_judge(&t->blame, &transaction->blame, target_schedule_word(t) == SCHEDULE_DOWN);
    if (s->blame != BLAME_MESSAGE && !blame_enough(&transaction->blame)) {
        source_give_back_last(transaction);
        return;
    }
    note_standstill(t, results, count, false);
    settle(t, transaction, results, count);
}

static void on_returned(void *arg, struct delivery *d, struct transaction *transaction)
{
    struct session *s = arg;
    (void)d;
    leave_alone(s->target, transaction);
    source_give_back(transaction);
}

static void session_free(struct session *s)
{
    struct transaction *open = delivery_free(s->delivery);
    if (open) {
        leave_alone(s->target, open);
        source_give_back(open);
    }
    list_remove(&s->node);
    free(s);
}

static void session_drop(struct session *s)
{
    struct target *t = s->target;
    schedule_on_session_end(&t->schedule, false, loop_now(t->loop));
    session_free(s);
}

/* It serves, as far as is known; another one would not mend that. */
static const char *const standstills[DELIVERY_ENDS] = {
    [DELIVERY_UNSAFE] = "mail waits: TLS is not as the server's configuration asks",
    [DELIVERY_TERMS] = "mail waits: the server takes none from this relay",
    [DELIVERY_UNTRIED] = "delivery not tried for want of something on this machine",
};

static int64_t served_sessions(const struct target *t)
{
    int64_t served = 0;
    LIST_FOREACH (it, &t->sessions)
        served += LIST_ENTRY(it, struct session, node)->answered;
    return served;
}

static void note_end(struct target *t, enum delivery_end end, enum blame_word blame, struct str why)
{
    struct mono_time now = loop_now(t->loop);
    int64_t others = served_sessions(t); /* this one is gone */
    bool turned_away = end == DELIVERY_TURNED_AWAY && blame != BLAME_MESSAGE;
    if (turned_away && others > 0) {
        schedule_on_session_turned_away(&t->schedule, others);
        return;
    }
    if (end == DELIVERY_TURNED_AWAY && (blame == BLAME_MESSAGE || blame == BLAME_OPEN))
        end = DELIVERY_OVER; /* it serves, as far as is known */
    if (turned_away && blame == BLAME_NOBODY) {
        schedule_on_session_untried(&t->schedule, now);
        return;
    }
    if (standstills[end]) {
        schedule_on_session_untried(&t->schedule, now);
        standstill_note(&t->standstill, standstills[end], t->options.server->name, why);
        return;
    }
    schedule_on_session_end(&t->schedule, end != DELIVERY_OVER, now);
    if (end == DELIVERY_OVER)
        return;
    monitor_report(t->monitor, HEALTH_FAIL, why);
    t->ops->observed(t->arg, t);
}

static void on_ended(void *arg, struct delivery *d, enum delivery_end end, struct str why)
{
    struct session *s = arg;
    struct target *t = s->target;
    char told[SMTP_REPLY_TEXT_MAX]; /* why may be the session's own */
    enum blame_word blame = s->blame;
    bool may_be_the_servers = blame == BLAME_SERVER || blame == BLAME_OPEN;
    (void)d;
    if (end == DELIVERY_TURNED_AWAY && s->answered && may_be_the_servers)
        end = DELIVERY_OVER; /* it served, in this very session */
    snprintf(told, sizeof(told), "%.*s", STR_ARG(why));
    session_free(s);
    note_end(t, end, blame, str_from(told));
    loop_timer_start(t->timer, 0); /* not run(t): this may fire from inside of it */
}

static const struct delivery_ops delivery_ops = {
    .next = next_transaction,
    .outcome = on_delivery_outcome,
    .returned = on_returned,
    .turned_away = on_turned_away,
    .ended = on_ended,
};

void target_session_start(struct target *t)
{
    struct session *s = mem_zalloc(sizeof(*s));
    struct delivery_options options = {
        .client = t->options.client,
        .to = t->instance.address,
        .host = t->options.server->hostname,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .idle_ms = SESSION_IDLE_MS,
        .relay = t->options.relay,
        .refusals = &t->refusals,
        .final = t->options.server->kind == SERVER_BUILTIN || t->options.server->protocol == SERVER_LMTP,
    };
    s->target = t;
    s->delivery = delivery_new(t->loop, &options, &delivery_ops, s);
    list_append(&t->sessions, &s->node);
    schedule_on_session_start(&t->schedule, loop_now(t->loop));
}

void target_sessions_drop(struct target *t)
{
    LIST_FOREACH (it, &t->sessions)
        session_drop(LIST_ENTRY(it, struct session, node));
}

void target_sessions_kick(struct target *t)
{
    LIST_FOREACH (it, &t->sessions)
        delivery_kick(LIST_ENTRY(it, struct session, node)->delivery);
}

void target_sessions_retire(struct target *t)
{
    LIST_FOREACH (it, &t->sessions)
        delivery_retire(LIST_ENTRY(it, struct session, node)->delivery);
}

void target_sessions_let_go(struct target *t)
{
    LIST_FOREACH (it, &t->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        const struct transaction *open = delivery_transaction(s->delivery);
        if (target_schedule_word(t) == SCHEDULE_DOWN && open && !source_set_has(&t->sources, open->source))
            session_drop(s);
    }
}

void target_sessions_cut(struct target *t, const struct queue *q, bool dotted)
{
    LIST_FOREACH (it, &t->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        const struct transaction *open = delivery_transaction(s->delivery);
        if (open && source_queue(open->source) == q && (dotted || !delivery_is_dotted(s->delivery)))
            session_drop(s);
    }
}
