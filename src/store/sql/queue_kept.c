/* The safety net: rows of `kept`, for messages of which something was delivered not long ago. */
#include "store/queue_kept.h"

#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

#define WALK_ROWS 5000 /* passed over in a transaction: some 5 ms */

/* ---- counting ---- */

static struct queue_kept total(struct sql_tx *tx)
{
    struct queue_kept kept = {0, 0};
    struct db_row *row = db_query(tx->db, SQL_KEPT_TOTAL);
    if (row)
        kept = (struct queue_kept){(uint64_t)db_col_i64(row, 0),
                                   (uint64_t)db_col_i64(row, 1),
                                   {db_col_i64(row, 2)},
                                   {db_col_i64(row, 3)}};
    db_end(row);
    return kept;
}

void queue_let_go(struct sql_tx *tx, struct wall_time up_to)
{
    if (up_to.ms > tx->kept.let_go_ms)
        tx->kept.let_go_ms = up_to.ms;
}

int sql_queue_kept_count(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_kept_count *o = (struct op_queue_kept_count *)op;
    o->ret_kept = total(tx);
    struct db_row *row = db_query(tx->db, SQL_KEPT_COUNT, INT(o->since.ms));
    if (row) {
        o->ret_kept.messages = (uint64_t)db_col_i64(row, 0);
        o->ret_kept.bytes = (uint64_t)db_col_i64(row, 1);
    }
    db_end(row);
    return 0;
}

/* ---- pruning ---- */

struct oldest {
    int64_t message_id, ended_ms, size_bytes;
};

static size_t read_oldest(struct sql_tx *tx, struct oldest out[QUEUE_KEPT_PRUNE_MAX])
{
    size_t count = 0;
    struct db_row *row = db_query(tx->db, SQL_KEPT_OLDEST, INT(QUEUE_KEPT_PRUNE_MAX));
    for (; row; row = db_next(row))
        out[count++] = (struct oldest){db_col_i64(row, 0), db_col_i64(row, 1), db_col_i64(row, 2)};
    return count;
}

static uint64_t free_bytes(struct sql_tx *tx)
{
    return tx->special->free_bytes ? tx->special->free_bytes(tx) : UINT64_MAX;
}

static void let_go(struct sql_tx *tx, const struct oldest *one)
{
    db_run(tx->db, SQL_KEPT_REMOVE, INT(one->message_id));
    tx->kept.messages--;
    tx->kept.bytes -= one->size_bytes;
    queue_message_let_go(tx, one->message_id);
}

int sql_queue_kept_prune(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_kept_prune *o = (struct op_queue_kept_prune *)op;
    struct oldest oldest[QUEUE_KEPT_PRUNE_MAX];
    uint64_t bytes = total(tx).bytes;
    size_t count = read_oldest(tx, oldest);
    o->ret_removed = 0;
    while (o->ret_removed < count &&
           (oldest[o->ret_removed].ended_ms < o->before.ms || bytes > o->bytes_max)) {
        bytes -= (uint64_t)oldest[o->ret_removed].size_bytes;
        let_go(tx, &oldest[o->ret_removed++]);
    }
    if (o->ret_removed > 0)
        queue_let_go(tx, (struct wall_time){oldest[o->ret_removed - 1].ended_ms});
    queue_catch_up(tx);
    o->ret_left = total(tx);
    o->ret_left.free_bytes = free_bytes(tx);
    return 0;
}

/* ---- sending again ---- */

struct revived {
    int64_t id, place_id;
};

/* at: of the replay. */
static void revive(struct sql_tx *tx, const struct revived *d, struct wall_time at, int64_t act_id)
{
    db_run(tx->db, SQL_ACTED_ADD, INT(d->id), INT(act_id));
    db_run(tx->db, SQL_ENDED_REVIVE, INT(d->id), INT(at.ms));
    db_run(tx->db, SQL_ENDED_REMOVE, INT(d->id));
    db_run(tx->db, SQL_REQUEST_NEVER, INT(d->id), INT(DSN_NOTIFY_NEVER));
    queue_place_count(tx, d->place_id, -1, QUEUE_WAITING, 1);
}

static struct revived *delivered_to(struct sql_tx *tx, struct store_op *op, int64_t message_id,
                                    const struct queue_replay *r, size_t *ret_count)
{
    struct revived *all = NULL;
    size_t count = 0;
    struct db_row *row = db_query(tx->db, SQL_ENDED_DELIVERED_BY, INT(message_id), TEXT(r->server),
                                  INT(r->since.ms), INT(r->until.ms));
    for (; row; row = db_next(row)) {
        all = op_array_grow(op, all, count, sizeof(*all));
        all[count++] = (struct revived){db_col_i64(row, 0), db_col_i64(row, 1)};
    }
    *ret_count = count;
    return all;
}

/* How far a replay has come: its record among the acts of operators. */
struct progress {
    int64_t act_id, up_to; /* all messages up to this number were looked at */
    bool done;
};

static struct progress begin_replay(struct sql_tx *tx, struct op_queue_replay *o)
{
    const struct queue_replay *r = &o->replay;
    struct queue_replayed *done = &o->ret_done;
    struct progress p = {0};
    struct db_row *row = db_query(tx->db, SQL_ACT_FIND, TEXT(r->key));
    if (row) {
        p = (struct progress){db_col_i64(row, 0), db_col_i64(row, 2), db_col_i64(row, 4)};
        done->all_deliveries = (uint64_t)db_col_i64(row, 1);
        done->all_messages = (uint64_t)db_col_i64(row, 3);
        db_end(row);
        return p;
    }
    p.act_id = db_number(tx->db, SQL_ACT_ADD, 0, INT(o->at.ms), INT(QUEUE_ACT_REPLAY), TEXT(r->server),
                         TEXT(r->who), TEXT(r->why), TEXT(r->key));
    return p;
}

static void replay_message(struct sql_tx *tx, struct op_queue_replay *o, struct progress *p,
                           int64_t message_id)
{
    size_t count;
    const struct revived *all = delivered_to(tx, &o->op, message_id, &o->replay, &count);
    for (size_t i = 0; i < count; i++)
        revive(tx, &all[i], o->at, p->act_id);
    p->up_to = message_id;
    o->ret_done.deliveries += count;
    o->ret_done.messages++;
}

/* The next messages of that time, after those that were looked at; all others up to *ret_up_to are not. */
static struct queue_ids walk(struct sql_tx *tx, struct op_queue_replay *o, int64_t after, int64_t *ret_up_to)
{
    struct queue_ids ids = {NULL, 0};
    size_t looked = 0;
    *ret_up_to = after;
    struct db_row *row =
        db_query(tx->db, SQL_KEPT_WALK, INT(after), INT(o->replay.since.ms), INT(WALK_ROWS + 1));
    for (; row && looked < WALK_ROWS && ids.count < o->replay.limit; row = db_next(row)) {
        *ret_up_to = db_col_i64(row, 0);
        looked++;
        if (db_col_i64(row, 1))
            queue_ids_add(&o->op, &ids, *ret_up_to);
    }
    if (!row)
        *ret_up_to = INT64_MAX;
    db_end(row);
    return ids;
}

static void slice(struct sql_tx *tx, struct op_queue_replay *o, struct progress *p)
{
    size_t i = 0;
    int64_t up_to;
    struct queue_ids ids = walk(tx, o, p->up_to, &up_to);
    while (i < ids.count && o->ret_done.deliveries < o->replay.limit)
        replay_message(tx, o, p, ids.ids[i++]);
    if (i == ids.count)
        p->up_to = up_to;
    p->done = p->up_to == INT64_MAX;
    o->ret_done.all_messages += o->ret_done.messages;
    o->ret_done.all_deliveries += o->ret_done.deliveries;
    db_run(tx->db, SQL_ACT_STEP, INT(p->act_id), INT(o->ret_done.all_deliveries), INT(p->up_to),
           INT(o->ret_done.all_messages), INT(p->done));
}

int sql_queue_replay(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_replay *o = (struct op_queue_replay *)op;
    o->ret_done = (struct queue_replayed){.let_go = total(tx).let_go};
    struct progress p = begin_replay(tx, o);
    if (!p.done)
        slice(tx, o, &p);
    o->ret_done.more = !p.done;
    return p.done || o->ret_done.messages > 0 ? 0 : OP_AGAIN;
}
