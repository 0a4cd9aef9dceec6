#include "web/counts.h"

#include <stdlib.h>

#include "base/mem.h"

struct counter {
    struct store *store;
    const struct config *config;
    struct queue **handles; /* kept from reading to reading; NULL: not open */
    struct counts counts;
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
    *q = (struct counts_queue){.name = q->name, .removed = q->removed};
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
    int err = store_queue_read(c->store, str_from(c->counts.queues[c->at].name), &c->handles[c->at], &eb);
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

static void add_queue(struct counter *c, struct str name, bool removed)
{
    size_t count = c->counts.queue_count++;
    c->handles = mem_reallocarray(c->handles, count + 1, sizeof(struct queue *));
    c->handles[count] = NULL;
    c->counts.queues = mem_reallocarray(c->counts.queues, count + 1, sizeof(*c->counts.queues));
    c->counts.queues[count] = (struct counts_queue){.name = str_dup(name), .removed = removed};
}

static bool is_known(const struct counter *c, struct str name)
{
    for (size_t i = 0; i < c->counts.queue_count; i++)
        if (str_eq(str_from(c->counts.queues[i].name), name))
            return true;
    return false;
}

/* Of those whose records could not be read, what is known is counted. */
static void on_records(void *arg, int err, const struct network_record *records, size_t count)
{
    struct counter *c = arg;
    c->op = NULL;
    for (size_t i = 0; !err && i < count; i++)
        if (!is_known(c, records[i].key))
            add_queue(c, records[i].key, true);
    step(c);
}

struct counter *counter_new(struct store *s, const struct config *config)
{
    struct counter *c = mem_zalloc(sizeof(*c));
    c->store = s;
    c->config = config;
    for (size_t i = 0; i < config->relay_count; i++)
        add_queue(c, str_from(config->relays[i].name), false);
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
    c->op = network_read(store_network(c->store), STR("queue"), (struct str){NULL, 0}, on_records, c);
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
        free(c->counts.queues[i].name);
    }
    free(c->handles);
    free(c->counts.queues);
    free(c);
}
