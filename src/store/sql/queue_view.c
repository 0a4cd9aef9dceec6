/* Looking at a queue: the numbers of the rows first, from indices, then the rows. */
#include <string.h>

#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

/* ---- rows ---- */

static struct queue_delivery show_row(struct store_op *op, struct db_row *row)
{
    int64_t flags = db_col_i64(row, 13);
    struct queue_delivery d = {
        .id = db_col_i64(row, 0),
        .message_id = db_col_i64(row, 1),
        .reverse_path = op_str(op, db_col_str(row, 3)),
        .recipient = op_str(op, db_col_str(row, 4)),
        .domain = op_str(op, db_col_str(row, 5)),
        .home = op_str(op, db_col_str(row, 6)),
        .state = (enum queue_state)db_col_i64(row, 7),
        .attempts = (uint32_t)db_col_i64(row, 8),
        .losses = (uint32_t)db_col_i64(row, 9),
        .next_at = {db_col_i64(row, 10)},
        .received_at = {db_col_i64(row, 11)},
        .size_bytes = (uint64_t)db_col_i64(row, 12),
        .eight_bit = flags & MESSAGE_EIGHT_BIT,
        .smtputf8 = flags & MESSAGE_SMTPUTF8,
        .authenticated = flags & MESSAGE_AUTHENTICATED,
        .envelope = {(enum dsn_ret)(flags >> MESSAGE_RET_SHIFT & MESSAGE_RET_MASK),
                     op_str(op, db_col_str(row, 16))},
        .request = {(unsigned)db_col_i64(row, 17), op_str(op, db_col_str(row, 18))},
        .delay_told = db_col_i64(row, 19),
        .last_reply = op_str(op, db_col_str(row, 14)),
        .waits_since = {db_col_i64(row, 15)},
        .helo = op_str(op, db_col_str(row, 20)),
        .client = op_str(op, db_col_str(row, 21)),
        .header_id = op_str(op, db_col_str(row, 22)),
        .last_host = op_str(op, db_col_str(row, 23)),
    };
    struct str custody = db_col_str(row, 2);
    if (custody.len == CUSTODY_ID_BYTES)
        memcpy(d.custody_id.bytes, custody.ptr, CUSTODY_ID_BYTES);
    return d;
}

struct queue_delivery queue_row_show(struct sql_tx *tx, struct store_op *op, int64_t id)
{
    struct queue_delivery d = {.id = 0};
    struct db_row *row = db_query(tx->db, SQL_LIVE_ROW, INT(id));
    if (!row)
        row = db_query(tx->db, SQL_ENDED_ROW, INT(id));
    if (row)
        d = show_row(op, row);
    db_end(row);
    return d;
}

static void show_id(struct sql_tx *tx, struct store_op *op, struct queue_rows_out *out, int64_t id)
{
    struct queue_delivery d = queue_row_show(tx, op, id);
    if (d.id == 0)
        return;
    out->items = op_array_grow(op, out->items, out->count, sizeof(*out->items));
    out->items[out->count++] = d;
}

/* ---- due ---- */

static void add_row(struct store_op *op, struct queue_rows_out *out, struct db_row *row)
{
    out->items = op_array_grow(op, out->items, out->count, sizeof(*out->items));
    out->items[out->count++] = show_row(op, row);
}

int sql_queue_due(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_due *o = (struct op_queue_due *)op;
    const struct queue_due_filter *f = &o->filter;
    struct queue_rows_out *out = &o->ret_rows;
    /* The place is asked for before, so that the database knows how many are there. */
    int64_t place_id = queue_place_find(tx, f->domain, f->home);
    struct db_row *row = db_query(tx->db, SQL_LIVE_DUE, INT(place_id), INT(f->lossy), INT(f->after_id),
                                  INT(f->now.ms), INT(f->limit + 1));
    *out = (struct queue_rows_out){0};
    for (; row && out->count < f->limit; row = db_next(row))
        add_row(op, out, row);
    out->more = row;
    db_end(row);
    return 0;
}

int sql_queue_oldest(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_due *o = (struct op_queue_due *)op;
    const struct queue_due_filter *f = &o->filter;
    int64_t place_id = queue_place_find(tx, f->domain, f->home);
    struct db_row *row = db_query(tx->db, SQL_LIVE_OLDEST, INT(place_id), INT(f->limit + 1));
    o->ret_rows = (struct queue_rows_out){0};
    for (; row; row = db_next(row))
        add_row(op, &o->ret_rows, row);
    queue_rows_by_age(&o->ret_rows, f->limit);
    return 0;
}

int sql_queue_next_at(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_next_at *o = (struct op_queue_next_at *)op;
    const struct queue_due_filter *f = &o->filter;
    int64_t place_id = queue_place_find(tx, f->domain, f->home);
    int64_t next = db_number(tx->db, SQL_LIVE_LATER, INT64_MAX, INT(place_id), INT(f->lossy), INT(f->now.ms));
    o->ret_next_at.ms = next;
    return next == INT64_MAX ? ERR_NOT_FOUND : 0;
}

/* ---- list ---- */

int sql_queue_list(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_list *o = (struct op_queue_list *)op;
    size_t left = o->filter.limit - o->ret_rows.count;
    struct queue_found found = queue_find(tx, op, &o->filter, left + 1);
    for (size_t i = 0; i < found.ids.count && i < left; i++)
        show_id(tx, op, &o->ret_rows, found.ids.ids[i]);
    o->ret_rows.more = found.ids.count > left;
    if (o->ret_rows.more || found.up_to == INT64_MAX)
        return 0;
    o->filter.after_id = found.up_to;
    return OP_MORE;
}

/* ---- summary ---- */

/* Of those that wait or are held. */
static struct wall_time oldest_at(struct sql_tx *tx, int64_t place_id)
{
    int64_t oldest = INT64_MAX;
    for (int state = QUEUE_WAITING; state <= QUEUE_HELD; state++)
        for (int lossy = 0; lossy <= 1; lossy++) {
            int64_t id = db_number(tx->db, SQL_LIVE_AT_PLACE, INT64_MAX, INT(place_id), INT(state),
                                   INT(lossy), INT(0), INT(INT64_MAX), INT(1));
            oldest = id < oldest ? id : oldest;
        }
    if (oldest == INT64_MAX)
        return (struct wall_time){0};
    return (struct wall_time){db_number(tx->db, SQL_LIVE_RECEIVED, 0, INT(oldest))};
}

int sql_queue_summary(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_summary *o = (struct op_queue_summary *)op;
    for (struct db_row *row = db_query(tx->db, SQL_PLACE_LIST); row; row = db_next(row)) {
        o->ret_counts = op_array_grow(op, o->ret_counts, o->ret_count, sizeof(*o->ret_counts));
        o->ret_counts[o->ret_count++] = (struct queue_count){.domain = op_str(op, db_col_str(row, 1)),
                                                             .home = op_str(op, db_col_str(row, 2)),
                                                             .waiting = (uint64_t)db_col_i64(row, 3),
                                                             .held = (uint64_t)db_col_i64(row, 4),
                                                             .quarantined = (uint64_t)db_col_i64(row, 5),
                                                             .oldest = oldest_at(tx, db_col_i64(row, 0))};
    }
    return 0;
}

/* ---- trace ---- */

static void show_attempt(struct op_queue_trace *o, struct db_row *row)
{
    struct store_op *op = &o->op;
    o->ret_attempts = op_array_grow(op, o->ret_attempts, o->ret_attempt_count, sizeof(*o->ret_attempts));
    struct queue_attempt *attempt = &o->ret_attempts[o->ret_attempt_count++];
    *attempt = (struct queue_attempt){.delivery_id = db_col_i64(row, 0),
                                      .outcome = (enum queue_outcome)db_col_i64(row, 1),
                                      .epoch = db_col_i64(row, 2),
                                      .generation = db_col_i64(row, 3),
                                      .at = {db_col_i64(row, 4)},
                                      .server = op_str(op, db_col_str(row, 5)),
                                      .instance = op_str(op, db_col_str(row, 6)),
                                      .reply = op_str(op, db_col_str(row, 7))};
    for (size_t i = 0; i < o->ret_rows.count; i++)
        if (o->ret_rows.items[i].id == attempt->delivery_id)
            attempt->recipient = o->ret_rows.items[i].recipient;
}

static void show_act(struct op_queue_trace *o, struct db_row *row)
{
    struct store_op *op = &o->op;
    o->ret_acts = op_array_grow(op, o->ret_acts, o->ret_act_count, sizeof(*o->ret_acts));
    o->ret_acts[o->ret_act_count++] = (struct queue_acted){.delivery_id = db_col_i64(row, 0),
                                                           .action = (enum queue_action)db_col_i64(row, 1),
                                                           .home = op_str(op, db_col_str(row, 2)),
                                                           .who = op_str(op, db_col_str(row, 3)),
                                                           .why = op_str(op, db_col_str(row, 4)),
                                                           .at = {db_col_i64(row, 5)}};
}

int sql_queue_trace(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_trace *o = (struct op_queue_trace *)op;
    struct db_row *row =
        db_query(tx->db, SQL_MESSAGE_BY_CUSTODY, BLOB(o->custody_id.bytes, CUSTODY_ID_BYTES));
    if (!row)
        return ERR_NOT_FOUND;
    int64_t first = db_col_i64(row, 1), end = first + db_col_i64(row, 2);
    db_end(row);
    for (int64_t id = first; id < end; id++)
        show_id(tx, op, &o->ret_rows, id);
    for (row = db_query(tx->db, SQL_ATTEMPT_LIST, INT(first), INT(end)); row; row = db_next(row))
        show_attempt(o, row);
    for (row = db_query(tx->db, SQL_ACTED_LIST, INT(first), INT(end)); row; row = db_next(row))
        show_act(o, row);
    return 0;
}
