/* What operators do to a queue, in slices, so that no transaction grows long. */
#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

#define SLICE 1000 /* deliveries a transaction: some 20 ms */

static bool move(struct sql_tx *tx, struct store_op *op, const struct queue_live *live, struct str home)
{
    struct db_row *row = db_query(tx->db, SQL_LIVE_DOMAIN, INT(live->id));
    if (!row)
        return false;
    struct str domain = op_str(op, db_col_str(row, 0));
    db_end(row);
    int64_t place_id = queue_place_of(tx, domain, home);
    if (place_id == live->place_id)
        return false;
    db_run(tx->db, SQL_LIVE_MOVE, INT(live->id), INT(place_id));
    if (home.len > 0)
        db_run(tx->db, SQL_AWAY_PUT, INT(live->id), TEXT(domain));
    else
        db_run(tx->db, SQL_AWAY_REMOVE, INT(live->id));
    queue_place_count(tx, live->place_id, live->state, -1, 1);
    queue_place_count(tx, place_id, -1, live->state, 1);
    return true;
}

static bool act_one(struct sql_tx *tx, struct op_queue_act *o, int64_t id)
{
    struct queue_live live;
    if (!queue_live_get(tx, id, &live))
        return false;
    int target = queue_action_target(o->order.action, live.state);
    if (target < 0)
        return false;
    switch (o->order.action) {
    case QUEUE_ACT_MOVE:
        return move(tx, &o->op, &live, o->order.home);
    case QUEUE_ACT_REMOVE:
        queue_live_end(tx, &o->op, id,
                       &(struct queue_end){QUEUE_REMOVED, 0, o->order.why, o->at, false, NULL});
        return true;
    case QUEUE_ACT_RETRY:
        db_run(tx->db, SQL_LIVE_RETRY, INT(id));
        return true;
    case QUEUE_ACT_RELEASE:
        queue_debt_forget(tx, &live);
        db_run(tx->db, SQL_LIVE_RELEASE, INT(id), INT(o->at.ms));
        break;
    case QUEUE_ACT_HOLD:
    case QUEUE_ACT_QUARANTINE:
        db_run(tx->db, SQL_LIVE_STATE, INT(id), INT(target));
        break;
    case QUEUE_ACT_REPLAY: /* has no target */
        return false;
    }
    queue_place_count(tx, live.place_id, live.state, target, 1);
    return true;
}

/* For trace. */
static void act_and_note(struct sql_tx *tx, struct op_queue_act *o, int64_t id)
{
    if (!act_one(tx, o, id))
        return;
    db_run(tx->db, SQL_ACTED_ADD, INT(id), INT(o->record_id));
    o->ret_changed++;
}

/* Finds out where an order that was given before has stopped, or begins its record. True: it is done. */
static bool begin(struct sql_tx *tx, struct op_queue_act *o)
{
    const struct queue_order *order = &o->order;
    if (o->record_id != 0)
        return false;
    struct db_row *row = db_query(tx->db, SQL_ACT_FIND, TEXT(order->key));
    if (!row) {
        o->record_id = db_number(tx->db, SQL_ACT_ADD, 0, INT(o->at.ms), INT(order->action), TEXT(order->home),
                                 TEXT(order->who), TEXT(order->why), TEXT(order->key));
        return false;
    }
    o->record_id = db_col_i64(row, 0);
    o->ret_changed = (uint64_t)db_col_i64(row, 1);
    o->filter.after_id = db_col_i64(row, 2);
    o->filter.limit = (size_t)db_col_i64(row, 3);
    bool done = db_col_i64(row, 4);
    db_end(row);
    return done;
}

/* What has to be taken back when the transaction fails. */
static void note_for_undo(struct op_queue_act *o)
{
    o->undo_noted = true;
    o->undo_after_id = o->filter.after_id;
    o->undo_limit = o->filter.limit;
    o->undo_changed = o->ret_changed;
    o->undo_record_id = o->record_id;
}

int sql_queue_act(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_act *o = (struct op_queue_act *)op;
    note_for_undo(o);
    if (begin(tx, o))
        return 0;
    size_t limit = o->filter.limit, slice = limit > 0 && limit < SLICE ? limit : SLICE;
    struct queue_found found = queue_find(tx, op, &o->filter, slice);
    for (size_t i = 0; i < found.ids.count; i++)
        act_and_note(tx, o, found.ids.ids[i]);
    bool last = found.up_to == INT64_MAX || (limit > 0 && found.ids.count == limit);
    o->filter.after_id = found.up_to;
    o->filter.limit = limit > 0 ? limit - found.ids.count : 0;
    db_run(tx->db, SQL_ACT_STEP, INT(o->record_id), INT(o->ret_changed), INT(o->filter.after_id),
           INT(o->filter.limit), INT(last));
    return last ? 0 : OP_AGAIN;
}
