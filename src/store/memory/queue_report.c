/* What senders are owed, in the memory engine. */
#include "store/queue_report.h"

#include "base/mem.h"
#include "store/memory/device.h"
#include "store/queue_op.h"

/* ---- debts ---- */

static void debt_free(struct memory_debt *debt)
{
    list_remove(&debt->node);
    str_drop(&debt->server);
    str_drop(&debt->reply);
    str_drop(&debt->host);
    free(debt);
}

void memory_debts_free(struct memory_queue *q)
{
    LIST_FOREACH (it, &q->debts)
        debt_free(LIST_ENTRY(it, struct memory_debt, node));
}

static bool is_before(const struct memory_debt *a, const struct memory_debt *b)
{
    if (a->message_id != b->message_id)
        return a->message_id < b->message_id;
    return a->kind != b->kind ? a->kind < b->kind : a->delivery_id < b->delivery_id;
}

void memory_debt_add(struct memory_queue *q, const struct memory_delivery *d, enum queue_owes kind,
                     const struct queue_result *result)
{
    struct memory_debt *debt = mem_zalloc(sizeof(*debt));
    struct list *pos = &q->debts;
    *debt = (struct memory_debt){.message_id = d->row.message_id,
                                 .delivery_id = d->row.id,
                                 .kind = kind,
                                 .server = str_keep(result->server),
                                 .reply = str_keep(result->reply),
                                 .host = str_keep(result->host),
                                 .at = result->at};
    LIST_FOREACH (it, &q->debts) {
        if (is_before(debt, LIST_ENTRY(it, struct memory_debt, node))) {
            pos = it;
            break;
        }
    }
    list_insert_before(pos, &debt->node);
}

static struct memory_debt *find(const struct memory_queue *q, enum queue_owes kind, int64_t delivery_id)
{
    LIST_FOREACH (it, &q->debts) {
        struct memory_debt *debt = LIST_ENTRY(it, struct memory_debt, node);
        if (debt->kind == kind && debt->delivery_id == delivery_id)
            return debt;
    }
    return NULL;
}

static void forget(struct memory_queue *q, enum queue_owes kind, int64_t delivery_id)
{
    struct memory_debt *debt = find(q, kind, delivery_id);
    if (debt)
        debt_free(debt);
}

void memory_debt_forget(struct memory_queue *q, int64_t delivery_id)
{
    forget(q, QUEUE_OWES_FAILED, delivery_id);
}

void memory_debt_end(struct memory_queue *q, int64_t delivery_id)
{
    forget(q, QUEUE_OWES_FAILED, delivery_id);
    forget(q, QUEUE_OWES_DELAYED, delivery_id);
}

bool memory_owes_for(const struct memory_queue *q, int64_t message_id)
{
    LIST_FOREACH (it, &q->debts)
        if (LIST_ENTRY(it, struct memory_debt, node)->message_id == message_id)
            return true;
    return false;
}

/* ---- operations ---- */

static void show(struct op_queue_owed *o, const struct memory_queue *q, const struct memory_debt *debt)
{
    struct store_op *op = &o->op;
    o->ret_owed = op_array_grow(op, o->ret_owed, o->ret_count, sizeof(*o->ret_owed));
    struct queue_owed *owed = &o->ret_owed[o->ret_count++];
    memory_show_row(op, &owed->delivery, table_get(&q->deliveries, debt->delivery_id));
    owed->kind = debt->kind;
    owed->server = op_str(op, debt->server);
    owed->reply = op_str(op, debt->reply);
    owed->host = op_str(op, debt->host);
    owed->at = debt->at;
}

static bool is_after(const struct memory_debt *debt, const struct op_queue_owed *o)
{
    return debt->message_id != o->after_message_id ? debt->message_id > o->after_message_id
                                                   : debt->kind > o->after_kind;
}

int memory_queue_owed(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_owed *o = (struct op_queue_owed *)op;
    const struct memory_debt *first = NULL;
    LIST_FOREACH (it, &tx->queue->debts) {
        const struct memory_debt *debt = LIST_ENTRY(it, struct memory_debt, node);
        if (!is_after(debt, o))
            continue;
        first = first ? first : debt;
        if (debt->message_id != first->message_id || debt->kind != first->kind ||
            o->ret_count == QUEUE_OWED_MAX)
            break;
        show(o, tx->queue, debt);
    }
    return 0;
}

static void pay(struct memory_queue *q, const struct op_queue_report *o, int64_t delivery_id)
{
    struct memory_delivery *d = table_get(&q->deliveries, delivery_id);
    forget(q, o->kind, delivery_id);
    if (o->kind == QUEUE_OWES_FAILED && queue_state_is_live(d->row.state))
        memory_delivery_set(q, d, QUEUE_BOUNCED, false, o->at);
    else
        memory_message_end(q, table_get(&q->messages, d->row.message_id), false, o->at);
}

int memory_queue_report(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_report *o = (struct op_queue_report *)op;
    int64_t message_id;
    for (size_t i = 0; i < o->count; i++)
        if (!find(tx->queue, o->kind, o->ids[i]))
            return ERR_CONFLICT;
    if (memory_queue_knows(tx->queue, &o->message.custody_id))
        return ERR_EXISTS;
    int64_t body_id = memory_body_make(tx->bodies, o->body);
    memory_queue_add(tx->queue, &o->message, body_id, o->body.len, &o->recipient, 1, &message_id);
    for (size_t i = 0; i < o->count; i++)
        pay(tx->queue, o, o->ids[i]);
    return 0;
}

int memory_queue_owe_delay(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_owe_delay *o = (struct op_queue_owe_delay *)op;
    for (size_t i = 0; i < o->count; i++) {
        struct memory_delivery *d = table_get(&tx->queue->deliveries, o->ids[i]);
        if (!d || d->row.state != QUEUE_WAITING || d->row.delay_told)
            continue;
        struct queue_result why = {
            .reply = d->row.last_reply, .host = d->row.last_host, .server = STR_EMPTY, .at = o->at};
        d->row.delay_told = true;
        memory_debt_add(tx->queue, d, QUEUE_OWES_DELAYED, &why);
    }
    return 0;
}
