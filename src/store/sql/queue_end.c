/* What follows from the ends of deliveries: bodies that are kept, or used no more. It is gathered, and asked
 * and written once for all of a transaction: on a shared store each question costs its way there and back. */
#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

/* ---- keeping ---- */

struct keeping {
    struct sql_tx *tx;
    int64_t message_id;
    struct wall_time at;
};

/* row: NULL when it is kept already. */
static void on_kept(void *arg, struct db_row *row)
{
    const struct keeping *k = arg;
    if (!row) {
        db_run(k->tx->db, SQL_KEPT_AGAIN, INT(k->message_id), INT(k->at.ms));
        return;
    }
    k->tx->kept.messages++;
    k->tx->kept.bytes += db_col_i64(row, 0);
}

static void keep_message(struct sql_tx *tx, struct store_op *op, int64_t message_id, struct wall_time at)
{
    struct keeping *keeping = op_alloc(op, sizeof(*keeping));
    *keeping = (struct keeping){tx, message_id, at};
    db_later(tx->db, SQL_KEPT_PUT, on_kept, keeping, INT(message_id), INT(at.ms));
}

static void write_kept(struct sql_tx *tx)
{
    if (tx->kept.messages != 0 || tx->kept.let_go_ms > 0)
        db_run(tx->db, SQL_KEPT_SUM, INT(tx->kept.messages), INT(tx->kept.bytes), INT(tx->kept.let_go_ms));
    tx->kept.messages = tx->kept.bytes = tx->kept.let_go_ms = 0;
}

/* ---- giving back ---- */

/* row: NULL when something still uses it. */
static void on_unused(void *arg, struct db_row *row)
{
    struct sql_tx *tx = arg;
    if (!row)
        return;
    int64_t message_id = db_col_i64(row, 0);
    const struct sql_body body = {db_col_i64(row, 1), db_col_i64(row, 2), db_col_i64(row, 3),
                                  db_col_i64(row, 4)};
    if (body.id == 0)
        tx->special->release(tx, message_id);
    else if (body.refs > 0)
        sql_body_unref_known(tx, &body);
}

static int id_cmp(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Of several deliveries of one message, ended together, it is asked once. */
static void give_back(struct sql_tx *tx)
{
    qsort(tx->ends, tx->end_count, sizeof(*tx->ends), id_cmp);
    for (size_t i = 0; i < tx->end_count; i++)
        if (i == 0 || tx->ends[i] != tx->ends[i - 1])
            db_later(tx->db, SQL_MESSAGE_UNUSED, on_unused, tx, INT(tx->ends[i]));
    tx->end_count = 0;
}

void queue_message_let_go(struct sql_tx *tx, int64_t message_id)
{
    if (tx->end_count == SQL_ENDS_MAX)
        give_back(tx);
    tx->ends[tx->end_count++] = message_id;
}

/* ---- both ---- */

void queue_message_end(struct sql_tx *tx, struct store_op *op, int64_t message_id, bool keep,
                       struct wall_time at)
{
    if (keep)
        keep_message(tx, op, message_id, at);
    else
        queue_message_let_go(tx, message_id);
}

void queue_catch_up(struct sql_tx *tx)
{
    db_catch_up(tx->db);
    give_back(tx);
    db_catch_up(tx->db);
    write_kept(tx);
}
