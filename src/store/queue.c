#include "store/queue.h"

#include "base/mem.h"
#include "store/front.h"
#include "store/queue_op.h"

struct queue {
    struct list node; /* in the store's */
    struct port *port;
    char *name;
    int64_t epoch;
    bool keep;
};

/* ---- words ---- */

static const char *const state_names[] = {
    [QUEUE_WAITING] = "waiting",     [QUEUE_HELD] = "held",       [QUEUE_QUARANTINED] = "quarantined",
    [QUEUE_DELIVERED] = "delivered", [QUEUE_BOUNCED] = "bounced", [QUEUE_REMOVED] = "removed",
};

static const struct {
    const char *name;
    enum queue_state state;
} outcomes[] = {
    [QUEUE_OUTCOME_DELIVERED] = {"delivered", QUEUE_DELIVERED},
    [QUEUE_OUTCOME_DEFERRED] = {"deferred", QUEUE_WAITING},
    [QUEUE_OUTCOME_LOST] = {"lost", QUEUE_WAITING},
    [QUEUE_OUTCOME_QUARANTINED] = {"quarantined", QUEUE_QUARANTINED},
    [QUEUE_OUTCOME_BOUNCED] = {"bounced", QUEUE_QUARANTINED},
    [QUEUE_OUTCOME_REMOVED] = {"removed", QUEUE_REMOVED},
};

static const char *const action_names[] = {
    [QUEUE_ACT_HOLD] = "hold",     [QUEUE_ACT_RELEASE] = "release", [QUEUE_ACT_RETRY] = "retry",
    [QUEUE_ACT_MOVE] = "move",     [QUEUE_ACT_REMOVE] = "remove",   [QUEUE_ACT_QUARANTINE] = "quarantine",
    [QUEUE_ACT_REPLAY] = "replay",
};

const char *queue_action_name(enum queue_action action)
{
    return action_names[action];
}

const char *queue_state_name(enum queue_state state)
{
    return state_names[state];
}

const char *queue_outcome_name(enum queue_outcome outcome)
{
    return outcomes[outcome].name;
}

enum queue_state queue_outcome_state(enum queue_outcome outcome)
{
    return outcomes[outcome].state;
}

enum queue_owes queue_result_owes(const struct queue_result *result, enum queue_state from)
{
    if (result->outcome == QUEUE_OUTCOME_DELIVERED)
        return result->owes;
    /* What an operator has stopped is his. */
    return result->outcome == QUEUE_OUTCOME_BOUNCED && from == QUEUE_WAITING ? QUEUE_OWES_FAILED
                                                                             : QUEUE_OWES_NOTHING;
}

struct wall_time queue_last_delivery(const struct queue_result *results, size_t count)
{
    struct wall_time last = {0};
    for (size_t i = 0; i < count; i++)
        if (results[i].outcome == QUEUE_OUTCOME_DELIVERED && results[i].at.ms > last.ms)
            last = results[i].at;
    return last;
}

int queue_action_target(enum queue_action action, enum queue_state from)
{
    bool stopped = from == QUEUE_HELD || from == QUEUE_QUARANTINED;
    switch (action) {
    case QUEUE_ACT_HOLD:
        return from == QUEUE_WAITING ? QUEUE_HELD : -1;
    case QUEUE_ACT_RELEASE:
        return stopped ? QUEUE_WAITING : -1;
    case QUEUE_ACT_RETRY: /* at once */
        return from == QUEUE_WAITING ? QUEUE_WAITING : -1;
    case QUEUE_ACT_MOVE:
        return from;
    case QUEUE_ACT_REMOVE:
        return QUEUE_REMOVED;
    case QUEUE_ACT_QUARANTINE:
        return from == QUEUE_QUARANTINED ? -1 : QUEUE_QUARANTINED;
    case QUEUE_ACT_REPLAY: /* is of what has ended */
        return -1;
    }
    return -1;
}

/* ---- order ---- */

static int age_cmp(const void *a, const void *b)
{
    const struct queue_delivery *x = a, *y = b;
    if (x->waits_since.ms != y->waits_since.ms)
        return x->waits_since.ms < y->waits_since.ms ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

void queue_rows_by_age(struct queue_rows_out *rows, size_t limit)
{
    if (rows->count > 1)
        qsort(rows->items, rows->count, sizeof(*rows->items), age_cmp);
    rows->more = rows->count > limit;
    if (rows->more)
        rows->count = limit;
}

/* ---- life ---- */

struct queue *queue_new(struct port *p, struct str name, struct list *queues)
{
    struct queue *q = mem_zalloc(sizeof(*q));
    q->port = p;
    q->name = str_dup(name);
    p->front = q;
    list_append(queues, &q->node);
    return q;
}

struct queue *queue_from_node(struct list *node)
{
    return LIST_ENTRY(node, struct queue, node);
}

struct port *queue_port(struct queue *q)
{
    return q->port;
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    list_remove(&q->node);
    port_close(q->port);
    free(q->name);
    free(q);
}

static void finish_own(struct store_op *op)
{
    struct op_queue_own *o = (struct op_queue_own *)op;
    void (*cb)(void *, int, struct queue *, int64_t) =
        (void (*)(void *, int, struct queue *, int64_t))op->callback;
    struct queue *q = o->queue;
    if (o->into)
        *o->into = o->ret_detail;
    if (op->err != 0 || !cb) {
        queue_close(q);
        q = NULL;
    } else {
        q->epoch = o->ret_epoch;
    }
    if (cb)
        cb(op->arg, op->err, q, o->ret_epoch);
}

static const struct op_type own_type = {OP_queue_own, OP_WRITE | OP_ALWAYS, sizeof(struct op_queue_own),
                                        finish_own, NULL};

struct store_op *queue_own(struct queue *q, struct str owner, int64_t expect_epoch, struct err_buf *into,
                           void (*on_own)(void *arg, int err, struct queue *q, int64_t current_epoch),
                           void *arg)
{
    struct op_queue_own *o = op_new(q->port, &own_type, (op_callback)on_own, arg);
    o->queue = q;
    o->name = op_str(&o->op, str_from(q->name));
    o->owner = op_str(&o->op, owner);
    o->expect_epoch = expect_epoch;
    o->into = into;
    return op_submit(&o->op);
}

struct store_op *queue_own_refused(struct port *p, int err,
                                   void (*on_own)(void *arg, int err, struct queue *q, int64_t current_epoch),
                                   void *arg)
{
    return op_submit_failed(op_new(p, &own_type, (op_callback)on_own, arg), err);
}

const char *queue_name(const struct queue *q)
{
    return q->name;
}

int64_t queue_epoch(const struct queue *q)
{
    return q->epoch;
}

int queue_health(const struct queue *q)
{
    return q->port->ops->health(q->port);
}

void queue_copies(const struct queue *q, struct store_copies_told *ret_told)
{
    *ret_told = (struct store_copies_told){.state = STORE_COPIES_LOCAL};
    if (q->port->ops->copies)
        q->port->ops->copies(q->port, ret_told);
}

uint64_t queue_full_count(const struct queue *q)
{
    return q->port->full_count;
}

/* ---- accepting ---- */

void queue_keep(struct queue *q, bool on)
{
    q->keep = on;
}

struct body_writer *queue_body_begin(struct queue *q)
{
    return queue_health(q) == 0 ? body_writer_new(q->port) : NULL;
}

struct body_writer *queue_body_begin_held(struct queue *q)
{
    if (!queue_takes_held(q))
        return NULL;
    struct body_writer *body = body_writer_new(q->port);
    body_writer_hold(body, true);
    return body;
}

struct body_reader *queue_body_open(struct queue *q, int64_t message_id)
{
    return body_reader_new(q->port, message_id, 0);
}

static void finish_accept(struct store_op *op)
{
    struct op_queue_accept *o = (struct op_queue_accept *)op;
    ((void (*)(void *, int, int64_t))op->callback)(op->arg, op->err, o->ret_message_id);
}

static void release_accept(struct store_op *op)
{
    body_tail_release(&((struct op_queue_accept *)op)->body);
}

static struct str text(struct store_op *op, struct str s)
{
    return op_str(op, s.ptr ? s : STR_EMPTY);
}

void queue_copy_message(struct store_op *op, struct queue_message_in *to, const struct queue_message_in *from)
{
    *to = *from;
    to->reverse_path = text(op, from->reverse_path);
    to->helo = text(op, from->helo);
    to->client = text(op, from->client);
    to->dsn.envid = text(op, from->dsn.envid);
    to->header_id = str_sub(text(op, from->header_id), 0, QUEUE_HEADER_ID_MAX);
    to->stopped = text(op, from->stopped);
}

void queue_copy_recipient(struct store_op *op, struct queue_recipient_in *to,
                          const struct queue_recipient_in *from)
{
    *to = *from;
    to->address = text(op, from->address);
    to->domain = text(op, from->domain);
    to->home = text(op, from->home);
    to->dsn.orcpt = text(op, from->dsn.orcpt);
}

static const struct op_type accept_type = {OP_queue_accept, OP_WRITE | OP_GUARDED | OP_INTAKE,
                                           sizeof(struct op_queue_accept), finish_accept, release_accept};

struct store_op *queue_accept(struct queue *q, struct body_writer *body,
                              const struct queue_message_in *message,
                              const struct queue_recipient_in *recipients, size_t recipient_count,
                              void (*on_accept)(void *arg, int err, int64_t message_id), void *arg)
{
    struct op_queue_accept *o = op_new(q->port, &accept_type, (op_callback)on_accept, arg);
    int err = body_writer_consume(body, q->port, &o->body);
    if (err == 0 && recipient_count == 0)
        err = ERR_INVALID;
    if (err != 0)
        return op_submit_failed(&o->op, err);
    o->op.held = o->body.held;
    queue_copy_message(&o->op, &o->message, message);
    o->recipients = op_alloc(&o->op, recipient_count * sizeof(*recipients));
    o->recipient_count = recipient_count;
    for (size_t i = 0; i < recipient_count; i++)
        queue_copy_recipient(&o->op, &o->recipients[i], &recipients[i]);
    return op_submit(&o->op);
}

/* ---- delivering ---- */

static struct queue_rows rows_of(const struct queue_rows_out *out)
{
    return (struct queue_rows){out->items, out->count, out->more};
}

static void finish_due(struct store_op *op)
{
    struct queue_rows rows = rows_of(&((struct op_queue_due *)op)->ret_rows);
    ((void (*)(void *, int, const struct queue_rows *))op->callback)(op->arg, op->err, &rows);
}

static void copy_due_filter(struct store_op *op, struct queue_due_filter *to,
                            const struct queue_due_filter *from)
{
    *to = *from;
    to->domain = op_str(op, from->domain);
    to->home = op_str(op, from->home);
    if (to->limit > QUEUE_ROWS_MAX)
        to->limit = QUEUE_ROWS_MAX;
}

static const struct op_type due_type = {OP_queue_due, 0, sizeof(struct op_queue_due), finish_due, NULL};

struct store_op *queue_due(struct queue *q, const struct queue_due_filter *filter,
                           void (*on_due)(void *arg, int err, const struct queue_rows *rows), void *arg)
{
    struct op_queue_due *o = op_new(q->port, &due_type, (op_callback)on_due, arg);
    copy_due_filter(&o->op, &o->filter, filter);
    return op_submit(&o->op);
}

static const struct op_type oldest_type = {OP_queue_oldest, 0, sizeof(struct op_queue_due), finish_due, NULL};

struct store_op *queue_oldest(struct queue *q, const struct queue_due_filter *filter,
                              void (*on_oldest)(void *arg, int err, const struct queue_rows *rows), void *arg)
{
    struct op_queue_due *o = op_new(q->port, &oldest_type, (op_callback)on_oldest, arg);
    copy_due_filter(&o->op, &o->filter, filter);
    return op_submit(&o->op);
}

static void finish_next_at(struct store_op *op)
{
    struct op_queue_next_at *o = (struct op_queue_next_at *)op;
    ((void (*)(void *, int, struct wall_time))op->callback)(op->arg, op->err, o->ret_next_at);
}

static const struct op_type next_at_type = {OP_queue_next_at, 0, sizeof(struct op_queue_next_at),
                                            finish_next_at, NULL};

struct store_op *queue_next_at(struct queue *q, const struct queue_due_filter *filter,
                               void (*on_next)(void *arg, int err, struct wall_time next_at), void *arg)
{
    struct op_queue_next_at *o = op_new(q->port, &next_at_type, (op_callback)on_next, arg);
    copy_due_filter(&o->op, &o->filter, filter);
    return op_submit(&o->op);
}

static const struct op_type settle_type = {OP_queue_settle, OP_WRITE | OP_GUARDED,
                                           sizeof(struct op_queue_settle), front_finish_plain, NULL};

struct store_op *queue_settle(struct queue *q, const struct queue_result *results, size_t count,
                              void (*on_settle)(void *arg, int err), void *arg)
{
    struct op_queue_settle *o = op_new(q->port, &settle_type, (op_callback)on_settle, arg);
    o->results = op_alloc(&o->op, count * sizeof(*results));
    o->count = count;
    o->keep = q->keep;
    for (size_t i = 0; i < count; i++) {
        o->results[i] = results[i];
        o->results[i].reply = op_str(&o->op, results[i].reply);
        o->results[i].server = op_str(&o->op, results[i].server);
        o->results[i].host = text(&o->op, results[i].host);
        o->results[i].instance = op_str(&o->op, results[i].instance);
    }
    return op_submit(&o->op);
}

/* ---- looking and operating ---- */

static void copy_filter(struct store_op *op, struct queue_filter *to, const struct queue_filter *from)
{
    *to = *from;
    to->sender = op_str(op, from->sender);
    to->recipient = op_str(op, from->recipient);
    to->header_id = op_str(op, from->header_id);
    to->domain = op_str(op, from->domain);
    to->reply = op_str(op, from->reply);
    to->home = op_str(op, from->home);
    struct str *domains = op_alloc(op, from->domain_count * sizeof(*domains));
    for (size_t i = 0; i < from->domain_count; i++)
        domains[i] = op_str(op, from->domains[i]);
    to->domains = domains;
    if (from->custody_id) {
        struct custody_id *id = op_alloc(op, sizeof(*id));
        *id = *from->custody_id;
        to->custody_id = id;
    }
    if (to->states == 0)
        to->states = QUEUE_LIVE_STATES;
}

static void finish_list(struct store_op *op)
{
    struct queue_rows rows = rows_of(&((struct op_queue_list *)op)->ret_rows);
    ((void (*)(void *, int, const struct queue_rows *))op->callback)(op->arg, op->err, &rows);
}

static const struct op_type list_type = {OP_queue_list, 0, sizeof(struct op_queue_list), finish_list, NULL};

struct store_op *queue_list(struct queue *q, const struct queue_filter *filter,
                            void (*on_list)(void *arg, int err, const struct queue_rows *rows), void *arg)
{
    struct op_queue_list *o = op_new(q->port, &list_type, (op_callback)on_list, arg);
    copy_filter(&o->op, &o->filter, filter);
    if (o->filter.limit > QUEUE_ROWS_MAX)
        o->filter.limit = QUEUE_ROWS_MAX;
    return op_submit(&o->op);
}

static uint32_t states_that_change(enum queue_action action)
{
    uint32_t states = 0;
    for (int state = QUEUE_WAITING; state <= QUEUE_QUARANTINED; state++)
        if (queue_action_target(action, (enum queue_state)state) >= 0)
            states |= 1U << state;
    return states;
}

static void finish_act(struct store_op *op)
{
    struct op_queue_act *o = (struct op_queue_act *)op;
    ((void (*)(void *, int, uint64_t))op->callback)(op->arg, op->err, o->ret_changed);
}

static const struct op_type act_type = {OP_queue_act, OP_WRITE | OP_GUARDED, sizeof(struct op_queue_act),
                                        finish_act, NULL};

struct store_op *queue_act(struct queue *q, const struct queue_filter *filter,
                           const struct queue_order *order,
                           void (*on_act)(void *arg, int err, uint64_t changed), void *arg)
{
    struct op_queue_act *o = op_new(q->port, &act_type, (op_callback)on_act, arg);
    copy_filter(&o->op, &o->filter, filter);
    o->filter.states &= states_that_change(order->action);
    o->order.action = order->action;
    o->order.home = op_str(&o->op, order->home.ptr ? order->home : STR_EMPTY);
    o->order.who = op_str(&o->op, order->who);
    o->order.why = op_str(&o->op, order->why);
    o->order.key = op_str(&o->op, order->key.ptr ? order->key : STR_EMPTY);
    o->at = loop_wall(q->port->loop);
    return op_submit(&o->op);
}

static void finish_summary(struct store_op *op)
{
    struct op_queue_summary *o = (struct op_queue_summary *)op;
    ((void (*)(void *, int, const struct queue_count *, size_t))op->callback)(op->arg, op->err, o->ret_counts,
                                                                              o->ret_count);
}

static const struct op_type summary_type = {OP_queue_summary, 0, sizeof(struct op_queue_summary),
                                            finish_summary, NULL};

struct store_op *queue_summary(struct queue *q,
                               void (*on_summary)(void *arg, int err, const struct queue_count *counts,
                                                  size_t count),
                               void *arg)
{
    return op_submit(op_new(q->port, &summary_type, (op_callback)on_summary, arg));
}

static void finish_trace(struct store_op *op)
{
    struct op_queue_trace *o = (struct op_queue_trace *)op;
    struct queue_life life = {.rows = rows_of(&o->ret_rows),
                              .attempts = o->ret_attempts,
                              .attempt_count = o->ret_attempt_count,
                              .acts = o->ret_acts,
                              .act_count = o->ret_act_count};
    ((void (*)(void *, int, const struct queue_life *))op->callback)(op->arg, op->err, &life);
}

static const struct op_type trace_type = {OP_queue_trace, 0, sizeof(struct op_queue_trace), finish_trace,
                                          NULL};

struct store_op *queue_trace(struct queue *q, const struct custody_id *id,
                             void (*on_trace)(void *arg, int err, const struct queue_life *life), void *arg)
{
    struct op_queue_trace *o = op_new(q->port, &trace_type, (op_callback)on_trace, arg);
    o->custody_id = *id;
    return op_submit(&o->op);
}
