/* The queue's owner, and settling. */
#include "store/sql/queue.h"

#include "store/sql/queue_sql.h"

#define BODIES_RESERVED (1 << 20) /* numbers that no body has had, at once */
#define ATTEMPTS_MAX    65535     /* counted of a delivery; the last is then replaced */

/* ---- owning ---- */

int64_t sql_queue_epoch(struct sql_tx *tx)
{
    return db_number(tx->db, SQL_OWNER_GET, 0);
}

void queue_bodies_reserve(struct sql_tx *tx)
{
    tx->who.bodies_end = db_number(tx->db, SQL_BODIES_RESERVE, 0, INT(BODIES_RESERVED)) + 1;
    tx->who.next_body = tx->who.bodies_end - BODIES_RESERVED;
}

void queue_count_on(struct sql_tx *tx)
{
    int64_t live = db_number(tx->db, SQL_NEXT_LIVE, 1), ended = db_number(tx->db, SQL_NEXT_ENDED, 1);
    tx->who.next_delivery = live > ended ? live : ended;
    tx->who.next_message = db_number(tx->db, SQL_NEXT_MESSAGE, 1);
    tx->who.next_body = tx->who.bodies_end = 0;
    if (!tx->special->chunk)
        queue_bodies_reserve(tx);
}

int sql_queue_own(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_own *o = (struct op_queue_own *)op;
    o->ret_epoch = sql_queue_epoch(tx);
    if (o->ret_epoch != o->expect_epoch)
        return ERR_CONFLICT;
    int err = tx->special->own ? tx->special->own(tx, o->ret_epoch + 1) : 0;
    if (err != 0)
        return err;
    tx->who.epoch = tx->stored_epoch = tx->who.writer = ++o->ret_epoch;
    db_run(tx->db, SQL_OWNER_PUT, TEXT(o->name), INT(tx->who.epoch), TEXT(o->owner));
    sql_body_orphan(tx, 1, INT64_MAX);
    queue_count_on(tx);
    return 0;
}

/* ---- messages ---- */

static int64_t message_flags(const struct queue_message_in *in)
{
    return (in->eight_bit ? MESSAGE_EIGHT_BIT : 0) | (in->smtputf8 ? MESSAGE_SMTPUTF8 : 0) |
           (in->authenticated ? MESSAGE_AUTHENTICATED : 0) | (int64_t)in->dsn.ret << MESSAGE_RET_SHIFT;
}

bool queue_message_add(struct sql_tx *tx, const struct queue_row *row, const struct queue_message_in *in)
{
    const struct db_value values[] = {INT(row->message_id),      BLOB(in->custody_id.bytes, CUSTODY_ID_BYTES),
                                      INT(row->body_id),         INT(row->size_bytes),
                                      TEXT(in->reverse_path),    TEXT(in->helo),
                                      TEXT(in->client),          INT(message_flags(in)),
                                      INT(in->received_at.ms),   INT(row->first_delivery),
                                      INT(row->recipient_count), TEXT(in->dsn.envid),
                                      TEXT(in->header_id)};
    if (!row->is_new)
        return tx->db->driver->change(tx->db, SQL_MESSAGE_ADD, values, ARRAY_LEN(values)) > 0;
    tx->db->driver->run(tx->db, SQL_MESSAGE_PUT, values, ARRAY_LEN(values));
    return true;
}

void queue_delivery_add(struct sql_tx *tx, int64_t id, int64_t message_id, int64_t place_id,
                        const struct queue_recipient_in *to, struct wall_time received_at)
{
    db_run(tx->db, SQL_LIVE_ADD, INT(id), INT(message_id), INT(place_id), TEXT(to->address),
           INT(received_at.ms));
    if (to->home.len > 0)
        db_run(tx->db, SQL_AWAY_PUT, INT(id), TEXT(to->domain));
    if (to->dsn.notify != 0 || to->dsn.orcpt.len > 0)
        db_run(tx->db, SQL_REQUEST_ADD, INT(id), INT(to->dsn.notify), TEXT(to->dsn.orcpt));
}

/* ---- settling ---- */

bool queue_live_get(struct sql_tx *tx, int64_t id, struct queue_live *ret_live)
{
    struct db_row *row = db_query(tx->db, SQL_LIVE_GET, INT(id));
    if (!row)
        return false;
    *ret_live =
        (struct queue_live){id, db_col_i64(row, 0), db_col_i64(row, 1), (enum queue_state)db_col_i64(row, 2)};
    db_end(row);
    return true;
}

static enum queue_owes owe(struct sql_tx *tx, const struct queue_result *r, const struct queue_live *live)
{
    enum queue_owes owes = queue_result_owes(r, live->state);
    if (owes != QUEUE_OWES_NOTHING)
        queue_debt_add(
            tx, &(struct queue_debt){live->message_id, live->id, owes, r->at, r->server, r->reply, r->host});
    return owes;
}

struct ending {
    struct sql_tx *tx;
    struct store_op *op;
    int64_t id;
    struct queue_end end;
};

/* row: NULL when it was not live. */
static void on_removed(void *arg, struct db_row *row)
{
    const struct ending *e = arg;
    if (!row)
        return;
    const struct queue_live live = {e->id, db_col_i64(row, 0), db_col_i64(row, 1),
                                    (enum queue_state)db_col_i64(row, 2)};
    if (e->end.result)
        owe(e->tx, e->end.result, &live);
    queue_place_count(e->tx, live.place_id, live.state, -1, 1);
    queue_debt_end(e->tx, &live);
    queue_message_end(e->tx, e->op, live.message_id, e->end.keep && e->end.state == QUEUE_DELIVERED,
                      e->end.at);
}

void queue_live_end(struct sql_tx *tx, struct store_op *op, int64_t id, const struct queue_end *end)
{
    struct ending *ending = op_alloc(op, sizeof(*ending));
    *ending = (struct ending){tx, op, id, *end};
    db_run(tx->db, SQL_LIVE_END, INT(id), INT(end->state), INT(end->attempts), TEXT(end->reply));
    db_later(tx->db, SQL_LIVE_REMOVE, on_removed, ending, INT(id));
}

static void on_attempt(void *arg, struct db_row *row)
{
    struct sql_tx *tx = arg;
    int64_t id = row ? db_col_i64(row, 0) : 0;
    if ((id & ATTEMPTS_MAX) >= QUEUE_ATTEMPTS_KEPT)
        db_run(tx->db, SQL_ATTEMPT_DROP, INT(id >> 16), INT(id - (QUEUE_ATTEMPTS_KEPT - 1)));
}

/* Its number follows the delivery's last one. */
static void add_attempt(struct sql_tx *tx, const struct queue_result *r)
{
    db_later(tx->db, SQL_ATTEMPT_ADD, on_attempt, tx, INT(r->delivery_id), INT(r->outcome), INT(r->epoch),
             INT(r->generation), INT(r->at.ms), TEXT(r->server), TEXT(r->instance), TEXT(r->reply),
             INT(ATTEMPTS_MAX));
}

void queue_delivery_stop(struct sql_tx *tx, int64_t id, int64_t place_id, const struct queue_message_in *in,
                         bool first)
{
    const struct queue_result r = {.delivery_id = id,
                                   .outcome = QUEUE_OUTCOME_QUARANTINED,
                                   .reply = in->stopped,
                                   .server = STR_EMPTY,
                                   .instance = STR_EMPTY,
                                   .at = in->received_at};
    add_attempt(tx, &r);
    db_run(tx->db, SQL_LIVE_STOP, INT(id), INT(0), INT(0), TEXT(r.reply), INT(QUEUE_QUARANTINED),
           TEXT(STR_EMPTY));
    queue_place_count(tx, place_id, QUEUE_WAITING, QUEUE_QUARANTINED, 1);
    if (first)
        queue_notice_add(tx, &r);
}

static void defer(struct sql_tx *tx, const struct queue_result *r)
{
    bool lost = r->outcome == QUEUE_OUTCOME_LOST;
    db_run(tx->db, SQL_LIVE_DEFER, INT(r->delivery_id), INT(!lost), INT(lost), INT(r->next_at.ms),
           TEXT(r->reply), TEXT(r->host));
}

static void stop(struct sql_tx *tx, const struct queue_result *r, enum queue_state state)
{
    struct queue_live live;
    if (!queue_live_get(tx, r->delivery_id, &live))
        return;
    enum queue_owes owes = owe(tx, r, &live);
    db_run(tx->db, SQL_LIVE_STOP, INT(live.id), INT(1), INT(r->next_at.ms), TEXT(r->reply), INT(state),
           TEXT(r->host));
    queue_place_count(tx, live.place_id, live.state, state, 1);
    if (live.state != state && owes == QUEUE_OWES_NOTHING)
        queue_notice_add(tx, r);
}

/* What happens most, an end or another attempt, asks nothing. */
static void settle_one(struct sql_tx *tx, struct op_queue_settle *o, const struct queue_result *r)
{
    enum queue_state state = queue_outcome_state(r->outcome);
    if (r->delivery_id >= tx->who.next_delivery || r->delivery_id <= 0)
        return;
    add_attempt(tx, r);
    if (!queue_state_is_live(state))
        queue_live_end(tx, &o->op, r->delivery_id,
                       &(struct queue_end){state, 1, r->reply, r->at, o->keep, r});
    else if (state == QUEUE_WAITING) /* a held one stays held */
        defer(tx, r);
    else
        stop(tx, r, state);
}

int sql_queue_settle(struct sql_tx *tx, struct store_op *op)
{
    struct op_queue_settle *o = (struct op_queue_settle *)op;
    for (size_t i = 0; i < o->count; i++)
        settle_one(tx, o, &o->results[i]);
    if (!o->keep)
        queue_let_go(tx, queue_last_delivery(o->results, o->count));
    return 0;
}
