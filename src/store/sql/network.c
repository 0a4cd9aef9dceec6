#include "store/network_op.h"
#include "store/sql/network_sql.h"
#include "store/sql/tx.h"

/* ---- leases ---- */

struct stored_lease {
    struct str holder; /* in the operation's arena */
    int64_t token, expires_ms;
};

static struct stored_lease lease_get(struct sql_tx *tx, struct store_op *op, struct str name)
{
    struct stored_lease lease = {STR_EMPTY, 0, -1};
    struct db_row *row = db_query(tx->db, SQL_LEASE_GET, TEXT(name));
    if (row) {
        lease = (struct stored_lease){op_str(op, db_col_str(row, 0)), db_col_i64(row, 1), db_col_i64(row, 2)};
        db_end(row);
    }
    return lease;
}

int sql_lease_take(struct sql_tx *tx, struct store_op *op)
{
    struct op_lease_take *o = (struct op_lease_take *)op;
    struct stored_lease lease = lease_get(tx, op, o->name);
    bool runs = lease.expires_ms > tx->now_ms, same_holder = str_eq(lease.holder, o->holder);
    bool stale = o->token != 0 && (o->token != lease.token || !same_holder);
    if (stale || (runs && !same_holder)) {
        o->ret_current =
            (struct network_lease){o->name, lease.holder, lease.token, lease.expires_ms - tx->now_ms};
        return ERR_BUSY;
    }
    if (!runs || o->token == 0)
        lease.token++;
    db_run(tx->db, SQL_LEASE_PUT, TEXT(o->name), TEXT(o->holder), INT(lease.token),
           INT(tx->now_ms + o->ttl_ms));
    o->ret_current = (struct network_lease){o->name, o->holder, lease.token, o->ttl_ms};
    return 0;
}

int sql_lease_release(struct sql_tx *tx, struct store_op *op)
{
    struct op_lease_release *o = (struct op_lease_release *)op;
    struct stored_lease lease = lease_get(tx, op, o->name);
    if (lease.token != o->token || !str_eq(lease.holder, o->holder))
        return ERR_FENCED;
    db_run(tx->db, SQL_LEASE_PUT, TEXT(o->name), TEXT(o->holder), INT(lease.token), INT(tx->now_ms));
    return 0;
}

/* ---- records ---- */

static struct network_record show_record(struct sql_tx *tx, struct store_op *op, struct db_row *row)
{
    int64_t written_ms = db_col_i64(row, 4);
    return (struct network_record){op_str(op, db_col_str(row, 0)), op_str(op, db_col_str(row, 1)),
                                   op_str(op, db_col_str(row, 2)), db_col_i64(row, 3),
                                   written_ms < 0 ? NETWORK_AGE_ANCIENT_MS : tx->now_ms - written_ms};
}

int sql_record_read(struct sql_tx *tx, struct store_op *op)
{
    struct op_record_read *o = (struct op_record_read *)op;
    struct db_row *row = o->key.ptr ? db_query(tx->db, SQL_RECORD_GET, TEXT(o->kind), TEXT(o->key))
                                    : db_query(tx->db, SQL_RECORD_LIST, TEXT(o->kind));
    for (; row; row = db_next(row)) {
        o->ret_records = op_array_grow(op, o->ret_records, o->ret_count, sizeof(*o->ret_records));
        o->ret_records[o->ret_count++] = show_record(tx, op, row);
    }
    return 0;
}

static void look_at_records(struct sql_tx *tx, struct op_look *o)
{
    struct store_op *op = &o->op;
    struct str k[NETWORK_LOOK_KINDS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(k); i++)
        k[i] = o->kinds[i < o->kind_count ? i : 0];
    struct db_row *row =
        db_query(tx->db, SQL_RECORDS_OF_KINDS, TEXT(k[0]), TEXT(k[1]), TEXT(k[2]), TEXT(k[3]), TEXT(k[4]),
                 TEXT(k[5]), TEXT(k[6]), TEXT(k[7]), TEXT(k[8]), TEXT(k[9]));
    for (; row; row = db_next(row)) {
        o->ret_records = op_array_grow(op, o->ret_records, o->ret_record_count, sizeof(*o->ret_records));
        o->ret_records[o->ret_record_count++] = show_record(tx, op, row);
    }
}

int sql_look(struct sql_tx *tx, struct store_op *op)
{
    struct op_look *o = (struct op_look *)op;
    if (o->kind_count > 0)
        look_at_records(tx, o);
    for (struct db_row *row = db_query(tx->db, SQL_LEASE_LIST); row; row = db_next(row)) {
        o->ret_leases = op_array_grow(op, o->ret_leases, o->ret_lease_count, sizeof(*o->ret_leases));
        o->ret_leases[o->ret_lease_count++] =
            (struct network_lease){op_str(op, db_col_str(row, 0)), op_str(op, db_col_str(row, 1)),
                                   db_col_i64(row, 2), db_col_i64(row, 3) - tx->now_ms};
    }
    return 0;
}

static bool guard_holds(struct sql_tx *tx, struct store_op *op, const struct network_lease *guard)
{
    struct stored_lease lease = lease_get(tx, op, guard->name);
    return lease.token == guard->token && lease.expires_ms > tx->now_ms &&
           str_eq(lease.holder, guard->holder);
}

static bool change_fits(struct sql_tx *tx, const struct network_change *c)
{
    return c->type == NETWORK_EVENT || c->expect_version == NETWORK_ANY_VERSION ||
           c->expect_version ==
               db_number(tx->db, SQL_RECORD_VERSION, NETWORK_ABSENT, TEXT(c->kind), TEXT(c->key));
}

static void change_apply(struct sql_tx *tx, const struct network_change *c, struct wall_time at)
{
    switch (c->type) {
    case NETWORK_PUT:
        db_run(tx->db, SQL_RECORD_PUT, TEXT(c->kind), TEXT(c->key), TEXT(c->value), INT(tx->now_ms));
        break;
    case NETWORK_DELETE:
        db_run(tx->db, SQL_RECORD_DELETE, TEXT(c->kind), TEXT(c->key));
        break;
    case NETWORK_EVENT:
        db_run(tx->db, SQL_EVENT_ADD, INT(at.ms), TEXT(c->kind), TEXT(c->key), TEXT(c->value));
        break;
    }
}

int sql_record_write(struct sql_tx *tx, struct store_op *op)
{
    struct op_record_write *o = (struct op_record_write *)op;
    o->ret_failed = 0;
    if (o->guard && !guard_holds(tx, op, o->guard))
        return ERR_FENCED;
    for (; o->ret_failed < o->count; o->ret_failed++)
        if (!change_fits(tx, &o->changes[o->ret_failed]))
            return ERR_CONFLICT;
    for (size_t i = 0; i < o->count; i++)
        change_apply(tx, &o->changes[i], o->at);
    return 0;
}

/* ---- events ---- */

int sql_event_list(struct sql_tx *tx, struct store_op *op)
{
    struct op_event_list *o = (struct op_event_list *)op;
    int64_t after = o->after_id;
    if (after < 0)
        after = db_number(tx->db, SQL_EVENT_FIRST_OF_NEWEST, 1, INT(o->limit)) - 1;
    struct db_row *row = db_query(tx->db, SQL_EVENT_AFTER, INT(after), INT(o->limit));
    for (; row; row = db_next(row)) {
        o->ret_events = op_array_grow(op, o->ret_events, o->ret_count, sizeof(*o->ret_events));
        o->ret_events[o->ret_count++] = (struct network_event){db_col_i64(row, 0),
                                                               {db_col_i64(row, 1)},
                                                               op_str(op, db_col_str(row, 2)),
                                                               op_str(op, db_col_str(row, 3)),
                                                               op_str(op, db_col_str(row, 4))};
    }
    return 0;
}

int sql_event_prune(struct sql_tx *tx, struct store_op *op)
{
    struct op_event_prune *o = (struct op_event_prune *)op;
    if (o->guard && !guard_holds(tx, op, o->guard))
        return ERR_FENCED;
    o->ret_removed =
        (size_t)db_change(tx->db, SQL_EVENT_PRUNE, INT(o->keep), INT(o->before.ms), INT(o->limit));
    return 0;
}

/* ---- recipients ---- */

int sql_recipient_find(struct sql_tx *tx, struct store_op *op)
{
    struct op_recipient_find *o = (struct op_recipient_find *)op;
    o->ret_found = NULL;
    struct db_row *row = db_query(tx->db, SQL_RECIPIENT_GET, TEXT(o->domain), TEXT(o->address));
    if (row) {
        o->ret_found = op_alloc(op, sizeof(*o->ret_found));
        *o->ret_found = (struct network_recipient){o->address, db_col_i64(row, 0) != 0, {db_col_i64(row, 1)}};
        db_end(row);
    }
    return 0;
}

static void recipient_put(struct sql_tx *tx, struct str domain, const struct network_recipient *r)
{
    if (r->at.ms < db_number(tx->db, SQL_RECIPIENT_AT, INT64_MIN, TEXT(domain), TEXT(r->address)))
        return;
    db_run(tx->db, SQL_RECIPIENT_DELETE, TEXT(domain), TEXT(r->address));
    db_run(tx->db, SQL_RECIPIENT_ADD, TEXT(domain), TEXT(r->address), INT(r->known), INT(r->at.ms));
}

static void recipients_trim(struct sql_tx *tx, struct str domain, bool known, int64_t max,
                            struct wall_time since)
{
    db_run(tx->db, SQL_RECIPIENT_TRIM, TEXT(domain), INT(known), INT(since.ms), INT(RECIPIENTS_REMOVED_MAX));
    int64_t excess = db_number(tx->db, SQL_RECIPIENT_COUNT, 0, TEXT(domain), INT(known)) - max;
    if (excess > 0)
        db_run(tx->db, SQL_RECIPIENT_TRIM, TEXT(domain), INT(known), INT(INT64_MAX),
               INT(excess < RECIPIENTS_REMOVED_MAX ? excess : RECIPIENTS_REMOVED_MAX));
}

int sql_recipients_put(struct sql_tx *tx, struct store_op *op)
{
    struct op_recipients_put *o = (struct op_recipients_put *)op;
    for (size_t i = 0; i < o->count; i++)
        recipient_put(tx, o->domain, &o->answers[i]);
    recipients_trim(tx, o->domain, true, o->bounds.known_max, o->bounds.known_since);
    recipients_trim(tx, o->domain, false, o->bounds.unknown_max, o->bounds.unknown_since);
    return 0;
}
