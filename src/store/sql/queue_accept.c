/* Accepting: a message and its deliveries become rows. */
#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

static int is_new(struct sql_tx *tx, const struct custody_id *id)
{
    bool known = db_number(tx->db, SQL_MESSAGE_BY_CUSTODY, 0, BLOB(id->bytes, CUSTODY_ID_BYTES)) != 0;
    return known ? ERR_EXISTS : tx->db->err;
}

static void add_deliveries(struct sql_tx *tx, const struct op_queue_accept *o)
{
    for (size_t i = 0; i < o->recipient_count; i++) {
        const struct queue_recipient_in *to = &o->recipients[i];
        int64_t id = tx->who.next_delivery++, place_id = queue_place_take(tx, to->domain, to->home);
        queue_delivery_add(tx, id, tx->who.next_message, place_id, to, o->message.received_at);
        if (o->message.stopped.len > 0)
            queue_delivery_stop(tx, id, place_id, &o->message, i == 0);
    }
}

static int by_rows(struct sql_tx *tx, struct op_queue_accept *o)
{
    struct queue_row row = {.message_id = tx->who.next_message,
                            .first_delivery = tx->who.next_delivery,
                            .size_bytes = o->body.size_bytes,
                            .recipient_count = (uint32_t)o->recipient_count,
                            .is_new = true};
    int err = o->message.id_is_drawn ? 0 : is_new(tx, &o->message.custody_id);
    if (err != 0) {
        sql_body_discard(tx, &o->body);
        return err;
    }
    err = sql_body_finish(tx, &o->body, 1, &row.body_id);
    if (err != 0)
        return err;
    queue_message_add(tx, &row, &o->message);
    add_deliveries(tx, o);
    o->ret_message_id = tx->who.next_message++;
    return 0;
}

int sql_queue_accept(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_accept *o = (struct op_queue_accept *)op;
    return tx->special->accept ? tx->special->accept(tx, o) : by_rows(tx, o);
}
