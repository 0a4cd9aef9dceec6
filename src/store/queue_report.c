/* The front of the reports to senders. */
#include "store/queue_report.h"

#include <string.h>

#include "store/front.h"
#include "store/queue_op.h"

static void finish_owed(struct store_op *op)
{
    struct op_queue_owed *o = (struct op_queue_owed *)op;
    ((void (*)(void *, int, const struct queue_owed *, size_t))op->callback)(op->arg, op->err, o->ret_owed,
                                                                             o->ret_count);
}

static const struct op_type owed_type = {OP_queue_owed, 0, sizeof(struct op_queue_owed), finish_owed, NULL};

struct store_op *queue_owed(struct queue *q, int64_t after_message_id, enum queue_owes after_kind,
                            void (*on_owed)(void *arg, int err, const struct queue_owed *owed, size_t count),
                            void *arg)
{
    struct op_queue_owed *o = op_new(queue_port(q), &owed_type, (op_callback)on_owed, arg);
    o->after_message_id = after_message_id;
    o->after_kind = after_kind;
    return op_submit(&o->op);
}

static int64_t *copy_ids(struct store_op *op, const int64_t *ids, size_t count)
{
    int64_t *copies = op_alloc(op, count * sizeof(*copies));
    memcpy(copies, ids, count * sizeof(*copies));
    return copies;
}

static const struct op_type report_type = {OP_queue_report, OP_WRITE | OP_GUARDED | OP_INTAKE,
                                           sizeof(struct op_queue_report), front_finish_plain, NULL};

struct store_op *queue_report(struct queue *q, const struct queue_report *report,
                              void (*on_report)(void *arg, int err), void *arg)
{
    struct op_queue_report *o = op_new(queue_port(q), &report_type, (op_callback)on_report, arg);
    o->op.held = true; /* what it tells of, and that it is owed, is here already */
    CHECK(report->count > 0 && report->count <= QUEUE_OWED_MAX);
    queue_copy_message(&o->op, &o->message, report->message);
    queue_copy_recipient(&o->op, &o->recipient, report->recipient);
    o->body = op_str(&o->op, report->body);
    o->kind = report->kind;
    o->ids = copy_ids(&o->op, report->delivery_ids, report->count);
    o->count = report->count;
    o->at = loop_wall(queue_port(q)->loop);
    return op_submit(&o->op);
}

static const struct op_type delay_type = {OP_queue_owe_delay, OP_WRITE | OP_GUARDED,
                                          sizeof(struct op_queue_owe_delay), front_finish_plain, NULL};

struct store_op *queue_owe_delay(struct queue *q, const int64_t *delivery_ids, size_t count,
                                 void (*on_owe)(void *arg, int err), void *arg)
{
    struct op_queue_owe_delay *o = op_new(queue_port(q), &delay_type, (op_callback)on_owe, arg);
    o->ids = copy_ids(&o->op, delivery_ids, count);
    o->count = count;
    o->at = loop_wall(queue_port(q)->loop);
    return op_submit(&o->op);
}
