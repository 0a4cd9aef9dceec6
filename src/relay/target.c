#include "relay/target.h"

#include "base/log.h"
#include "base/mem.h"
#include "relay/outcome_log.h"
#include "relay/target_instance.h"
#include "relay/target_parts.h"
#include "relay/work.h"

static void run(void *arg);

/* Mail is there that can be tried, or is being tried. */
static bool waiting(const struct target *t)
{
    return source_set_ready(&t->sources, SOURCE_NORMAL) > 0 ||
           source_set_ready(&t->sources, SOURCE_LOSSY) > 0 || target_sessions_busy(t) > 0;
}

enum schedule_server target_schedule_word(const struct target *t)
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
    bool was_down = t->schedule.server == SCHEDULE_DOWN;
    schedule_on_server(&t->schedule, target_schedule_word(t), loop_now(t->loop));
    if (was_down && t->schedule.server != SCHEDULE_DOWN)
        source_set_wake(&t->sources);
    if (word->state == HEALTH_OPERATIONAL)
        schedule_on_well(&t->schedule);
    t->ops->observed(t->arg, t);
    run(t);
    if (target_schedule_word(t) == SCHEDULE_DOWN)
        loop_timer_start(t->timer, 0); /* to let go; a session may be being ended now */
}

static void on_outcome(void *arg, struct monitor *m, const struct monitor_outcome *outcome)
{
    struct target *t = arg;
    (void)m;
    if (outcome->outcome != HEALTH_FAIL)
        return;
    t->answered &= ~(1U << outcome->kind);
    t->answered |= (unsigned)outcome->answered << outcome->kind;
    struct mono_time now = loop_now(t->loop);
    bool wanted = schedule_wants_invocation(&t->schedule, now);
    schedule_on_probe_failed(&t->schedule, waiting(t), now);
    if (wanted != schedule_wants_invocation(&t->schedule, now))
        t->ops->observed(t->arg, t);
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

static void on_timer(void *arg)
{
    target_sessions_let_go(arg);
    run(arg);
}

/* Transactions that could be handed out now to further sessions. */
static size_t to_hand_out(struct target *t)
{
    if (!t->instance.present)
        return 0;
    switch (target_whose_turn(t)) {
    case TURN_NORMAL:
        return source_set_ready(&t->sources, SOURCE_NORMAL);
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
        target_session_start(t);
}

/* Idle sessions first, then new ones, then the schedule's timer. */
static void run(void *arg)
{
    struct target *t = arg;
    target_sessions_kick(t);
    size_t idle = target_sessions_idle(t), left = to_hand_out(t);
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
    source_set_wake(&t->sources);
    target_sessions_retire(t);     /* they began under other terms, of TLS among others */
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
    target_sessions_drop(t);
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
    target_sessions_drop(t); /* they lead to the old place; what it had not answered is sent to the new one */
    target_instance_watch(t->options.server, &t->instance, t->monitor);
    struct mono_time now = loop_now(t->loop);
    schedule_on_server(&t->schedule, target_schedule_word(t), now);
    schedule_on_instance(&t->schedule, now);
    t->ops->observed(t->arg, t);
    run(t);
}

/* As an instance does that has no lease. */
static bool waits_for_store(const struct target *t)
{
    return t->store_away && t->answered != 0 && t->options.server->kind == SERVER_BUILTIN &&
           t->schedule.server != SCHEDULE_UP;
}

void target_on_store(struct target *t, bool answers)
{
    bool anew = answers && waits_for_store(t);
    t->store_away = !answers;
    if (anew) {
        schedule_on_instance(&t->schedule, loop_now(t->loop));
        loop_timer_start(t->timer, 0); /* a lease may be lost while a session asks for it */
    }
    t->ops->observed(t->arg, t);
}

void target_add_source(struct target *t, struct source *s)
{
    source_set_add(&t->sources, s);
    run(t);
}

void target_remove_source(struct target *t, struct source *s)
{
    source_set_remove(&t->sources, s);
    target_sessions_let_go(t);
}

void target_kick(struct target *t)
{
    loop_timer_start(t->timer, 0); /* it may be called while a session is being ended */
}

void target_withdraw_queue(struct target *t, struct queue *q)
{
    target_sessions_cut(t, q, false);
    loop_timer_start(t->timer, 0); /* other queues' mail may have waited for these sessions */
}

void target_drop_queue(struct target *t, struct queue *q)
{
    target_sessions_cut(t, q, true);
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
        .invoke = schedule_wants_invocation(&t->schedule, now) && !waits_for_store(t),
    };
}
