#include "relay/outside.h"

#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "relay/expiry.h"
#include "relay/outcome_log.h"
#include "relay/outside_destination.h"
#include "relay/settlement.h"
#include "relay/work.h"

#define HAND_MAX         256  /* transactions; a message's envelope each, bodies stay in the queue */
#define DESTINATIONS_MAX 1000 /* remembered; those beyond the hand are idle, or known to be bad */
#define STALL_MS         5000 /* a destination that fills our hand and answers nobody so long makes way */

struct outside_mail {
    struct list node;
    struct outside *outside;
    struct source *source;
    struct right *right;
    struct expiry *expiry;
    void (*on_given_up)(void *arg, size_t expired);
    void *arg;
};

/* In the order of use. */
struct place {
    struct list node;
    struct outside *outside;
    struct destination *destination;
};

struct outside {
    struct loop *loop;
    struct outside_options options;
    struct destination_options destination; /* of all */
    char smarthost[RESOLVER_NAME_MAX];      /* "": none */
    struct list mail;                       /* of struct outside_mail; the first has its turn */
    struct map by_name;
    struct list places; /* least used first */
    size_t place_count, held, session_count;
    struct settlements settlements;
    struct loop_timer *timer, *stall_timer;
};

/* ---- ourselves ---- */

static bool is_our_name(const void *arg, struct str host)
{
    const struct config *c = ((const struct outside *)arg)->options.config;
    for (size_t i = 0; i < c->relay_count; i++)
        if (str_ieq(host, str_from(c->relays[i].hostname)))
            return true;
    for (size_t i = 0; i < c->server_count; i++)
        if (str_ieq(host, str_from(c->servers[i].hostname)))
            return true;
    return false;
}

static bool lives_on_loopback(const struct config *c)
{
    for (size_t i = 0; i < c->relay_count; i++)
        for (size_t k = 0; k < c->relays[i].address.count; k++)
            if (addr_is_loopback(&c->relays[i].address.addrs[k]))
                return true;
    return false;
}

/* A stranger's name for this machine is ours, whoever listens there; but not where a whole network is on one,
 * with its outside. */
static bool is_our_ip(const void *arg, const struct addr *ip)
{
    const struct config *c = ((const struct outside *)arg)->options.config;
    return config_has_ip(c, ip) || (addr_is_loopback(ip) && !lives_on_loopback(c));
}

/* ---- destinations ---- */

static void pull_soon(struct outside *o)
{
    loop_timer_start(o->timer, 0);
}

static bool may_open(void *arg)
{
    return ((const struct outside *)arg)->session_count < OUTSIDE_SESSIONS_MAX;
}

static void on_outcome(void *arg, struct destination *d, struct transaction *t, struct queue_result *results,
                       size_t count)
{
    struct outside *o = arg;
    (void)d;
    o->held--;
    settlements_add(&o->settlements, t, results, count);
    pull_soon(o);
}

static void on_returned(void *arg, struct transaction *t)
{
    struct outside *o = arg;
    o->held--;
    source_give_back(t);
}

static void on_sessions(void *arg, int change)
{
    struct outside *o = arg;
    bool was_full = o->session_count >= OUTSIDE_SESSIONS_MAX;
    o->session_count = (size_t)((int64_t)o->session_count + change);
    if (was_full && change < 0)
        LIST_FOREACH (it, &o->places)
            destination_kick(LIST_ENTRY(it, struct place, node)->destination);
}

static const struct destination_ops destination_ops = {
    .may_open = may_open, .outcome = on_outcome, .returned = on_returned, .sessions = on_sessions};

static void place_free(struct place *p)
{
    struct outside *o = p->outside;
    (void)map_remove(&o->by_name, str_from(destination_name(p->destination)));
    destination_free(p->destination);
    list_remove(&p->node);
    free(p);
    o->place_count--;
}

/* What is in our hand is less than what is remembered: one is idle. */
static void forget_one(struct outside *o)
{
    LIST_FOREACH (it, &o->places) {
        struct place *p = LIST_ENTRY(it, struct place, node);
        if (!destination_is_idle(p->destination))
            continue;
        place_free(p);
        return;
    }
}

static struct place *place_new(struct outside *o, const char *name)
{
    if (o->place_count >= DESTINATIONS_MAX)
        forget_one(o);
    struct place *p = mem_zalloc(sizeof(*p));
    p->outside = o;
    p->destination = destination_new(&o->destination, name, &destination_ops, o);
    map_set(&o->by_name, str_from(destination_name(p->destination)), p);
    o->place_count++;
    list_init(&p->node);
    return p;
}

static struct destination *destination_for(struct outside *o, const struct transaction *t)
{
    const char *name = o->smarthost[0] ? o->smarthost : t->domain;
    struct place *p = map_find(&o->by_name, str_from(name));
    if (!p)
        p = place_new(o, name);
    list_remove(&p->node);
    list_append(&o->places, &p->node);
    return p->destination;
}

/* ---- the hand ---- */

/* By turns; lossy ones when there are no others (relay/source.h). */
static struct transaction *take(struct outside *o)
{
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++)
        LIST_FOREACH (it, &o->mail) {
            struct outside_mail *m = LIST_ENTRY(it, struct outside_mail, node);
            struct transaction *t = source_take(m->source, (enum source_lane)lane);
            if (!t)
                continue;
            list_remove(&m->node);
            list_append(&o->mail, &m->node);
            return t;
        }
    return NULL;
}

static void pull(void *arg)
{
    struct outside *o = arg;
    struct transaction *t;
    while (o->held < HAND_MAX && (t = take(o))) {
        o->held++;
        destination_put(destination_for(o, t), t);
    }
    if (o->held == HAND_MAX && !loop_timer_active(o->stall_timer))
        loop_timer_start(o->stall_timer, STALL_MS);
}

static void on_stall(void *arg)
{
    struct outside *o = arg;
    if (o->held < HAND_MAX)
        return;
    LIST_FOREACH (it, &o->places) {
        struct destination *d = LIST_ENTRY(it, struct place, node)->destination;
        if (destination_is_stalled(d, STALL_MS))
            destination_put_off(d, "4.4.1 The destination does not answer in time; others have their turn");
    }
    if (o->held == HAND_MAX)
        loop_timer_start(o->stall_timer, STALL_MS);
}

/* ---- outcomes ---- */

static struct outside_mail *mail_of(const struct outside *o, const struct transaction *t)
{
    LIST_FOREACH (it, &o->mail)
        if (LIST_ENTRY(it, struct outside_mail, node)->source == t->source)
            return LIST_ENTRY(it, struct outside_mail, node);
    return NULL;
}

static void on_settled(void *arg, const struct transaction *t, const struct queue_result *result)
{
    struct outside *o = arg;
    struct outside_mail *m = mail_of(o, t);
    work_count(o->options.work, result->outcome);
    for (size_t i = 0; i < t->recipient_count; i++)
        if (t->recipients[i].delivery_id == result->delivery_id &&
            o->options.config->log_messages == LOG_MESSAGES_ALL)
            outcome_log(t, t->recipients[i].address, result);
    if (m && work_is_to_be_told(result))
        m->on_given_up(m->arg, 0);
}

/* ---- life ---- */

/* The smarthost's name and port, or the domain's servers' port. */
static uint16_t find_port(struct outside *o)
{
    struct str host;
    uint16_t port;
    if (config_smarthost(o->options.relay, &host, &port) < 0)
        return (uint16_t)o->options.relay->outside_port;
    snprintf(o->smarthost, sizeof(o->smarthost), "%.*s", STR_ARG(host));
    return port;
}

struct outside *outside_new(struct loop *l, const struct outside_options *options)
{
    struct outside *o = mem_zalloc(sizeof(*o));
    o->loop = l;
    o->options = *options;
    uint16_t port = find_port(o);
    o->destination = (struct destination_options){
        .loop = l,
        .lookup = {.loop = l,
                   .resolver = options->resolver,
                   .self = {.is_our_name = is_our_name, .is_our_ip = is_our_ip, .arg = o},
                   .smarthost = o->smarthost,
                   .port = port},
        .client = options->client,
        .relay = options->relay,
    };
    map_init(&o->by_name);
    list_init(&o->places);
    list_init(&o->mail);
    settlements_init(&o->settlements, l, on_settled, o);
    o->timer = loop_timer_new(l, pull, o);
    o->stall_timer = loop_timer_new(l, on_stall, o);
    return o;
}

void outside_free(struct outside *o)
{
    if (!o)
        return;
    CHECK(list_empty(&o->mail));
    LIST_FOREACH (it, &o->places)
        place_free(LIST_ENTRY(it, struct place, node));
    settlements_drop(&o->settlements, NULL);
    map_fini(&o->by_name);
    loop_timer_free(o->timer);
    loop_timer_free(o->stall_timer);
    free(o);
}

static void on_ready(void *arg)
{
    pull_soon(((struct outside_mail *)arg)->outside);
}

static void drop(struct outside_mail *m, bool cut)
{
    LIST_FOREACH (it, &m->outside->places)
        destination_drop(LIST_ENTRY(it, struct place, node)->destination, source_queue(m->source), cut);
}

static bool may_expire(void *arg)
{
    return right_is_held(((struct outside_mail *)arg)->right);
}

static void on_expired(void *arg, size_t count)
{
    struct outside_mail *m = arg;
    drop(m, false);
    source_read_again(m->source);
    m->on_given_up(m->arg, count);
}

static const struct expiry_ops expiry_ops = {may_expire, on_expired};

struct outside_mail *outside_add(struct outside *o, struct queue *q, struct right *right,
                                 struct claims *claims, void (*on_given_up)(void *arg, size_t expired),
                                 void *arg)
{
    struct outside_mail *m = mem_zalloc(sizeof(*m));
    m->outside = o;
    m->on_given_up = on_given_up;
    m->arg = arg;
    m->right = right;
    list_append(&o->mail, &m->node);
    m->source = source_new(o->loop, q, right, claims, STR_EMPTY, STR(QUEUE_HOME_OUTSIDE), on_ready, m);
    m->expiry = expiry_new(o->loop, q, STR_EMPTY, STR(QUEUE_HOME_OUTSIDE), o->options.relay, &expiry_ops, m);
    return m;
}

void outside_remove(struct outside_mail *m)
{
    drop(m, true);
    settlements_drop(&m->outside->settlements, source_queue(m->source));
    expiry_free(m->expiry);
    source_free(m->source);
    list_remove(&m->node);
    free(m);
}

void outside_kick(struct outside_mail *m)
{
    source_kick(m->source);
    pull_soon(m->outside); /* what was read already waited for the right to send it */
}

size_t outside_changed(struct outside_mail *m, const struct queue_filter *filter)
{
    drop(m, false);
    source_reset(m->source);
    expiry_kick(m->expiry);
    return filter ? source_in_flight(m->source, filter) : 0;
}
