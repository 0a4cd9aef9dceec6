/* What the engines' threads do with an operation. */
#include "store/sql/queue.h"

#define EXEC_ENTRY(name) [OP_##name] = sql_##name,
static int (*const executions[OP_KIND_COUNT])(struct sql_tx *tx,
                                              struct store_op *op) = {OP_KIND_LIST(EXEC_ENTRY)};

bool sql_epoch_is_current(struct sql_tx *tx)
{
    if (tx->stored_epoch < 0)
        tx->stored_epoch = tx->part == PART_QUEUE ? sql_queue_epoch(tx) : sql_mail_instance_epoch(tx);
    return tx->who.epoch > 0 && tx->stored_epoch == tx->who.epoch;
}

void sql_begin(struct sql_tx *tx)
{
    tx->stored_epoch = -1;
    queue_places_forget(tx);
    tx->end_count = 0;
    tx->kept.messages = tx->kept.bytes = tx->kept.let_go_ms = 0;
}

void sql_finish(struct sql_tx *tx)
{
    queue_catch_up(tx);
    queue_places_store(tx);
}

void sql_fini(struct sql_tx *tx)
{
    queue_places_forget(tx);
}

/* Those that come in numbers, and find what they need in rows that nothing else of a transaction leaves open.
 */
static bool looks_further(const struct store_op *op)
{
    enum op_kind kind = op->type->kind;
    return kind != OP_queue_settle && kind != OP_queue_accept && kind != OP_body_chunk &&
           kind != OP_body_drop;
}

int sql_execute(struct sql_tx *tx, struct store_op *op)
{
    if (tx->writable && tx->part == PART_QUEUE && looks_further(op))
        queue_catch_up(tx);
    if ((op->type->flags & OP_GUARDED) && tx->writable && !sql_epoch_is_current(tx))
        return db_failed(tx->db) ? tx->db->err : ERR_FENCED;
    return executions[op->type->kind](tx, op);
}

void sql_roll_back(struct store_op *op)
{
    if (op->type->kind == OP_body_chunk)
        body_chunk_rolled_back((struct op_body_chunk *)op);
    struct op_queue_act *act = (struct op_queue_act *)op;
    if (op->type->kind == OP_queue_act && act->undo_noted) {
        act->undo_noted = false;
        act->filter.after_id = act->undo_after_id;
        act->filter.limit = act->undo_limit;
        act->ret_changed = act->undo_changed;
        act->record_id = act->undo_record_id;
    }
}

void sql_answer(struct store_op *op, int err)
{
    op->err = err;
    if (err != 0 && op->type->kind == OP_body_chunk)
        body_chunk_failed((struct op_body_chunk *)op, err);
}
