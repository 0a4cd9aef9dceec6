#include "relay/outside_destination.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "relay/schedule.h"
#include "relay/tell.h"

#define CONNECT_TIMEOUT_MS 30000 /* RFC 5321 4.5.3.2 names none; far away is within seconds */
#define IDLE_MS            2000  /* a kept session saves a greeting for mail in bursts */
#define ROUTE_FRESH_MS     60000 /* the resolver's cache knows what holds longer */
#define FEWER_MS           60000 /* so long no more sessions than a server has let in */

struct session {
    struct list node;
    struct destination *destination;
    struct delivery *delivery;
    struct route_place place;
    size_t place_at; /* its index when the session began */
    bool answered;   /* a transaction was */
    bool delivered;  /* of one, a recipient was taken */
};

struct destination {
    struct destination_options options;
    char *name;
    const struct destination_ops *ops;
    void *arg;
    struct list waiting; /* of struct parcel */
    struct list sessions;
    size_t session_count, window; /* window: sessions allowed now; grows with answers */
    size_t fewer;                 /* as many were let in when one more was not, until: */
    struct mono_time fewer_until;
    struct outside_lookup *lookup;
    struct route *route; /* NULL: to be asked for */
    struct mono_time route_until;
    size_t place;      /* that is tried now */
    uint32_t failures; /* of all places, in a row */
    struct mono_time bad_until, progress_at;
    char why[ROUTE_WHY_MAX]; /* it is bad */
    struct loop_timer *timer;
};

static void run(void *arg);

static void run_soon(struct destination *d)
{
    loop_timer_start(d->timer, 0);
}

static int64_t bad_for_ms(const struct destination *d)
{
    int64_t left = mono_diff_ms(d->bad_until, loop_now(d->options.loop));
    return left > 0 ? left : 0;
}

/* ---- outcomes without a session ---- */

static struct transaction *take_waiting(struct destination *d)
{
    struct parcel *p = LIST_ENTRY(d->waiting.next, struct parcel, node);
    struct transaction *t = p->transaction;
    list_remove(&p->node);
    free(p);
    return t;
}

static void put(struct transaction *t, struct list *waiting,
                void (*at_end)(struct list *waiting, struct list *node))
{
    struct parcel *p = mem_zalloc(sizeof(*p));
    p->transaction = t;
    at_end(waiting, &p->node);
}

static void complete(const struct destination *d, const struct transaction *t, struct queue_result *results,
                     const char *instance)
{
    for (size_t i = 0; i < t->recipient_count; i++) {
        results[i].server = STR(QUEUE_HOME_OUTSIDE);
        results[i].instance = str_from(instance);
        results[i].at = loop_wall(d->options.loop);
    }
}

static enum queue_outcome refused(const struct destination *d, const struct transaction *t, size_t i)
{
    struct tell sender = delivery_sender(t, i);
    return tell_failure(&sender, d->options.relay) ? QUEUE_OUTCOME_BOUNCED : QUEUE_OUTCOME_QUARANTINED;
}

/* Not while the destination is bad, and not before the message's own back-off. */
static struct wall_time later(const struct destination *d, const struct transaction *t, size_t i)
{
    uint32_t attempts = t->recipients[i].attempts + 1;
    int64_t own_ms = schedule_message_backoff_ms(d->options.relay, attempts, t->message_id);
    int64_t bad_ms = bad_for_ms(d);
    return (struct wall_time){loop_wall(d->options.loop).ms + (own_ms > bad_ms ? own_ms : bad_ms)};
}

/* The same for all recipients. */
static void answer(struct destination *d, struct transaction *t, bool for_good, const char *why)
{
    struct queue_result results[TRANSACTION_RECIPIENTS_MAX];
    for (size_t i = 0; i < t->recipient_count; i++) {
        results[i] =
            (struct queue_result){.delivery_id = t->recipients[i].delivery_id, .reply = str_from(why)};
        results[i].outcome = for_good ? refused(d, t, i) : QUEUE_OUTCOME_DEFERRED;
        if (!for_good)
            results[i].next_at = later(d, t, i);
    }
    complete(d, t, results, d->name);
    d->ops->outcome(d->arg, d, t, results, t->recipient_count);
}

static void answer_waiting(struct destination *d, bool for_good, const char *why)
{
    while (!list_empty(&d->waiting))
        answer(d, take_waiting(d), for_good, why);
}

void destination_put_off(struct destination *d, const char *why)
{
    answer_waiting(d, false, why);
}

static void forget_route(struct destination *d)
{
    free(d->route);
    d->route = NULL;
    d->place = 0;
    d->window = 1;
}

static void mark_bad(struct destination *d, const char *why)
{
    int64_t for_ms = schedule_message_backoff_ms(d->options.relay, ++d->failures, 0);
    d->bad_until = mono_add_ms(loop_now(d->options.loop), for_ms);
    if (why != d->why)
        snprintf(d->why, sizeof(d->why), "%s", why);
    forget_route(d);
}

/* ---- where it goes ---- */

static void on_route(void *arg, const struct route *route)
{
    struct destination *d = arg;
    d->lookup = NULL;
    d->progress_at = loop_now(d->options.loop);
    switch (route->verdict) {
    case ROUTE_READY:
        d->route = mem_alloc(sizeof(*d->route));
        *d->route = *route;
        d->route_until = mono_add_ms(d->progress_at, ROUTE_FRESH_MS);
        break;
    case ROUTE_IMPOSSIBLE:
        if (d->options.lookup.smarthost && d->options.lookup.smarthost[0])
            mark_bad(d, route->why); /* an operator's mistake is no verdict on mail */
        else
            answer_waiting(d, true, route->why);
        break;
    default:
        mark_bad(d, route->why);
    }
    run_soon(d);
}

static bool has_route(struct destination *d)
{
    if (d->route && d->session_count == 0 && !mono_before(loop_now(d->options.loop), d->route_until))
        forget_route(d);
    if (!d->route && !d->lookup)
        d->lookup = outside_lookup_new(&d->options.lookup, d->name, on_route, d);
    return d->route != NULL;
}

/* ---- sessions ---- */

static struct transaction *next_transaction(void *arg, struct delivery *delivery)
{
    struct destination *d = ((struct session *)arg)->destination;
    (void)delivery;
    while (!list_empty(&d->waiting)) {
        struct transaction *t = take_waiting(d);
        if (source_may_send(t->source))
            return t;
        d->ops->returned(d->arg, t);
    }
    return NULL;
}

static size_t window_max(const struct destination *d)
{
    return mono_before(loop_now(d->options.loop), d->fewer_until) ? d->fewer : DESTINATION_SESSIONS_MAX;
}

static void on_outcome(void *arg, struct delivery *delivery, struct transaction *t,
                       struct queue_result *results, size_t count)
{
    struct session *s = arg;
    struct destination *d = s->destination;
    char ip[ADDR_TEXT_MAX], instance[ADDR_TEXT_MAX + RESOLVER_NAME_MAX];
    (void)delivery;
    addr_format_ip(&s->place.addr, ip);
    snprintf(instance, sizeof(instance), "%s@%s", ip, s->place.host);
    complete(d, t, results, instance);
    d->progress_at = loop_now(d->options.loop);
    s->delivered |= delivery_any(results, count, QUEUE_OUTCOME_DELIVERED);
    if (!delivery_any(results, count, QUEUE_OUTCOME_LOST)) {
        s->answered = true;
        d->failures = 0;
        if (d->window < window_max(d))
            d->window++;
        run_soon(d);
    }
    d->ops->outcome(d->arg, d, t, results, count);
}

static void give_back(struct session *s, struct transaction *t,
                      void (*at_end)(struct list *waiting, struct list *node))
{
    struct destination *d = s->destination;
    if (source_may_send(t->source))
        put(t, &d->waiting, at_end);
    else
        d->ops->returned(d->arg, t); /* until the right to send it is there again */
}

static void on_returned(void *arg, struct delivery *delivery, struct transaction *t)
{
    (void)delivery;
    give_back(arg, t, list_prepend);
}

/* It may be this message that evokes it: the next place is shown another one, where there is one. */
static void on_turned_away(void *arg, struct delivery *delivery, struct transaction *t,
                           struct queue_result *results, size_t count)
{
    (void)delivery, (void)results, (void)count;
    give_back(arg, t, list_append);
}

static void session_free(struct session *s)
{
    struct destination *d = s->destination;
    struct transaction *open = delivery_free(s->delivery);
    if (open)
        put(open, &d->waiting, list_prepend);
    list_remove(&s->node);
    free(s);
    d->session_count--;
    d->ops->sessions(d->arg, -1);
}

/* The next place; after the last one the destination is bad. */
static void place_failed(struct destination *d, size_t place, const char *host, struct str why)
{
    char text[ROUTE_WHY_MAX];
    if (!d->route || place != d->place)
        return; /* another session has told already */
    snprintf(text, sizeof(text), "4.4.1 %s: %.*s", host, STR_ARG(why));
    if (++d->place >= d->route->place_count)
        mark_bad(d, text);
}

/* Other sessions that are served at the same place. */
static size_t served_beside(const struct session *s)
{
    size_t count = 0;
    LIST_FOREACH (it, &s->destination->sessions) {
        const struct session *other = LIST_ENTRY(it, struct session, node);
        count += other != s && other->answered && addr_eq(&other->place.addr, &s->place.addr);
    }
    return count;
}

static void have_fewer(struct destination *d, size_t served)
{
    d->fewer = d->window = served;
    d->fewer_until = mono_add_ms(loop_now(d->options.loop), FEWER_MS);
}

static void on_ended(void *arg, struct delivery *delivery, enum delivery_end end, struct str why)
{
    struct session *s = arg;
    struct destination *d = s->destination;
    (void)delivery;
    d->progress_at = loop_now(d->options.loop);
    size_t served = served_beside(s);
    if (end == DELIVERY_TURNED_AWAY && served > 0)
        have_fewer(d, served);
    else if (end != DELIVERY_OVER && !(end == DELIVERY_TERMS ? s->delivered : s->answered))
        place_failed(d, s->place_at, s->place.host, why);
    session_free(s);
    run_soon(d);
}

static const struct delivery_ops delivery_ops = {.next = next_transaction,
                                                 .outcome = on_outcome,
                                                 .returned = on_returned,
                                                 .turned_away = on_turned_away,
                                                 .ended = on_ended};

static void open_session(struct destination *d)
{
    struct session *s = mem_zalloc(sizeof(*s));
    s->destination = d;
    s->place_at = d->place;
    s->place = d->route->places[d->place];
    struct delivery_options options = {.client = d->options.client,
                                       .to = s->place.addr,
                                       .host = s->place.host,
                                       .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                       .idle_ms = IDLE_MS,
                                       .relay = d->options.relay};
    s->delivery = delivery_new(d->options.loop, &options, &delivery_ops, s);
    list_append(&d->sessions, &s->node);
    d->session_count++;
    d->ops->sessions(d->arg, 1);
}

/* Those that have nothing to carry, or are on their way to it. */
static size_t free_sessions(const struct destination *d)
{
    size_t count = 0;
    LIST_FOREACH (it, &d->sessions)
        count += delivery_transaction(LIST_ENTRY(it, struct session, node)->delivery) == NULL;
    return count;
}

static size_t waiting_count(const struct destination *d)
{
    size_t count = 0;
    LIST_FOREACH (it, &d->waiting)
        count++;
    return count;
}

static void run(void *arg)
{
    struct destination *d = arg;
    if (list_empty(&d->waiting)) {
        if (d->session_count == 0)
            forget_route(d); /* the resolver remembers it in less room */
        return;
    }
    if (bad_for_ms(d) > 0)
        destination_put_off(d, d->why);
    LIST_FOREACH (it, &d->sessions)
        delivery_kick(LIST_ENTRY(it, struct session, node)->delivery);
    if (list_empty(&d->waiting) || !has_route(d))
        return;
    size_t open = free_sessions(d);
    for (size_t left = waiting_count(d);
         left > open && d->session_count < d->window && d->ops->may_open(d->arg); left--)
        open_session(d);
}

/* ---- the owner's side ---- */

struct destination *destination_new(const struct destination_options *options, const char *name,
                                    const struct destination_ops *ops, void *arg)
{
    struct destination *d = mem_zalloc(sizeof(*d));
    d->options = *options;
    d->name = mem_strdup(name);
    d->ops = ops;
    d->arg = arg;
    d->window = 1;
    d->bad_until = d->progress_at = d->fewer_until = loop_now(options->loop);
    list_init(&d->waiting);
    list_init(&d->sessions);
    d->timer = loop_timer_new(options->loop, run, d);
    return d;
}

void destination_free(struct destination *d)
{
    LIST_FOREACH (it, &d->sessions)
        session_free(LIST_ENTRY(it, struct session, node));
    while (!list_empty(&d->waiting))
        d->ops->returned(d->arg, take_waiting(d));
    outside_lookup_cancel(d->lookup);
    loop_timer_free(d->timer);
    free(d->route);
    free(d->name);
    free(d);
}

const char *destination_name(const struct destination *d)
{
    return d->name;
}

void destination_put(struct destination *d, struct transaction *t)
{
    if (list_empty(&d->waiting))
        d->progress_at = loop_now(d->options.loop);
    put(t, &d->waiting, list_append);
    run_soon(d);
}

void destination_kick(struct destination *d)
{
    if (!list_empty(&d->waiting))
        run_soon(d);
}

bool destination_is_idle(const struct destination *d)
{
    return list_empty(&d->waiting) && list_empty(&d->sessions) && !d->lookup;
}

bool destination_is_stalled(const struct destination *d, int64_t ms)
{
    return !list_empty(&d->waiting) && mono_diff_ms(loop_now(d->options.loop), d->progress_at) >= ms;
}

static void cut_sessions(struct destination *d, const struct queue *q)
{
    LIST_FOREACH (it, &d->sessions) {
        struct session *s = LIST_ENTRY(it, struct session, node);
        const struct transaction *open = delivery_transaction(s->delivery);
        if (open && source_queue(open->source) == q)
            session_free(s); /* its transaction waits again, and is given back with the others */
    }
}

void destination_drop(struct destination *d, const struct queue *q, bool cut)
{
    if (cut)
        cut_sessions(d, q);
    LIST_FOREACH (it, &d->waiting) {
        struct parcel *p = LIST_ENTRY(it, struct parcel, node);
        struct transaction *t = p->transaction;
        if (source_queue(t->source) != q)
            continue;
        list_remove(&p->node);
        free(p);
        d->ops->returned(d->arg, t);
    }
    run_soon(d);
}
