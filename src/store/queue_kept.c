/* The front of the safety net. */
#include "store/queue_kept.h"

#include "store/front.h"
#include "store/queue_op.h"

static void finish_count(struct store_op *op)
{
    struct op_queue_kept_count *o = (struct op_queue_kept_count *)op;
    ((void (*)(void *, int, const struct queue_kept *))op->callback)(op->arg, op->err, &o->ret_kept);
}

static const struct op_type count_type = {OP_queue_kept_count, 0, sizeof(struct op_queue_kept_count),
                                          finish_count, NULL};

struct store_op *queue_kept_count(struct queue *q, struct wall_time since,
                                  void (*on_count)(void *arg, int err, const struct queue_kept *kept),
                                  void *arg)
{
    struct op_queue_kept_count *o = op_new(queue_port(q), &count_type, (op_callback)on_count, arg);
    o->since = since;
    return op_submit(&o->op);
}

static void finish_prune(struct store_op *op)
{
    struct op_queue_kept_prune *o = (struct op_queue_kept_prune *)op;
    ((void (*)(void *, int, size_t, const struct queue_kept *))op->callback)(op->arg, op->err, o->ret_removed,
                                                                             &o->ret_left);
}

static const struct op_type prune_type = {OP_queue_kept_prune, OP_WRITE | OP_GUARDED,
                                          sizeof(struct op_queue_kept_prune), finish_prune, NULL};

struct store_op *queue_kept_prune(struct queue *q, struct wall_time before, uint64_t bytes_max,
                                  void (*on_prune)(void *arg, int err, size_t removed,
                                                   const struct queue_kept *left),
                                  void *arg)
{
    struct op_queue_kept_prune *o = op_new(queue_port(q), &prune_type, (op_callback)on_prune, arg);
    o->before = before;
    o->bytes_max = bytes_max;
    return op_submit(&o->op);
}

static void finish_replay(struct store_op *op)
{
    struct op_queue_replay *o = (struct op_queue_replay *)op;
    ((void (*)(void *, int, const struct queue_replayed *))op->callback)(op->arg, op->err, &o->ret_done);
}

static const struct op_type replay_type = {OP_queue_replay, OP_WRITE | OP_GUARDED,
                                           sizeof(struct op_queue_replay), finish_replay, NULL};

struct store_op *queue_replay(struct queue *q, const struct queue_replay *replay,
                              void (*on_replay)(void *arg, int err, const struct queue_replayed *done),
                              void *arg)
{
    struct op_queue_replay *o = op_new(queue_port(q), &replay_type, (op_callback)on_replay, arg);
    o->replay = *replay;
    CHECK(replay->key.len > 0);
    o->replay.server = op_str(&o->op, replay->server);
    o->replay.who = op_str(&o->op, replay->who);
    o->replay.why = op_str(&o->op, replay->why);
    o->replay.key = op_str(&o->op, replay->key);
    if (o->replay.limit > QUEUE_REPLAY_MAX)
        o->replay.limit = QUEUE_REPLAY_MAX;
    o->at = loop_wall(queue_port(q)->loop);
    return op_submit(&o->op);
}
