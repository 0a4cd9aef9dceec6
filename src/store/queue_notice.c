/* The front of the queue's notices. */
#include "store/front.h"
#include "store/queue_op.h"

static void finish_notices(struct store_op *op)
{
    struct op_queue_notices *o = (struct op_queue_notices *)op;
    ((void (*)(void *, int, const struct queue_notice *, size_t))op->callback)(op->arg, op->err,
                                                                               o->ret_notices, o->ret_count);
}

static const struct op_type notices_type = {OP_queue_notices, 0, sizeof(struct op_queue_notices),
                                            finish_notices, NULL};

struct store_op *queue_notices(struct queue *q, size_t limit,
                               void (*on_notices)(void *arg, int err, const struct queue_notice *notices,
                                                  size_t count),
                               void *arg)
{
    struct op_queue_notices *o = op_new(queue_port(q), &notices_type, (op_callback)on_notices, arg);
    o->limit = limit < QUEUE_ROWS_MAX ? limit : QUEUE_ROWS_MAX;
    return op_submit(&o->op);
}

static const struct op_type drop_type = {OP_queue_notices_drop, OP_WRITE | OP_GUARDED,
                                         sizeof(struct op_queue_notices_drop), front_finish_plain, NULL};

struct store_op *queue_notices_drop(struct queue *q, int64_t up_to_id, void (*on_drop)(void *arg, int err),
                                    void *arg)
{
    struct op_queue_notices_drop *o = op_new(queue_port(q), &drop_type, (op_callback)on_drop, arg);
    o->up_to_id = up_to_id;
    return op_submit(&o->op);
}
