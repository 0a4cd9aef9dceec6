/* Forgetting the records of messages that have ended long ago, in the memory engine. */
#include "store/queue_past.h"

#include "store/memory/device.h"
#include "store/queue_op.h"

static bool is_of(const struct memory_message *m, int64_t delivery_id)
{
    return delivery_id >= m->first_delivery && delivery_id < m->first_delivery + (int64_t)m->delivery_count;
}

static bool was_ordered_since(const struct memory_queue *q, const struct memory_message *m,
                              struct wall_time before)
{
    for (size_t i = 0; i < q->acts.count; i++) {
        const struct memory_act *act = q->acts.items[i];
        for (size_t k = 0; act->act.at.ms >= before.ms && k < act->changed; k++)
            if (is_of(m, act->ids[k]))
                return true;
    }
    return false;
}

static bool was_tried_since(const struct memory_queue *q, const struct memory_message *m,
                            struct wall_time before)
{
    for (size_t i = 0; i < q->attempts.count; i++) {
        const struct queue_attempt *a = q->attempts.items[i];
        if (a && a->at.ms >= before.ms && is_of(m, a->delivery_id))
            return true;
    }
    return false;
}

static bool is_past(const struct memory_queue *q, const struct memory_message *m, struct wall_time before)
{
    return m->in.received_at.ms < before.ms && m->live_count == 0 && !m->kept && !memory_owes_for(q, m->id) &&
           !was_tried_since(q, m, before) && !was_ordered_since(q, m, before);
}

static void forget(struct memory_queue *q, struct memory_message *m)
{
    for (size_t i = 0; i < q->attempts.count; i++) {
        struct queue_attempt *a = q->attempts.items[i];
        if (!a || !is_of(m, a->delivery_id))
            continue;
        memory_attempt_free(a);
        q->attempts.items[i] = NULL;
    }
    for (size_t i = 0; i < m->delivery_count; i++) {
        int64_t id = m->first_delivery + (int64_t)i;
        memory_delivery_free(table_get(&q->deliveries, id));
        q->deliveries.items[id - 1] = NULL;
    }
    q->messages.items[m->id - 1] = NULL;
    memory_message_free(q, m);
}

int memory_queue_forget(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_forget *o = (struct op_queue_forget *)op;
    struct memory_queue *q = tx->queue;
    size_t looked = 0, old = 0;
    o->ret_done = (struct queue_forgotten){.last_message_id = o->after_message_id};
    for (int64_t id = o->after_message_id + 1; id < (int64_t)q->messages.count && looked < QUEUE_FORGET_MAX;
         id++) {
        struct memory_message *m = table_get(&q->messages, id);
        if (!m)
            continue;
        looked++;
        old += m->in.received_at.ms < o->before.ms;
        o->ret_done.last_message_id = id;
        if (!is_past(q, m, o->before))
            continue;
        forget(q, m);
        o->ret_done.removed++;
    }
    o->ret_done.more = looked == QUEUE_FORGET_MAX && old > 0;
    return 0;
}
