/* Forgetting the records of messages that have ended long ago. */
#include "store/queue_past.h"

#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

struct old_message {
    int64_t id, received_ms, first, end; /* of its deliveries: [first, end) */
};

static bool any(struct sql_tx *tx, struct db_row *row)
{
    bool there = row || db_failed(tx->db);
    db_end(row);
    return there;
}

static bool is_past(struct sql_tx *tx, const struct old_message *m, struct wall_time before)
{
    struct db *db = tx->db;
    return m->received_ms < before.ms &&
           !any(tx, db_query(db, SQL_LIVE_ANY, INT(m->first), INT(m->end - m->first))) &&
           !any(tx, db_query(db, SQL_KEPT_ANY, INT(m->id))) &&
           !any(tx, db_query(db, SQL_DEBT_ANY, INT(m->id))) &&
           !any(tx, db_query(db, SQL_ATTEMPT_SINCE, INT(m->first), INT(m->end), INT(before.ms))) &&
           !any(tx, db_query(db, SQL_ACTED_SINCE, INT(m->first), INT(m->end), INT(before.ms)));
}

static void forget(struct sql_tx *tx, const struct old_message *m)
{
    static const enum queue_sql of_deliveries[] = {SQL_ENDED_FORGET, SQL_ATTEMPT_FORGET, SQL_REQUEST_FORGET,
                                                   SQL_AWAY_FORGET, SQL_ACTED_FORGET};
    for (size_t i = 0; i < ARRAY_LEN(of_deliveries); i++)
        db_run(tx->db, of_deliveries[i], INT(m->first), INT(m->end));
    db_run(tx->db, SQL_MESSAGE_FORGET, INT(m->id));
}

static size_t read_old(struct sql_tx *tx, const struct op_queue_forget *o,
                       struct old_message out[QUEUE_FORGET_MAX])
{
    size_t count = 0;
    struct db_row *row = db_query(tx->db, SQL_MESSAGE_OLD, INT(o->after_message_id), INT(QUEUE_FORGET_MAX));
    for (; row; row = db_next(row)) {
        int64_t first = db_col_i64(row, 2);
        out[count++] =
            (struct old_message){db_col_i64(row, 0), db_col_i64(row, 1), first, first + db_col_i64(row, 3)};
    }
    return count;
}

/* They come in the order of their numbers, which is nearly that of their times. */
int sql_queue_forget(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_forget *o = (struct op_queue_forget *)op;
    struct old_message messages[QUEUE_FORGET_MAX];
    size_t count = read_old(tx, o, messages), old = 0;
    o->ret_done = (struct queue_forgotten){.last_message_id = o->after_message_id};
    for (size_t i = 0; i < count; i++) {
        old += messages[i].received_ms < o->before.ms;
        o->ret_done.last_message_id = messages[i].id;
        if (!is_past(tx, &messages[i], o->before))
            continue;
        forget(tx, &messages[i]);
        o->ret_done.removed++;
    }
    o->ret_done.more = count == QUEUE_FORGET_MAX && old > 0;
    return 0;
}
