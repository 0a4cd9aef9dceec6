/* Looking at a queue, and operating on what was found. */
#include "base/mem.h"
#include "store/memory/device.h"
#include "store/queue_op.h"

void memory_show_row(struct store_op *op, struct queue_delivery *row, const struct memory_delivery *d)
{
    *row = d->row;
    row->reverse_path = op_str(op, d->row.reverse_path);
    row->recipient = op_str(op, d->row.recipient);
    row->domain = op_str(op, d->row.domain);
    row->home = op_str(op, d->row.home);
    row->header_id = op_str(op, d->row.header_id);
    row->last_reply = op_str(op, d->row.last_reply);
    row->last_host = queue_state_is_live(d->row.state) ? op_str(op, d->row.last_host) : STR_EMPTY;
    row->envelope.envid = op_str(op, d->row.envelope.envid);
    row->request.orcpt = op_str(op, d->row.request.orcpt);
}

static void show_row(struct store_op *op, struct queue_rows_out *rows, const struct memory_delivery *d)
{
    rows->items = op_array_grow(op, rows->items, rows->count, sizeof(*rows->items));
    memory_show_row(op, &rows->items[rows->count++], d);
}

/* ---- due ---- */

static bool waits_there(const struct memory_delivery *d, const struct queue_due_filter *f)
{
    if (d->row.state != QUEUE_WAITING)
        return false;
    return f->home.len > 0 ? str_eq(d->row.home, f->home)
                           : d->row.home.len == 0 && str_eq(d->row.domain, f->domain);
}

static bool goes_there(const struct memory_delivery *d, const struct queue_due_filter *f)
{
    return (d->row.losses > 0) == f->lossy && waits_there(d, f);
}

int memory_queue_oldest(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_due *o = (struct op_queue_due *)op;
    LIST_FOREACH (it, &tx->queue->live) {
        const struct memory_delivery *d = LIST_ENTRY(it, struct memory_delivery, live);
        if (waits_there(d, &o->filter))
            show_row(op, &o->ret_rows, d);
    }
    queue_rows_by_age(&o->ret_rows, o->filter.limit);
    return 0;
}

int memory_queue_due(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_due *o = (struct op_queue_due *)op;
    LIST_FOREACH (it, &tx->queue->live) {
        const struct memory_delivery *d = LIST_ENTRY(it, struct memory_delivery, live);
        if (d->row.id <= o->filter.after_id || d->row.next_at.ms > o->filter.now.ms ||
            !goes_there(d, &o->filter))
            continue;
        if (o->ret_rows.count == o->filter.limit) {
            o->ret_rows.more = true;
            break;
        }
        show_row(op, &o->ret_rows, d);
    }
    return 0;
}

int memory_queue_next_at(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_next_at *o = (struct op_queue_next_at *)op;
    int64_t next = INT64_MAX;
    LIST_FOREACH (it, &tx->queue->live) {
        const struct memory_delivery *d = LIST_ENTRY(it, struct memory_delivery, live);
        if (d->row.next_at.ms > o->filter.now.ms && d->row.next_at.ms < next && goes_there(d, &o->filter))
            next = d->row.next_at.ms;
    }
    o->ret_next_at.ms = next;
    return next == INT64_MAX ? ERR_NOT_FOUND : 0;
}

/* ---- list ---- */

static bool place_fits(const struct memory_delivery *d, const struct queue_filter *f)
{
    if (f->domain_count == 0 && !f->home.ptr)
        return true;
    if (f->home.ptr && f->home.len > 0 && str_eq(d->row.home, f->home))
        return true;
    for (size_t i = 0; d->row.home.len == 0 && i < f->domain_count; i++)
        if (str_eq(d->row.domain, f->domains[i]))
            return true;
    return false;
}

static bool fits(const struct memory_delivery *d, const struct queue_filter *f)
{
    return ((f->states >> d->row.state) & 1) && d->row.id > f->after_id &&
           (f->delivery_id == 0 || d->row.id == f->delivery_id) &&
           (!f->sender.ptr || str_ieq(d->row.reverse_path, f->sender)) &&
           (!f->recipient.ptr || str_ieq(d->row.recipient, f->recipient)) &&
           (!f->header_id.ptr || str_eq(d->row.header_id, f->header_id)) &&
           (!f->domain.ptr || str_eq(d->row.domain, f->domain)) &&
           (!f->reply.ptr || str_ihas(d->row.last_reply, f->reply)) &&
           d->row.received_at.ms >= f->received_from.ms &&
           (f->received_before.ms == 0 || d->row.received_at.ms < f->received_before.ms) &&
           (!f->custody_id || custody_id_eq(&d->row.custody_id, f->custody_id)) && place_fits(d, f);
}

int memory_queue_list(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_list *o = (struct op_queue_list *)op;
    const struct table *all = &tx->queue->deliveries;
    for (size_t i = (size_t)(o->filter.after_id > 0 ? o->filter.after_id : 0); i < all->count; i++) {
        if (!all->items[i] || !fits(all->items[i], &o->filter))
            continue;
        if (o->ret_rows.count == o->filter.limit) {
            o->ret_rows.more = true;
            break;
        }
        show_row(op, &o->ret_rows, all->items[i]);
    }
    return 0;
}

/* ---- act ---- */

static bool act_one(struct memory_queue *q, struct memory_delivery *d, const struct op_queue_act *o)
{
    int target = queue_action_target(o->order.action, d->row.state);
    if (target < 0)
        return false;
    if (o->order.action == QUEUE_ACT_MOVE) {
        if (str_eq(d->row.home, o->order.home))
            return false;
        str_replace(&d->row.home, o->order.home);
    }
    if (o->order.action == QUEUE_ACT_RETRY || o->order.action == QUEUE_ACT_RELEASE)
        d->row.next_at = (struct wall_time){0};
    if (o->order.action == QUEUE_ACT_RELEASE) {
        memory_debt_forget(q, d->row.id);
        d->row.losses = 0;
        d->row.waits_since = o->at;
    }
    if (target == QUEUE_REMOVED)
        str_replace(&d->row.last_reply, o->order.why);
    memory_delivery_set(q, d, (enum queue_state)target, false, o->at);
    return true;
}

struct memory_act *memory_act_find(const struct memory_queue *q, struct str key)
{
    for (size_t i = 0; key.len > 0 && i < q->acts.count; i++)
        if (str_eq(((const struct memory_act *)q->acts.items[i])->key, key))
            return q->acts.items[i];
    return NULL;
}

struct memory_act *memory_act_add(struct memory_queue *q, const struct queue_order *order,
                                  struct wall_time at)
{
    struct memory_act *act = mem_zalloc(sizeof(*act));
    *act = (struct memory_act){.key = str_keep(order->key),
                               .act = {.action = order->action,
                                       .home = str_keep(order->home),
                                       .who = str_keep(order->who),
                                       .why = str_keep(order->why),
                                       .at = at}};
    table_add(&q->acts, act);
    return act;
}

void memory_act_note(struct memory_act *act, int64_t delivery_id)
{
    act->ids = mem_grow(act->ids, act->changed, sizeof(*act->ids));
    act->ids[act->changed++] = delivery_id;
}

int memory_queue_act(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_act *o = (struct op_queue_act *)op;
    struct memory_act *act = memory_act_find(tx->queue, o->order.key);
    size_t seen = 0;
    if (act) {
        o->ret_changed = act->changed;
        return 0;
    }
    act = memory_act_add(tx->queue, &o->order, o->at);
    LIST_FOREACH (it, &tx->queue->live) {
        struct memory_delivery *d = LIST_ENTRY(it, struct memory_delivery, live);
        if (!fits(d, &o->filter))
            continue;
        if (o->filter.limit > 0 && seen++ == o->filter.limit)
            break;
        if (act_one(tx->queue, d, o))
            memory_act_note(act, d->row.id);
    }
    o->ret_changed = act->changed;
    return 0;
}

/* ---- summary ---- */

/* With a home of its own it is at one place, whatever its domain. */
static struct queue_count *count_of(struct op_queue_summary *o, const struct memory_delivery *d)
{
    struct str domain = d->row.home.len > 0 ? STR_EMPTY : d->row.domain;
    for (size_t i = 0; i < o->ret_count; i++)
        if (str_eq(o->ret_counts[i].domain, domain) && str_eq(o->ret_counts[i].home, d->row.home))
            return &o->ret_counts[i];
    o->ret_counts = op_array_grow(&o->op, o->ret_counts, o->ret_count, sizeof(*o->ret_counts));
    struct queue_count *count = &o->ret_counts[o->ret_count++];
    *count = (struct queue_count){.domain = op_str(&o->op, domain), .home = op_str(&o->op, d->row.home)};
    return count;
}

static int count_cmp(const void *a, const void *b)
{
    const struct queue_count *x = a, *y = b;
    int diff = str_cmp(x->domain, y->domain);
    return diff != 0 ? diff : str_cmp(x->home, y->home);
}

int memory_queue_summary(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_summary *o = (struct op_queue_summary *)op;
    LIST_FOREACH (it, &tx->queue->live) {
        const struct memory_delivery *d = LIST_ENTRY(it, struct memory_delivery, live);
        struct queue_count *count = count_of(o, d);
        count->waiting += d->row.state == QUEUE_WAITING;
        count->held += d->row.state == QUEUE_HELD;
        count->quarantined += d->row.state == QUEUE_QUARANTINED;
        if (d->row.state != QUEUE_QUARANTINED && count->oldest.ms == 0)
            count->oldest = d->row.received_at; /* they come by id */
    }
    if (o->ret_count > 1)
        qsort(o->ret_counts, o->ret_count, sizeof(*o->ret_counts), count_cmp);
    return 0;
}

/* ---- trace ---- */

static void show_attempt(struct op_queue_trace *o, const struct queue_attempt *attempt)
{
    struct store_op *op = &o->op;
    o->ret_attempts = op_array_grow(op, o->ret_attempts, o->ret_attempt_count, sizeof(*o->ret_attempts));
    struct queue_attempt *out = &o->ret_attempts[o->ret_attempt_count++];
    *out = *attempt;
    out->recipient = op_str(op, attempt->recipient);
    out->server = op_str(op, attempt->server);
    out->instance = op_str(op, attempt->instance);
    out->reply = op_str(op, attempt->reply);
}

static void show_acts(struct op_queue_trace *o, const struct memory_queue *q, int64_t delivery_id)
{
    struct store_op *op = &o->op;
    for (size_t i = 0; i < q->acts.count; i++) {
        const struct memory_act *act = q->acts.items[i];
        for (size_t k = 0; k < act->changed; k++) {
            if (act->ids[k] != delivery_id)
                continue;
            o->ret_acts = op_array_grow(op, o->ret_acts, o->ret_act_count, sizeof(*o->ret_acts));
            struct queue_acted *out = &o->ret_acts[o->ret_act_count++];
            *out = act->act;
            out->delivery_id = delivery_id;
            out->home = op_str(op, act->act.home);
            out->who = op_str(op, act->act.who);
            out->why = op_str(op, act->act.why);
        }
    }
}

int memory_queue_trace(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_trace *o = (struct op_queue_trace *)op;
    struct memory_queue *q = tx->queue;
    struct str key = {(const char *)o->custody_id.bytes, CUSTODY_ID_BYTES};
    const struct memory_message *message = map_find(&q->by_custody, key);
    if (!message)
        return ERR_NOT_FOUND;
    int64_t first = message->first_delivery, end = first + (int64_t)message->delivery_count;
    for (int64_t id = first; id < end; id++) {
        show_row(op, &o->ret_rows, table_get(&q->deliveries, id));
        for (size_t i = 0; i < q->attempts.count; i++) {
            const struct queue_attempt *a = q->attempts.items[i];
            if (a && a->delivery_id == id)
                show_attempt(o, a);
        }
        show_acts(o, q, id);
    }
    return 0;
}
