/* The safety net of the memory engine. */
#include "store/queue_kept.h"

#include "store/memory/device.h"
#include "store/queue_op.h"

static struct memory_delivery *delivery_of(const struct memory_queue *q, const struct memory_message *m,
                                           size_t i)
{
    return table_get(&q->deliveries, m->first_delivery + (int64_t)i);
}

static void free_if_unused(struct memory_queue *q, struct memory_message *m)
{
    if (m->live_count == 0 && !m->kept && !memory_owes_for(q, m->id))
        memory_body_unref(&q->bodies, m->body_id);
}

void memory_message_end(struct memory_queue *q, struct memory_message *m, bool keep, struct wall_time at)
{
    if (keep && (!m->kept || at.ms > m->ended_at.ms))
        m->ended_at = at;
    m->kept = m->kept || keep;
    free_if_unused(q, m);
}

void memory_let_go(struct memory_queue *q, struct wall_time up_to)
{
    if (up_to.ms > q->let_go.ms)
        q->let_go = up_to;
}

static struct queue_kept count_since(const struct memory_queue *q, struct wall_time since)
{
    struct queue_kept kept = {.let_go = q->let_go};
    for (size_t i = 0; i < q->messages.count; i++) {
        const struct memory_message *m = q->messages.items[i];
        if (!m)
            continue;
        if (m->kept && m->ended_at.ms > kept.newest.ms)
            kept.newest = m->ended_at;
        if (!m->kept || m->ended_at.ms < since.ms)
            continue;
        kept.messages++;
        kept.bytes += m->size_bytes;
    }
    return kept;
}

int memory_queue_kept_count(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_kept_count *o = (struct op_queue_kept_count *)op;
    o->ret_kept = count_since(tx->queue, o->since);
    return 0;
}

/* ---- pruning ---- */

static struct memory_message *oldest_of(const struct memory_queue *q)
{
    struct memory_message *oldest = NULL;
    for (size_t i = 0; i < q->messages.count; i++) {
        struct memory_message *m = q->messages.items[i];
        if (m && m->kept && (!oldest || m->ended_at.ms < oldest->ended_at.ms))
            oldest = m;
    }
    return oldest;
}

static struct queue_kept all_of(const struct memory_queue *q)
{
    return count_since(q, (struct wall_time){INT64_MIN});
}

int memory_queue_kept_prune(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_kept_prune *o = (struct op_queue_kept_prune *)op;
    struct queue_kept left = all_of(tx->queue);
    o->ret_removed = 0;
    while (left.messages > 0 && o->ret_removed < QUEUE_KEPT_PRUNE_MAX) {
        struct memory_message *m = oldest_of(tx->queue);
        if (m->ended_at.ms >= o->before.ms && left.bytes <= o->bytes_max)
            break;
        m->kept = false;
        memory_let_go(tx->queue, m->ended_at);
        free_if_unused(tx->queue, m);
        left.messages--;
        left.bytes -= m->size_bytes;
        o->ret_removed++;
    }
    o->ret_left = all_of(tx->queue);
    o->ret_left.free_bytes = tx->device->faults.free_bytes ? tx->device->faults.free_bytes : UINT64_MAX;
    return 0;
}

/* ---- sending again ---- */

static const struct queue_attempt *last_delivery(const struct memory_queue *q, int64_t delivery_id)
{
    for (size_t i = q->attempts.count; i > 0; i--) {
        const struct queue_attempt *a = q->attempts.items[i - 1];
        if (a && a->delivery_id == delivery_id && a->outcome == QUEUE_OUTCOME_DELIVERED)
            return a;
    }
    return NULL;
}

/* The live ones are in order of number. */
static void put_in_order(struct memory_queue *q, struct memory_delivery *d)
{
    struct list *pos = &q->live;
    LIST_FOREACH (it, &q->live) {
        if (LIST_ENTRY(it, struct memory_delivery, live)->row.id > d->row.id) {
            pos = it;
            break;
        }
    }
    list_insert_before(pos, &d->live);
}

static bool replay_one(struct memory_queue *q, struct memory_message *m, struct memory_delivery *d,
                       const struct op_queue_replay *o, struct memory_act *act)
{
    const struct queue_attempt *last = last_delivery(q, d->row.id);
    if (d->row.state != QUEUE_DELIVERED || !last || !str_eq(last->server, o->replay.server) ||
        last->at.ms < o->replay.since.ms || last->at.ms >= o->replay.until.ms)
        return false;
    d->row.state = QUEUE_WAITING;
    d->row.next_at = (struct wall_time){0};
    d->row.losses = 0;
    str_replace(&d->row.last_host, STR_EMPTY);
    d->row.request.notify = DSN_NOTIFY_NEVER;
    d->row.waits_since = o->at;
    memory_act_note(act, d->row.id);
    put_in_order(q, d);
    m->live_count++;
    return true;
}

static void replay_message(struct memory_queue *q, struct memory_message *m, struct op_queue_replay *o,
                           struct memory_act *act)
{
    for (size_t i = 0; i < m->delivery_count; i++)
        o->ret_done.deliveries += replay_one(q, m, delivery_of(q, m, i), o, act);
    act->messages++;
    o->ret_done.messages++;
}

static void slice(struct memory_queue *q, struct op_queue_replay *o, struct memory_act *act)
{
    for (; act->up_to < q->messages.count; act->up_to++) {
        struct memory_message *m = q->messages.items[act->up_to];
        if (!m || !m->kept || m->ended_at.ms < o->replay.since.ms)
            continue;
        if (o->ret_done.messages == o->replay.limit || o->ret_done.deliveries >= o->replay.limit)
            return;
        replay_message(q, m, o, act);
    }
    act->done = true;
}

int memory_queue_replay(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_replay *o = (struct op_queue_replay *)op;
    const struct queue_replay *r = &o->replay;
    const struct queue_order order = {QUEUE_ACT_REPLAY, r->server, r->who, r->why, r->key};
    struct memory_act *act = memory_act_find(tx->queue, r->key);
    o->ret_done = (struct queue_replayed){.let_go = tx->queue->let_go};
    if (!act)
        act = memory_act_add(tx->queue, &order, o->at);
    if (!act->done)
        slice(tx->queue, o, act);
    o->ret_done.all_messages = act->messages;
    o->ret_done.all_deliveries = act->changed;
    o->ret_done.more = !act->done;
    return 0;
}
