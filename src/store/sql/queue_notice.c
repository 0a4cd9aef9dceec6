/* What an operator must be told: rows of `notice` until they were. */
#include <string.h>

#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

void queue_notice_add(struct sql_tx *tx, const struct queue_result *r)
{
    db_run(tx->db, SQL_NOTICE_ADD, INT(r->delivery_id), INT(r->at.ms), TEXT(r->server), TEXT(r->reply));
}

static void show_notice(struct op_queue_notices *o, struct db_row *row)
{
    struct store_op *op = &o->op;
    struct str custody = db_col_str(row, 1);
    o->ret_notices = op_array_grow(op, o->ret_notices, o->ret_count, sizeof(*o->ret_notices));
    struct queue_notice *n = &o->ret_notices[o->ret_count++];
    *n = (struct queue_notice){.id = db_col_i64(row, 0),
                               .recipient = op_str(op, db_col_str(row, 2)),
                               .at = {db_col_i64(row, 3)},
                               .server = op_str(op, db_col_str(row, 4)),
                               .reply = op_str(op, db_col_str(row, 5))};
    if (custody.len == CUSTODY_ID_BYTES)
        memcpy(n->custody_id.bytes, custody.ptr, CUSTODY_ID_BYTES);
}

int sql_queue_notices(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_notices *o = (struct op_queue_notices *)op;
    for (struct db_row *row = db_query(tx->db, SQL_NOTICE_LIST, INT(o->limit)); row; row = db_next(row))
        show_notice(o, row);
    return 0;
}

int sql_queue_notices_drop(struct sql_tx *tx, struct store_op *op)
{
    db_run(tx->db, SQL_NOTICE_DROP, INT(((struct op_queue_notices_drop *)op)->up_to_id));
    return 0;
}
