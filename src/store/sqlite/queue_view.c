/* Looking at a queue: the numbers of the rows first, from indices, then the rows. */
#include <string.h>

#include "store/sqlite/queue.h"
#include "store/sqlite/queue_sql.h"

#define STATES_ENDED ((1U << QUEUE_DELIVERED) | (1U << QUEUE_BOUNCED) | (1U << QUEUE_REMOVED))

/* ---- lists of numbers ---- */

void queue_ids_add(struct store_op *op, struct queue_ids *l, int64_t id)
{
    l->ids = op_array_grow(op, l->ids, l->count, sizeof(*l->ids));
    l->ids[l->count++] = id;
}

static int id_cmp(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void ids_cut(struct queue_ids *l, size_t limit)
{
    if (l->count > 1)
        qsort(l->ids, l->count, sizeof(*l->ids), id_cmp);
    if (l->count > limit)
        l->count = limit;
}

static bool ids_have(const struct queue_ids *l, int64_t id)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->ids[i] == id)
            return true;
    return false;
}

static void ids_add_rows(struct sqlite_tx *tx, struct store_op *op, struct queue_ids *l, sqlite3_stmt *row)
{
    for (; row; row = db_next(tx->db, row))
        queue_ids_add(op, l, db_col_i64(row, 0));
}

/* ---- rows ---- */

static struct queue_delivery show_row(struct store_op *op, sqlite3_stmt *row)
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
    };
    struct str custody = db_col_str(row, 2);
    if (custody.len == CUSTODY_ID_BYTES)
        memcpy(d.custody_id.bytes, custody.ptr, CUSTODY_ID_BYTES);
    return d;
}

struct queue_delivery queue_row_show(struct sqlite_tx *tx, struct store_op *op, int64_t id)
{
    struct queue_delivery d = {.id = 0};
    sqlite3_stmt *row = db_query(tx->db, SQL_LIVE_ROW, INT(id));
    if (!row)
        row = db_query(tx->db, SQL_ENDED_ROW, INT(id));
    if (row)
        d = show_row(op, row);
    db_end(row);
    return d;
}

static void show_id(struct sqlite_tx *tx, struct store_op *op, struct queue_rows_out *out, int64_t id)
{
    struct queue_delivery d = queue_row_show(tx, op, id);
    if (d.id == 0)
        return;
    out->items = op_array_grow(op, out->items, out->count, sizeof(*out->items));
    out->items[out->count++] = d;
}

/* ids holds one more than limit when there are further ones. */
static void show_ids(struct sqlite_tx *tx, struct store_op *op, struct queue_rows_out *out,
                     const struct queue_ids *ids, size_t limit)
{
    *out = (struct queue_rows_out){.more = ids->count > limit};
    for (size_t i = 0; i < ids->count && i < limit; i++)
        show_id(tx, op, out, ids->ids[i]);
}

/* ---- due ---- */

static struct queue_ids places_of(struct sqlite_tx *tx, struct store_op *op, struct str domain,
                                  struct str home)
{
    struct queue_ids places = {0};
    if (home.len > 0)
        ids_add_rows(tx, op, &places, db_query(tx->db, SQL_PLACE_BY_HOME, TEXT(home)));
    else
        ids_add_rows(tx, op, &places, db_query(tx->db, SQL_PLACE_FIND, TEXT(domain), TEXT(STR_EMPTY)));
    return places;
}

int sqlite_queue_due(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_due *o = (struct op_queue_due *)op;
    const struct queue_due_filter *f = &o->filter;
    struct queue_ids places = places_of(tx, op, f->domain, f->home), ids = {0};
    for (size_t i = 0; i < places.count; i++)
        ids_add_rows(tx, op, &ids,
                     db_query(tx->db, SQL_LIVE_DUE, INT(places.ids[i]), INT(f->lossy), INT(f->after_id),
                              INT(f->now.ms), INT(f->limit + 1)));
    ids_cut(&ids, f->limit + 1);
    show_ids(tx, op, &o->ret_rows, &ids, f->limit);
    return 0;
}

/* Merges the oldest of each place; an own home may have a few, a domain has one. */
int sqlite_queue_oldest(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_due *o = (struct op_queue_due *)op;
    const struct queue_due_filter *f = &o->filter;
    struct queue_ids places = places_of(tx, op, f->domain, f->home), ids = {0};
    for (size_t i = 0; i < places.count; i++)
        ids_add_rows(tx, op, &ids, db_query(tx->db, SQL_LIVE_OLDEST, INT(places.ids[i]), INT(f->limit + 1)));
    for (size_t i = 0; i < ids.count; i++)
        show_id(tx, op, &o->ret_rows, ids.ids[i]);
    queue_rows_by_age(&o->ret_rows, f->limit);
    return 0;
}

int sqlite_queue_next_at(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_next_at *o = (struct op_queue_next_at *)op;
    const struct queue_due_filter *f = &o->filter;
    struct queue_ids places = places_of(tx, op, f->domain, f->home);
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < places.count; i++) {
        int64_t at =
            db_number(tx->db, SQL_LIVE_LATER, INT64_MAX, INT(places.ids[i]), INT(f->lossy), INT(f->now.ms));
        next = at < next ? at : next;
    }
    o->ret_next_at.ms = next;
    return next == INT64_MAX ? ERR_NOT_FOUND : 0;
}

/* ---- list ---- */

static bool has_place_filter(const struct queue_filter *f)
{
    return f->domain_count > 0 || f->home.ptr;
}

static struct queue_ids filter_places(struct sqlite_tx *tx, struct store_op *op, const struct queue_filter *f)
{
    struct queue_ids places = {0};
    for (size_t i = 0; i < f->domain_count; i++)
        ids_add_rows(tx, op, &places, db_query(tx->db, SQL_PLACE_FIND, TEXT(f->domains[i]), TEXT(STR_EMPTY)));
    if (f->home.len > 0)
        ids_add_rows(tx, op, &places, db_query(tx->db, SQL_PLACE_BY_HOME, TEXT(f->home)));
    return places;
}

/* The range (first, last] of numbers that can be selected; empty: false. */
static bool filter_range(struct sqlite_tx *tx, const struct queue_filter *f, int64_t *first, int64_t *last)
{
    *first = f->after_id;
    *last = INT64_MAX;
    if (f->delivery_id != 0) {
        *first = f->delivery_id - 1 > *first ? f->delivery_id - 1 : *first;
        *last = f->delivery_id;
    }
    if (f->custody_id) {
        sqlite3_stmt *row =
            db_query(tx->db, SQL_MESSAGE_BY_CUSTODY, BLOB(f->custody_id->bytes, CUSTODY_ID_BYTES));
        int64_t from = row ? db_col_i64(row, 1) : 0, end = row ? from + db_col_i64(row, 2) : 0;
        db_end(row);
        *first = from - 1 > *first ? from - 1 : *first;
        *last = end - 1 < *last ? end - 1 : *last;
    }
    return *first < *last;
}

static void scan(struct sqlite_tx *tx, struct store_op *op, enum queue_sql sql, const struct queue_filter *f,
                 const struct queue_ids *places, size_t limit, struct queue_ids *out)
{
    const struct db_value none = {.type = DB_NULL};
    int64_t first, last;
    size_t found = 0;
    if (!filter_range(tx, f, &first, &last))
        return;
    sqlite3_stmt *row =
        db_query(tx->db, sql, INT(first), INT(last), INT(f->states), f->sender.ptr ? TEXT(f->sender) : none,
                 f->recipient.ptr ? TEXT(f->recipient) : none);
    while (row && found < limit) {
        if (!has_place_filter(f) || ids_have(places, db_col_i64(row, 1))) {
            queue_ids_add(op, out, db_col_i64(row, 0));
            found++;
        }
        row = db_next(tx->db, row);
    }
    db_end(row);
}

static void by_place(struct sqlite_tx *tx, struct store_op *op, const struct queue_filter *f,
                     const struct queue_ids *places, size_t limit, struct queue_ids *out)
{
    for (size_t i = 0; i < places->count; i++)
        for (int state = QUEUE_WAITING; state <= QUEUE_QUARANTINED; state++)
            for (int lossy = 0; lossy <= 1 && ((f->states >> state) & 1); lossy++)
                ids_add_rows(tx, op, out,
                             db_query(tx->db, SQL_LIVE_AT_PLACE, INT(places->ids[i]), INT(state), INT(lossy),
                                      INT(f->after_id), INT(limit)));
}

struct queue_ids queue_select(struct sqlite_tx *tx, struct store_op *op, const struct queue_filter *f,
                              size_t limit)
{
    struct queue_ids places = filter_places(tx, op, f), out = {0};
    bool narrow = f->sender.ptr || f->recipient.ptr || f->custody_id || f->delivery_id != 0;
    if ((f->states & QUEUE_LIVE_STATES) && has_place_filter(f) && !narrow)
        by_place(tx, op, f, &places, limit, &out);
    else if (f->states & QUEUE_LIVE_STATES)
        scan(tx, op, SQL_LIVE_SCAN, f, &places, limit, &out);
    if (f->states & STATES_ENDED)
        scan(tx, op, SQL_ENDED_SCAN, f, &places, limit, &out);
    ids_cut(&out, limit);
    return out;
}

int sqlite_queue_list(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_list *o = (struct op_queue_list *)op;
    struct queue_ids ids = queue_select(tx, op, &o->filter, o->filter.limit + 1);
    show_ids(tx, op, &o->ret_rows, &ids, o->filter.limit);
    return 0;
}

/* ---- summary ---- */

/* Of those that wait or are held. */
static struct wall_time oldest_at(struct sqlite_tx *tx, int64_t place_id)
{
    int64_t oldest = INT64_MAX;
    for (int state = QUEUE_WAITING; state <= QUEUE_HELD; state++)
        for (int lossy = 0; lossy <= 1; lossy++) {
            int64_t id = db_number(tx->db, SQL_LIVE_AT_PLACE, INT64_MAX, INT(place_id), INT(state),
                                   INT(lossy), INT(0), INT(1));
            oldest = id < oldest ? id : oldest;
        }
    if (oldest == INT64_MAX)
        return (struct wall_time){0};
    return (struct wall_time){db_number(tx->db, SQL_LIVE_RECEIVED, 0, INT(oldest))};
}

int sqlite_queue_summary(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_summary *o = (struct op_queue_summary *)op;
    for (sqlite3_stmt *row = db_query(tx->db, SQL_PLACE_LIST); row; row = db_next(tx->db, row)) {
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

static void show_attempt(struct op_queue_trace *o, sqlite3_stmt *row)
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

int sqlite_queue_trace(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_trace *o = (struct op_queue_trace *)op;
    sqlite3_stmt *row = db_query(tx->db, SQL_MESSAGE_BY_CUSTODY, BLOB(o->custody_id.bytes, CUSTODY_ID_BYTES));
    if (!row)
        return ERR_NOT_FOUND;
    int64_t first = db_col_i64(row, 1), end = first + db_col_i64(row, 2);
    db_end(row);
    for (int64_t id = first; id < end; id++)
        show_id(tx, op, &o->ret_rows, id);
    for (row = db_query(tx->db, SQL_ATTEMPT_LIST, INT(first), INT(end)); row; row = db_next(tx->db, row))
        show_attempt(o, row);
    return 0;
}
