#include "web/counts.h"

#include <stdlib.h>

#include "base/mem.h"

struct counter {
    struct store *store;
    const struct config *config;
    struct queue **handles; /* kept from reading to reading; NULL: not open */
    struct counts counts;
    struct loop_timer *timer;
    struct store_op *op;
    size_t at; /* queue being read */
    bool reading;
    void (*on_read)(void *arg);
    void *arg;
};

static void clear(struct counts_queue *q)
{
    for (size_t i = 0; i < q->count; i++) {
        free(q->places[i].domain);
        free(q->places[i].home);
    }
    free(q->places);
    free(q->problem);
    *q = (struct counts_queue){0};
}

static void take(struct counts_queue *q, const struct queue_count *counts, size_t count)
{
    clear(q);
    q->counted = true;
    q->problem = mem_strdup("");
    q->places = mem_calloc(count, sizeof(*q->places));
    q->count = count;
    for (size_t i = 0; i < count; i++)
        q->places[i] = (struct counts_place){.domain = str_dup(counts[i].domain),
                                             .home = str_dup(counts[i].home),
                                             .waiting = counts[i].waiting,
                                             .held = counts[i].held,
                                             .quarantined = counts[i].quarantined,
                                             .oldest = counts[i].oldest};
}

static void fail(struct counts_queue *q, const char *problem)
{
    q->counted = false;
    free(q->problem);
    q->problem = mem_strdup(problem);
}

static void step(struct counter *c);

static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct counter *c = arg;
    struct counts_queue *q = &c->counts.queues[c->at];
    c->op = NULL;
    if (err == 0)
        take(q, counts, count);
    else
        fail(q, err_name(err));
    c->at++;
    step(c);
}

/* Whether there is a handle to read by. */
static bool open_queue(struct counter *c)
{
    if (c->handles[c->at])
        return true;
    struct err_buf eb = {""};
    int err = store_queue_read(c->store, str_from(c->config->relays[c->at].name), &c->handles[c->at], &eb);
    if (err == ERR_NOT_FOUND)
        take(&c->counts.queues[c->at], NULL, 0);
    else if (err < 0)
        fail(&c->counts.queues[c->at], eb.text[0] ? eb.text : err_name(err));
    return err == 0;
}

static void step(struct counter *c)
{
    while (c->at < c->counts.queue_count && !open_queue(c))
        c->at++;
    if (c->at < c->counts.queue_count) {
        c->op = queue_summary(c->handles[c->at], on_summary, c);
        return;
    }
    c->reading = false;
    c->on_read(c->arg); /* last: the callee may free c */
}

static void on_start(void *arg)
{
    step(arg);
}

struct counter *counter_new(struct loop *l, struct store *s, const struct config *config)
{
    struct counter *c = mem_zalloc(sizeof(*c));
    c->store = s;
    c->config = config;
    c->handles = mem_calloc(config->relay_count, sizeof(struct queue *));
    c->counts.queues = mem_calloc(config->relay_count, sizeof(*c->counts.queues));
    c->counts.queue_count = config->relay_count;
    c->timer = loop_timer_new(l, on_start, c);
    return c;
}

void counter_read(struct counter *c, void (*on_read)(void *arg), void *arg)
{
    c->on_read = on_read;
    c->arg = arg;
    if (c->reading)
        return;
    c->reading = true;
    c->at = 0;
    loop_timer_start(c->timer, 0); /* where no queue was made yet, nothing else would be asynchronous */
}

const struct counts *counter_counts(const struct counter *c)
{
    return &c->counts;
}

void counter_free(struct counter *c)
{
    if (!c)
        return;
    if (c->op)
        store_op_forget(c->op);
    for (size_t i = 0; i < c->counts.queue_count; i++) {
        if (c->handles[i])
            queue_close(c->handles[i]);
        clear(&c->counts.queues[i]);
    }
    loop_timer_free(c->timer);
    free(c->handles);
    free(c->counts.queues);
    free(c);
}
