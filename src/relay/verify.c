#include "relay/verify.h"

#include "base/log.h"
#include "base/mem.h"
#include "net/log_limit.h"
#include "relay/asker.h"
#include "relay/known_users.h"
#include "relay/remembered.h"
#include "relay/snapshot.h"

struct verify_inquiry {
    struct asker_question question;
    struct verify *verify;
    const struct config_domain *domain;
    char *address;
    struct list waiters;
    struct store_op *op;      /* the snapshot is being read, or NULL */
    struct loop_timer *timer; /* how long they wait */
    bool blind;               /* what is remembered durably could not be read */
    bool overdue;             /* that time is over: the answer is only remembered */
};

struct verify {
    struct loop *loop;
    struct verify_options options;
    struct asker **askers;       /* by the server's place in the configuration; NULL: not yet */
    struct snapshot **snapshots; /* by the domain's */
    struct remembered remembered;
    struct map inquiries; /* by address */
    struct log_limit *log_limit;
};

/* ---- what is there ---- */

static struct asker *asker_of(struct verify *v, const struct config_server *server)
{
    size_t place = (size_t)(server - v->options.config->servers);
    if (!v->askers[place])
        v->askers[place] = asker_new(v->loop, clients_questions(v->options.clients, server));
    return v->askers[place];
}

static struct snapshot *snapshot_of(struct verify *v, const struct config_domain *domain)
{
    struct snapshot **snapshot = &v->snapshots[domain - v->options.config->domains];
    if (!*snapshot)
        *snapshot = snapshot_new(v->loop, v->options.network, domain);
    return *snapshot;
}

static struct target *target_of(const struct verify_inquiry *i)
{
    return i->verify->options.target_of(i->verify->options.arg, i->domain);
}

static enum verdict judge(const struct verify_inquiry *i, enum verdict_event event)
{
    struct verdict_memory memory = remembered_find(&i->verify->remembered, str_from(i->address));
    if (i->blind && (event == VERDICT_DOWN || event == VERDICT_NOT_NOW))
        event = VERDICT_TROUBLE;
    return verdict_of(i->domain, event, &memory, loop_wall(i->verify->loop));
}

/* The server gives no answer. */
static enum verdict judge_silence(const struct verify_inquiry *i)
{
    struct addr at;
    return judge(i, target_may_answer(target_of(i), &at) ? VERDICT_NOT_NOW : VERDICT_DOWN);
}

/* ---- the end of an inquiry ---- */

static void tell(struct verify_inquiry *i, enum verdict verdict)
{
    loop_timer_stop(i->timer);
    while (!list_empty(&i->waiters)) {
        struct verify_waiter *w = LIST_ENTRY(i->waiters.next, struct verify_waiter, node);
        verify_forget(w);
        w->on_verdict(w, verdict);
    }
}

static void inquiry_free(struct verify_inquiry *i)
{
    if (i->op)
        store_op_forget(i->op);
    loop_timer_free(i->timer);
    free(i->address);
    free(i);
}

/* Who asks from inside of a callback begins another one. */
static void finish(struct verify_inquiry *i, enum verdict verdict)
{
    map_remove(&i->verify->inquiries, str_from(i->address));
    tell(i, verdict);
    inquiry_free(i);
}

/* ---- the server's answer ---- */

static void remember(struct verify_inquiry *i, bool known)
{
    struct verify *v = i->verify;
    struct wall_time now = loop_wall(v->loop);
    remembered_put(&v->remembered, str_from(i->address), known, now);
    snapshot_add(snapshot_of(v, i->domain), str_from(i->address), known, now);
}

static void log_trouble(const struct verify_inquiry *i, const struct smtp_reply *reply)
{
    char text[SMTP_REPLY_TEXT_MAX];
    if (!log_limit_may(i->verify->log_limit, i->domain->name))
        return;
    smtp_reply_describe(reply, text, sizeof(text));
    log_event(LOG_WARNING, "recipient not verified", LOG_TEXT("domain", i->domain->name),
              LOG_TEXT("recipient", i->address), LOG_TEXT("reply", text));
}

static void on_answer(struct asker_question *q, enum asker_outcome outcome, const struct smtp_reply *reply)
{
    struct verify_inquiry *i = CONTAINER_OF(q, struct verify_inquiry, question);
    int about = outcome == ASKER_ANSWERED ? verdict_of_reply(reply) : VERDICT_NEVER;
    if (about != VERDICT_NEVER) {
        remember(i, about == VERDICT_KNOWN);
        finish(i, about == VERDICT_KNOWN ? VERDICT_TAKE : VERDICT_REFUSE);
    } else if (outcome == ASKER_NO_REPLY) {
        finish(i, judge_silence(i));
    } else {
        log_trouble(i, reply);
        finish(i, judge(i, VERDICT_TROUBLE));
    }
}

/* ---- the snapshot's ---- */

static void ask(struct verify_inquiry *i, const struct target *t, const struct addr *to)
{
    i->question = (struct asker_question){.address = i->address, .on_answer = on_answer};
    if (!asker_ask(asker_of(i->verify, target_server(t)), to, &i->question))
        finish(i, judge(i, VERDICT_TROUBLE));
}

static void on_found(void *arg, int err, const struct network_recipient *found)
{
    struct verify_inquiry *i = arg;
    struct verify *v = i->verify;
    struct verdict_memory memory = remembered_find(&v->remembered, str_from(i->address));
    struct addr to;
    i->op = NULL;
    i->blind = err != 0 && err != ERR_NOT_FOUND;
    if (!err && found && (memory.seen == VERDICT_NEVER || found->at.ms > memory.at.ms))
        remembered_put(&v->remembered, found->address, found->known, found->at);
    const struct target *t = target_of(i);
    bool there = target_may_answer(t, &to);
    enum verdict verdict = judge(i, there ? VERDICT_ASKED : VERDICT_DOWN);
    if (verdict == VERDICT_ASK)
        ask(i, t, &to);
    else
        finish(i, verdict);
}

static void on_overdue(void *arg)
{
    struct verify_inquiry *i = arg;
    if (i->op) { /* it is our store that is slow */
        finish(i, judge(i, VERDICT_TROUBLE));
        return;
    }
    i->overdue = true;
    tell(i, judge_silence(i));
}

static struct verify_inquiry *inquiry_begin(struct verify *v, const struct config_domain *domain,
                                            struct str address)
{
    struct verify_inquiry *i = mem_zalloc(sizeof(*i));
    i->verify = v;
    i->domain = domain;
    i->address = str_dup(address);
    list_init(&i->waiters);
    i->timer = loop_timer_new(v->loop, on_overdue, i);
    loop_timer_start(i->timer, domain->verify_timeout_ms);
    map_set(&v->inquiries, address, i);
    i->op = network_recipient_find(v->options.network, str_from(domain->name), address, on_found, i);
    return i;
}

/* ---- who asks ---- */

enum verdict verify_recipient(struct verify *v, const struct config_domain *domain, struct str forward_path,
                              struct verify_waiter *w)
{
    w->domain = domain;
    w->address = forward_path;
    if (domain->recipients == RECIPIENTS_DIRECTORY)
        return known_users_ask(v->options.known_users, w);
    char *lower = str_dup(forward_path);
    struct str address = {lower, forward_path.len};
    ascii_lower_inplace(lower, address.len);
    struct verdict_memory memory = remembered_find(&v->remembered, address);
    enum verdict verdict = verdict_of(domain, VERDICT_ASKED, &memory, loop_wall(v->loop));
    struct verify_inquiry *i = verdict == VERDICT_ASK ? map_find(&v->inquiries, address) : NULL;
    if (i && i->overdue) {
        verdict = judge_silence(i);
    } else if (verdict == VERDICT_ASK) {
        i = i ? i : inquiry_begin(v, domain, address);
        list_append(&i->waiters, &w->node);
        w->waits = true;
    }
    free(lower);
    return verdict;
}

void verify_forget(struct verify_waiter *w)
{
    if (w->waits)
        list_remove(&w->node);
    w->waits = false;
}

const struct config_server *verify_server_of(void *arg, const struct config_domain *domain)
{
    const struct verify *v = arg;
    return target_server(v->options.target_of(v->options.arg, domain));
}

/* ---- life ---- */

struct verify *verify_new(struct loop *l, const struct verify_options *options)
{
    struct verify *v = mem_zalloc(sizeof(*v));
    v->loop = l;
    v->options = *options;
    v->askers = mem_calloc(options->config->server_count, sizeof(struct asker *));
    v->snapshots = mem_calloc(options->config->domain_count, sizeof(struct snapshot *));
    v->log_limit = log_limit_new(l);
    remembered_init(&v->remembered);
    map_init(&v->inquiries);
    return v;
}

void verify_free(struct verify *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->options.config->server_count; i++)
        asker_free(v->askers[i]);
    for (size_t i = 0; i < v->options.config->domain_count; i++)
        snapshot_free(v->snapshots[i]);
    for (struct map_entry *e = v->inquiries.first; e; e = e->next)
        inquiry_free(e->value);
    map_fini(&v->inquiries);
    remembered_fini(&v->remembered);
    log_limit_free(v->log_limit);
    free(v->askers);
    free(v->snapshots);
    free(v);
}

void verify_flush(struct verify *v)
{
    for (size_t i = 0; i < v->options.config->domain_count; i++)
        if (v->snapshots[i])
            snapshot_flush(v->snapshots[i]);
}

bool verify_busy(const struct verify *v)
{
    for (size_t i = 0; i < v->options.config->domain_count; i++)
        if (v->snapshots[i] && snapshot_busy(v->snapshots[i]))
            return true;
    return false;
}
