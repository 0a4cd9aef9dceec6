/* What senders are owed: rows of `debt`, until a report pays them. A report's body is in `body` and `chunk`,
 * not in the journal, so that it is in the transaction that ends the debts. */
#include "store/queue_report.h"

#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

/* ---- debts ---- */

void queue_debt_add(struct sql_tx *tx, const struct queue_debt *d)
{
    db_run(tx->db, SQL_DEBT_ADD, INT(d->message_id), INT(d->kind), INT(d->delivery_id), INT(d->at.ms),
           TEXT(d->server), TEXT(d->reply), TEXT(d->host));
}

void queue_debt_forget(struct sql_tx *tx, const struct queue_live *live)
{
    db_run(tx->db, SQL_DEBT_REMOVE, INT(live->message_id), INT(QUEUE_OWES_FAILED), INT(live->id));
}

void queue_debt_end(struct sql_tx *tx, const struct queue_live *live)
{
    db_run(tx->db, SQL_DEBT_END, INT(live->message_id), INT(live->id));
}

static void show(struct op_queue_owed *o, enum queue_owes kind, struct db_row *row)
{
    struct store_op *op = &o->op;
    o->ret_owed = op_array_grow(op, o->ret_owed, o->ret_count, sizeof(*o->ret_owed));
    o->ret_owed[o->ret_count++] = (struct queue_owed){.delivery.id = db_col_i64(row, 0),
                                                      .kind = kind,
                                                      .at = {db_col_i64(row, 1)},
                                                      .server = op_str(op, db_col_str(row, 2)),
                                                      .reply = op_str(op, db_col_str(row, 3)),
                                                      .host = op_str(op, db_col_str(row, 4))};
}

int sql_queue_owed(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_owed *o = (struct op_queue_owed *)op;
    struct db_row *row = db_query(tx->db, SQL_DEBT_FIRST, INT(o->after_message_id), INT(o->after_kind));
    o->ret_count = 0;
    if (!row)
        return 0;
    int64_t message_id = db_col_i64(row, 0), kind = db_col_i64(row, 1);
    db_end(row);
    row = db_query(tx->db, SQL_DEBT_LIST, INT(message_id), INT(kind), INT(QUEUE_OWED_MAX));
    for (; row; row = db_next(row))
        show(o, (enum queue_owes)kind, row);
    for (size_t i = 0; i < o->ret_count; i++)
        o->ret_owed[i].delivery = queue_row_show(tx, op, o->ret_owed[i].delivery.id);
    return 0;
}

/* ---- delays ---- */

static bool waits_untold(struct sql_tx *tx, int64_t id, struct queue_live *ret_live)
{
    if (!queue_live_get(tx, id, ret_live) || ret_live->state != QUEUE_WAITING)
        return false;
    return db_change(tx->db, SQL_REQUEST_TOLD, INT(id)) > 0;
}

static void owe_delay(struct sql_tx *tx, struct op_queue_owe_delay *o, const struct queue_live *live)
{
    struct db_row *row = db_query(tx->db, SQL_LIVE_REPLY, INT(live->id));
    struct str reply = row ? op_str(&o->op, db_col_str(row, 0)) : STR_EMPTY;
    struct str host = row ? op_str(&o->op, db_col_str(row, 1)) : STR_EMPTY;
    db_end(row);
    queue_debt_add(tx, &(struct queue_debt){live->message_id, live->id, QUEUE_OWES_DELAYED, o->at, STR_EMPTY,
                                            reply, host});
}

int sql_queue_owe_delay(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_owe_delay *o = (struct op_queue_owe_delay *)op;
    struct queue_live live;
    for (size_t i = 0; i < o->count; i++)
        if (waits_untold(tx, o->ids[i], &live))
            owe_delay(tx, o, &live);
    return 0;
}

/* ---- paying ---- */

struct paid {
    int64_t id, message_id;
    struct str reply;
};

static int find_debts(struct sql_tx *tx, struct op_queue_report *o, struct paid *out)
{
    for (size_t i = 0; i < o->count; i++) {
        int64_t message_id = db_number(tx->db, SQL_DELIVERY_MESSAGE, 0, INT(o->ids[i]));
        struct db_row *row = db_query(tx->db, SQL_DEBT_OF, INT(message_id), INT(o->kind), INT(o->ids[i]));
        if (!row)
            return !db_failed(tx->db) ? ERR_CONFLICT : tx->db->err;
        out[i] = (struct paid){o->ids[i], message_id, op_str(&o->op, db_col_str(row, 0))};
        db_end(row);
    }
    return 0;
}

static void add_report(struct sql_tx *tx, const struct op_queue_report *o)
{
    struct queue_row row = {.message_id = tx->who.next_message++,
                            .first_delivery = tx->who.next_delivery++,
                            .body_id = sql_body_make(tx, o->body),
                            .size_bytes = o->body.len,
                            .recipient_count = 1};
    int64_t place_id = queue_place_take(tx, o->recipient.domain, o->recipient.home);
    queue_message_add(tx, &row, &o->message);
    queue_delivery_add(tx, row.first_delivery, row.message_id, place_id, &o->recipient,
                       o->message.received_at);
}

static void end_debt(struct sql_tx *tx, struct op_queue_report *o, const struct paid *p)
{
    struct queue_live live;
    db_run(tx->db, SQL_DEBT_REMOVE, INT(p->message_id), INT(o->kind), INT(p->id));
    if (o->kind == QUEUE_OWES_FAILED && queue_live_get(tx, p->id, &live))
        queue_live_end(tx, &o->op, p->id,
                       &(struct queue_end){QUEUE_BOUNCED, 0, p->reply, o->at, false, NULL});
    else
        queue_message_end(tx, &o->op, p->message_id, false, o->at);
}

int sql_queue_report(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_report *o = (struct op_queue_report *)op;
    struct paid *paid = op_alloc(op, o->count * sizeof(*paid));
    int err = find_debts(tx, o, paid);
    if (err == 0 && db_number(tx->db, SQL_MESSAGE_BY_CUSTODY, 0,
                              BLOB(o->message.custody_id.bytes, CUSTODY_ID_BYTES)) != 0)
        err = ERR_EXISTS;
    if (err == 0)
        err = tx->special->room ? tx->special->room(tx, o->body.len) : 0;
    if (err != 0)
        return err;
    add_report(tx, o);
    for (size_t i = 0; i < o->count; i++)
        end_debt(tx, o, &paid[i]);
    return 0;
}
