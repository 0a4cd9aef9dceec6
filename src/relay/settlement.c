#include "relay/settlement.h"

#include "base/err.h"
#include "base/mem.h"

#define RETRY_MS 500 /* the store reopens within such times */

struct settlement {
    struct list node;
    struct settlements *all;
    struct transaction *transaction;
    struct queue_result *results; /* their texts are owned, too */
    size_t count;
    struct store_op *op;
    struct loop_timer *timer; /* NULL before the first failure */
};

void settlements_init(struct settlements *s, struct loop *l,
                      void (*on_settled)(void *arg, const struct transaction *t,
                                         const struct queue_result *result),
                      void *arg)
{
    *s = (struct settlements){.loop = l, .on_settled = on_settled, .arg = arg};
    list_init(&s->items);
}

static struct queue_result *copy_results(const struct queue_result *results, size_t count)
{
    struct queue_result *copies = mem_calloc(count, sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = results[i];
        copies[i].reply = (struct str){str_dup(results[i].reply), results[i].reply.len};
        copies[i].host = (struct str){str_dup(results[i].host), results[i].host.len};
        copies[i].server = (struct str){str_dup(results[i].server), results[i].server.len};
        copies[i].instance = (struct str){str_dup(results[i].instance), results[i].instance.len};
    }
    return copies;
}

static void free_text(struct str s)
{
    free((void *)(uintptr_t)s.ptr);
}

static struct wall_time earliest_retry(const struct settlement *s)
{
    struct wall_time at = {0};
    for (size_t i = 0; i < s->count; i++)
        if (s->results[i].next_at.ms != 0 && (at.ms == 0 || s->results[i].next_at.ms < at.ms))
            at = s->results[i].next_at;
    return at;
}

static void settlement_free(struct settlement *s, struct wall_time retry_at)
{
    if (s->op)
        store_op_forget(s->op);
    loop_timer_free(s->timer);
    list_remove(&s->node);
    s->all->count--;
    source_done(s->transaction, retry_at);
    for (size_t i = 0; i < s->count; i++) {
        free_text(s->results[i].reply);
        free_text(s->results[i].host);
        free_text(s->results[i].server);
        free_text(s->results[i].instance);
    }
    free(s->results);
    free(s);
}

static void report(const struct settlement *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->all->on_settled(s->all->arg, s->transaction, &s->results[i]);
}

static void record(void *arg);

static void on_settle(void *arg, int err)
{
    struct settlement *s = arg;
    s->op = NULL;
    if (err == 0)
        report(s);
    if (err == 0 ||
        err == ERR_FENCED) { /* fenced: another owner tries again, and the server knows the custody id */
        settlement_free(s, earliest_retry(s));
        return;
    }
    if (!s->timer)
        s->timer = loop_timer_new(s->all->loop, record, s);
    loop_timer_start(s->timer, RETRY_MS);
}

static void record(void *arg)
{
    struct settlement *s = arg;
    s->op = queue_settle(source_queue(s->transaction->source), s->results, s->count, on_settle, s);
}

void settlements_add(struct settlements *all, struct transaction *t, const struct queue_result *results,
                     size_t count)
{
    struct settlement *s = mem_zalloc(sizeof(*s));
    s->all = all;
    s->transaction = t;
    s->results = copy_results(results, count);
    s->count = count;
    list_append(&all->items, &s->node);
    all->count++;
    record(s);
}

void settlements_drop(struct settlements *all, const struct queue *q)
{
    LIST_FOREACH (it, &all->items) {
        struct settlement *s = LIST_ENTRY(it, struct settlement, node);
        if (!q || source_queue(s->transaction->source) == q)
            settlement_free(s, (struct wall_time){0});
    }
}
