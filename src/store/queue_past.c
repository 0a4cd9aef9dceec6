/* The front of what is past. */
#include "store/queue_past.h"

#include "store/front.h"
#include "store/queue_op.h"

static void finish_forget(struct store_op *op)
{
    struct op_queue_forget *o = (struct op_queue_forget *)op;
    ((void (*)(void *, int, const struct queue_forgotten *))op->callback)(op->arg, op->err, &o->ret_done);
}

static const struct op_type forget_type = {OP_queue_forget, OP_WRITE | OP_GUARDED,
                                           sizeof(struct op_queue_forget), finish_forget, NULL};

struct store_op *queue_forget(struct queue *q, struct wall_time before, int64_t after_message_id,
                              void (*on_forget)(void *arg, int err, const struct queue_forgotten *done),
                              void *arg)
{
    struct op_queue_forget *o = op_new(queue_port(q), &forget_type, (op_callback)on_forget, arg);
    o->before = before;
    o->after_message_id = after_message_id;
    return op_submit(&o->op);
}
