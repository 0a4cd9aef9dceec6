#include "relay/target.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "health/monitor.h"
#include "relay/delivery.h"
#include "relay/outcome_log.h"
#include "relay/settlement.h"
#include "relay/source_set.h"
#include "relay/standstill.h"
#include "relay/target_instance.h"
#include "relay/turn.h"
#include "relay/work.h"

#define CONNECT_TIMEOUT_MS 5000 /* both ends are ours or near; a probe says sooner that it is down */
/* A loss costs a message one retry; as long again it makes way for the others. */
#define LOSSY_PATIENCE_RETRIES 2
#define SESSION_IDLE_MS        2000 /* a kept session saves a greeting for mail in bursts */

struct session {
    struct list node;
    struct target *target;
    struct delivery *delivery;
    bool answered; /* a transaction was */
};

struct target {
    struct loop *loop;
    struct target_options options;
    const struct target_ops *ops;
    void *arg;
    struct monitor *monitor;
    struct schedule schedule;
    struct target_instance instance;
    struct source_set sources;
    struct list sessions;
    struct settlements settlements;
    struct loop_timer *timer; /* the schedule's */
    struct turn turn;
    struct refusals refusals;
    struct standstill standstill;
};

static void run(void *arg);

static size_t ready(const struct target *t, enum source_lane lane)
{
    return source_set_ready(&t->sources, lane);
}

static size_t busy_sessions(const struct target *t)
{
    size_t busy = 0;
    LIST_FOREACH (it, &t->sessions)
        busy += delivery_transaction(LIST_ENTRY(it, struct session, node)->delivery) != NULL;
    return busy;
}

/* Mail is there that can be tried, or is being tried. */
static bool waiting(const struct target *t)
{
    return ready(t, SOURCE_NORMAL) > 0 || ready(t, SOURCE_LOSSY) > 0 || busy_sessions(t) > 0;
}

static enum schedule_server schedule_word(const struct target *t)
{
    switch (t->instance.present ? monitor_word(t->monitor)->state : HEALTH_CREATING) {
    case HEALTH_OPERATIONAL:
    case HEALTH_SUSPECT:
        return SCHEDULE_UP;
    case HEALTH_RECOVERING:
        return SCHEDULE_RECOVERING;
    default:
        return SCHEDULE_DOWN;
    }
}

static void on_change(void *arg, struct monitor *m, enum health_state before)
{
    struct target *t = arg;
    const struct health_word *word = monitor_word(m);
    log_event(LOG_INFO, "messaging server changed", LOG_TEXT("server", t->options.server->name),
              LOG_TEXT("state", health_state_name(word->state)),
              LOG_TEXT("before", health_state_name(before)), LOG_TEXT("detail", word->detail));
    schedule_on_server(&t->schedule, schedule_word(t), loop_now(t->loop));
    if (word->state == HEALTH_OPERATIONAL)
        schedule_on_well(&t->schedule);
    t->ops->observed(t->arg, t);
    run(t);
    if (schedule_word(t) == SCHEDULE_DOWN)
        loop_timer_start(t->timer, 0); /* to let go; a session may be being ended now */
}

static void on_outcome(void *arg, struct monitor *m, const struct monitor_outcome *outcome)
{
    struct target *t = arg;
    (void)m;
    if (outcome->outcome != HEALTH_FAIL)
        return;
    struct mono_time now = loop_now(t->loop);
    bool wanted = schedule_wants_invocation(&t->schedule, now);
    schedule_on_probe_failed(&t->schedule, waiting(t), now);
    if (wanted != schedule_wants_invocation(&t->schedule, now))
        t->ops->observed(t->arg, t);
}

/* ---- sessions ---- */

static enum turn_word whose_turn(struct target *t)
{
    struct turn_view view = {
        .up = schedule_word(t) == SCHEDULE_UP,
        .normal = ready(t, SOURCE_NORMAL),
        .lossy = ready(t, SOURCE_LOSSY),
        .busy = busy_sessions(t),
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
    enum turn_word turn = whose_turn(t);
    if (turn == TURN_NOBODY || (int64_t)busy_sessions(t) >= schedule_sessions_allowed(&t->schedule))
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

static void on_settled(void *arg, const struct transaction *transaction, const struct queue_result *result)
{
    struct target *t = arg;
    work_count(t->options.work, result->outcome);
    for (size_t i = 0; i < transaction->recipient_count; i++)
        if (transaction->recipients[i].delivery_id == result->delivery_id &&
            t->options.config->log_messages == LOG_MESSAGES_ALL)
            outcome_log(transaction, transaction->recipients[i].address, result);
    if (work_is_to_be_told(result))
        t->ops->to_tell(t->arg, t, source_queue(transaction->source));
}

static void note_progress(struct target *t, const struct delivery *d, bool taken)
{
    int64_t taken_in_ns = taken ? delivery_answer_ns(d) : -1;
    if (schedule_on_session_progress(&t->schedule, taken_in_ns))
        loop_timer_start(t->timer, 0); /* a further session, or one that was idle */
    monitor_report(t->monitor, HEALTH_OK, STR("delivery answered"));
}

static void complete_result(const struct target *t, const char *instance, struct queue_result *r)
{
    r->server = str_from(t->options.server->name);
    r->instance = str_from(instance);
    r->epoch = t->instance.epoch;
    r->generation = t->instance.generation;
}

static void on_delivery_outcome(void *arg, struct delivery *d, struct transaction *transaction,
                                struct queue_result *results, size_t count)
{
    struct session *s = arg;
    struct target *t = s->target;
    char ip[ADDR_TEXT_MAX], instance[ADDR_TEXT_MAX + sizeof(t->instance.node) + 1];
    addr_format_ip(&t->instance.address, ip);
    snprintf(instance, sizeof(instance), "%s@%s", ip, t->instance.node);
    for (size_t i = 0; i < count; i++)
        complete_result(t, instance, &results[i]);
    leave_alone(t, transaction);
    bool taken = delivery_any(results, count, QUEUE_OUTCOME_DELIVERED);
    if (taken)
        standstill_end(&t->standstill);
    if (refusals_tell(&t->refusals))
        log_event(LOG_WARNING, "mail waits: the server refuses one message after another",
                  LOG_TEXT("server", t->options.server->name), LOG_STR("why", results[0].reply));
    if (!delivery_any(results, count, QUEUE_OUTCOME_LOST)) {
        s->answered = true;
        note_progress(t, d, taken);
    }
    settlements_add(&t->settlements, transaction, results, count);
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

static void note_end(struct target *t, enum delivery_end end, struct str why)
{
    struct mono_time now = loop_now(t->loop);
    int64_t others = served_sessions(t); /* this one is gone */
    if (end == DELIVERY_TURNED_AWAY && others > 0) {
        schedule_on_session_turned_away(&t->schedule, others);
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
    (void)d;
    snprintf(told, sizeof(told), "%.*s", STR_ARG(why));
    session_free(s);
    note_end(t, end, str_from(told));
    loop_timer_start(t->timer, 0); /* not run(t): this may fire from inside of it */
}

static const struct delivery_ops delivery_ops = {
    .next = next_transaction,
    .outcome = on_delivery_outcome,
    .returned = on_returned,
    .ended = on_ended,
};

static void start_session(struct target *t)
{
    struct session *s = mem_zalloc(sizeof(*s));
    struct delivery_options options = {
        .client = t->options.client,
        .to = t->instance.address,
        .host = t->options.server->hostname,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .idle_ms = SESSION_IDLE_MS,
        .retry_ms = t->options.relay->retry_ms,
        .losses_max = (uint32_t)t->options.relay->losses_max,
        .relay = t->options.relay,
        .refusals = &t->refusals,
        .final = t->options.server->kind == SERVER_BUILTIN || t->options.server->protocol == SERVER_LMTP,
    };
    s->target = t;
    s->delivery = delivery_new(t->loop, &options, &delivery_ops, s);
    list_append(&t->sessions, &s->node);
    schedule_on_session_start(&t->schedule, loop_now(t->loop));
}

static void drop_sessions(struct target *t)
{
    LIST_FOREACH (it, &t->sessions)
        session_drop(LIST_ENTRY(it, struct session, node));
}

/* What has gone to another server does not wait for one that does not work: its session would hold it for as
 * long as SMTP is patient, minutes. */
static void let_go(struct target *t)
{
    LIST_FOREACH (it, &t->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        const struct transaction *open = delivery_transaction(s->delivery);
        if (schedule_word(t) == SCHEDULE_DOWN && open && !source_set_has(&t->sources, open->source))
            session_drop(s);
    }
}

static void on_timer(void *arg)
{
    let_go(arg);
    run(arg);
}

/* Transactions that could be handed out now to further sessions. */
static size_t work(struct target *t)
{
    if (!t->instance.present)
        return 0;
    switch (whose_turn(t)) {
    case TURN_NORMAL:
        return ready(t, SOURCE_NORMAL);
    case TURN_LOSSY:
        return 1;
    default:
        return 0;
    }
}

/* One for each transaction that no session is free for, as the schedule allows. */
static void start_sessions(struct target *t, size_t count)
{
    for (int64_t n = schedule_sessions_free(&t->schedule, loop_now(t->loop)); n > 0 && count > 0;
         n--, count--)
        start_session(t);
}

/* Idle sessions first, then new ones, then the schedule's timer. */
static void run(void *arg)
{
    struct target *t = arg;
    size_t idle = 0;
    LIST_FOREACH (it, &t->sessions)
        delivery_kick(LIST_ENTRY(it, struct session, node)->delivery);
    LIST_FOREACH (it, &t->sessions)
        idle += delivery_transaction(LIST_ENTRY(it, struct session, node)->delivery) == NULL;
    size_t left = work(t);
    if (left > idle)
        start_sessions(t, left - idle);
    struct mono_time next = schedule_next(&t->schedule);
    if (left > 0 && next.ns != MONO_NEVER.ns) {
        int64_t delay = mono_diff_ms(next, loop_now(t->loop)) + 1;
        loop_timer_start(t->timer, delay > 0 ? delay : 1);
    }
}

/* ---- the owner's side ---- */

void target_reload(struct target *t)
{
    struct schedule_options schedule = schedule_options_of(t->options.relay, t->options.server);
    schedule_configure(&t->schedule, &schedule);
    monitor_reload(t->monitor);
    LIST_FOREACH (it, &t->sessions) /* they began under other terms, of TLS among others */
        delivery_retire(LIST_ENTRY(it, struct session, node)->delivery);
    loop_timer_start(t->timer, 0); /* there may be something to do sooner */
}

struct target *target_new(struct loop *l, const struct target_options *options, const struct target_ops *ops,
                          void *arg)
{
    struct target *t = mem_zalloc(sizeof(*t));
    const struct config_server *server = options->server;
    t->loop = l;
    t->options = *options;
    t->ops = ops;
    t->arg = arg;
    list_init(&t->sessions);
    turn_init(&t->turn);
    settlements_init(&t->settlements, l, on_settled, t);
    t->timer = loop_timer_new(l, on_timer, t);
    struct schedule_options schedule = schedule_options_of(options->relay, options->server);
    schedule_init(&t->schedule, &schedule);
    struct monitor_spec spec = {
        .name = server->name,
        .checks = server->checks,
        .check_count = server->check_count,
        .protocol = server->protocol,
        .helo = options->relay->hostname,
        .offers = options->client->offers,
        .tls_of = server,
    };
    struct monitor_events events = {.on_outcome = on_outcome, .on_change = on_change};
    t->monitor = monitor_new(l, &spec, &events, t);
    return t;
}

void target_free(struct target *t)
{
    drop_sessions(t);
    settlements_drop(&t->settlements, NULL);
    source_set_fini(&t->sources);
    loop_timer_free(t->timer);
    monitor_free(t->monitor);
    free(t);
}

const struct config_server *target_server(const struct target *t)
{
    return t->options.server;
}

void target_set_instance(struct target *t, const struct target_instance *instance)
{
    bool moved = instance->present != t->instance.present || instance->epoch != t->instance.epoch ||
                 (instance->present && !addr_eq(&instance->address, &t->instance.address));
    t->instance = *instance;
    if (!moved)
        return;
    drop_sessions(t); /* they lead to the old place; what it had not answered is sent to the new one */
    target_instance_watch(t->options.server, &t->instance, t->monitor);
    struct mono_time now = loop_now(t->loop);
    schedule_on_server(&t->schedule, schedule_word(t), now);
    schedule_on_instance(&t->schedule, now);
    t->ops->observed(t->arg, t);
    run(t);
}

void target_add_source(struct target *t, struct source *s)
{
    source_set_add(&t->sources, s);
    run(t);
}

void target_remove_source(struct target *t, struct source *s)
{
    source_set_remove(&t->sources, s);
    let_go(t);
}

void target_kick(struct target *t)
{
    loop_timer_start(t->timer, 0); /* it may be called while a session is being ended */
}

static void cut_queue(struct target *t, const struct queue *q, bool dotted)
{
    LIST_FOREACH (it, &t->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        const struct transaction *open = delivery_transaction(s->delivery);
        if (open && source_queue(open->source) == q && (dotted || !delivery_is_dotted(s->delivery)))
            session_drop(s);
    }
}

void target_withdraw_queue(struct target *t, struct queue *q)
{
    cut_queue(t, q, false);
    loop_timer_start(t->timer, 0); /* other queues' mail may have waited for these sessions */
}

void target_drop_queue(struct target *t, struct queue *q)
{
    cut_queue(t, q, true);
    settlements_drop(&t->settlements, q);
    loop_timer_start(t->timer, 0); /* other queues' mail may have waited for these sessions */
}

bool target_may_answer(const struct target *t, struct addr *ret_to)
{
    enum health_state state = monitor_word(t->monitor)->state;
    bool may = health_state_serves(state) || state == HEALTH_UNKNOWN || state == HEALTH_RECOVERING;
    if (!t->instance.present || !may)
        return false;
    *ret_to = t->instance.address;
    return true;
}

void target_observe(const struct target *t, struct target_observation *ret_observation)
{
    struct mono_time now = loop_now(t->loop);
    *ret_observation = (struct target_observation){
        .word = monitor_word(t->monitor),
        .epoch = t->instance.epoch,
        .failed = t->schedule.failed_attempts,
        .down_for_ms = schedule_down_for_ms(&t->schedule, now),
        .invoke = schedule_wants_invocation(&t->schedule, now),
    };
}
