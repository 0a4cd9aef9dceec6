/* Looking at a queue in SQLite, and operating on what was found. */
#include <string.h>

#include "store/queue_op.h"
#include "store/sqlite/queue_rows.h"

#define ROW_COLUMNS                                                                                          \
    "SELECT d.id, d.message_id, m.custody, m.reverse_path, d.recipient, d.domain, d.home, d.state, "         \
    "d.attempts,"                                                                                            \
    " d.losses, d.next_at, m.received_at, m.size, m.eight_bit, m.smtputf8, d.last_reply"                     \
    " FROM delivery d JOIN message m ON m.id = d.message_id "
#define ACT_SLICE 1000 /* deliveries changed in one transaction */

static void take_row(struct store_op *op, struct queue_rows_out *rows, sqlite3_stmt *s)
{
    rows->items = op_array_grow(op, rows->items, rows->count, sizeof(*rows->items));
    struct queue_delivery *d = &rows->items[rows->count++];
    struct str custody = db_text(s, 2);
    d->id = sqlite3_column_int64(s, 0);
    d->message_id = sqlite3_column_int64(s, 1);
    if (custody.len == CUSTODY_ID_BYTES)
        memcpy(d->custody_id.bytes, custody.ptr, CUSTODY_ID_BYTES);
    d->reverse_path = db_op_text(op, s, 3);
    d->recipient = db_op_text(op, s, 4);
    d->domain = db_op_text(op, s, 5);
    d->home = db_op_text(op, s, 6);
    d->state = (enum queue_state)sqlite3_column_int(s, 7);
    d->attempts = (uint32_t)sqlite3_column_int64(s, 8);
    d->losses = (uint32_t)sqlite3_column_int64(s, 9);
    d->next_at.ms = sqlite3_column_int64(s, 10);
    d->received_at.ms = sqlite3_column_int64(s, 11);
    d->size_bytes = (uint64_t)sqlite3_column_int64(s, 12);
    d->eight_bit = sqlite3_column_int(s, 13) != 0;
    d->smtputf8 = sqlite3_column_int(s, 14) != 0;
    d->last_reply = db_op_text(op, s, 15);
}

/* Up to limit rows; rows->more tells of a further one. */
static int take_rows(struct sqlite_tx *tx, struct store_op *op, struct queue_rows_out *rows, sqlite3_stmt *s,
                     size_t limit)
{
    int rc;
    while ((rc = db_step(tx->db, s)) == 1) {
        if (rows->count == limit) {
            rows->more = true;
            db_end(s);
            return 0;
        }
        take_row(op, rows, s);
    }
    return rc;
}

/* ---- due ---- */

int sqlite_queue_due(struct sqlite_tx *tx, struct store_op *op)
{
    static const char by_domain[] =
        ROW_COLUMNS "WHERE d.state = 0 AND d.home = '' AND d.domain = ?1"
                    " AND (d.losses > 0) = ?2 AND d.id > ?3 AND d.next_at <= ?4 ORDER BY d.id";
    static const char by_home[] = ROW_COLUMNS "WHERE d.state = 0 AND d.home = ?1 AND (d.losses > 0) = ?2"
                                              " AND d.id > ?3 AND d.next_at <= ?4 ORDER BY d.id";
    struct op_queue_due *o = (struct op_queue_due *)op;
    const struct queue_due_filter *f = &o->filter;
    bool home = f->home.len > 0;
    sqlite3_stmt *s = db_query(tx->db, home ? by_home : by_domain, "tiii", home ? f->home : f->domain,
                               (int64_t)f->lossy, f->after_id, f->now.ms);
    return take_rows(tx, op, &o->ret_rows, s, f->limit);
}

int sqlite_queue_next_at(struct sqlite_tx *tx, struct store_op *op)
{
    static const char by_domain[] =
        "SELECT min(next_at) FROM delivery WHERE state = 0 AND home = '' AND domain = ?1"
        " AND (losses > 0) = ?2 AND next_at > ?3";
    static const char by_home[] = "SELECT min(next_at) FROM delivery WHERE state = 0 AND home = ?1"
                                  " AND (losses > 0) = ?2 AND next_at > ?3";
    struct op_queue_next_at *o = (struct op_queue_next_at *)op;
    const struct queue_due_filter *f = &o->filter;
    bool home = f->home.len > 0;
    int64_t next = 0;
    int err = db_get(tx->db, &next, home ? by_home : by_domain, "tii", home ? f->home : f->domain,
                     (int64_t)f->lossy, f->now.ms);
    if (err == 0 && next == 0)
        return ERR_NOT_FOUND; /* min of nothing is NULL */
    o->ret_next_at.ms = next;
    return err;
}

/* ---- list ---- */

/* What the text of the statement depends on: which index leads, ended or not. */
static const char *list_sql(const struct queue_filter *f)
{
#define LIST_REST                                                                                            \
    " AND d.id > ?1 AND ((?2 >> d.state) & 1) AND (?3 = 0 OR d.id = ?3) AND (?4 IS NULL OR m.reverse_path "  \
    "= ?4)"                                                                                                  \
    " AND (?5 IS NULL OR d.recipient = ?5) ORDER BY d.id"
    static const char one[] = ROW_COLUMNS "WHERE d.id = ?3" LIST_REST;
    static const char custody[] = ROW_COLUMNS "WHERE m.custody = ?6" LIST_REST;
    static const char live[] = ROW_COLUMNS "WHERE d.state IN (0, 1, 2)" LIST_REST;
    static const char all[] = ROW_COLUMNS "WHERE 1" LIST_REST;
#undef LIST_REST
    if (f->delivery_id != 0)
        return one;
    if (f->custody_id)
        return custody;
    return (f->states & ~QUEUE_LIVE_STATES) == 0 ? live : all;
}

static sqlite3_stmt *list_query(struct sqlite_tx *tx, const struct queue_filter *f, int64_t after_id)
{
    struct str custody = {f->custody_id ? (const char *)f->custody_id->bytes : NULL, CUSTODY_ID_BYTES};
    char kinds[] = "iiiTTb"; /* T: text, or NULL when it has no ptr */
    if (!f->custody_id || f->delivery_id != 0)
        kinds[5] = '\0';
    return db_query(tx->db, list_sql(f), kinds, after_id, (int64_t)f->states, f->delivery_id, f->sender,
                    f->recipient, custody);
}

static bool place_fits(const struct queue_filter *f, struct str domain, struct str home)
{
    if (f->domain_count == 0 && !f->home.ptr)
        return true;
    if (f->home.ptr && f->home.len > 0 && str_eq(home, f->home))
        return true;
    for (size_t i = 0; home.len == 0 && i < f->domain_count; i++)
        if (str_eq(domain, f->domains[i]))
            return true;
    return false;
}

int sqlite_queue_list(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_list *o = (struct op_queue_list *)op;
    sqlite3_stmt *s = list_query(tx, &o->filter, o->filter.after_id);
    int rc;
    while ((rc = db_step(tx->db, s)) == 1) {
        if (!place_fits(&o->filter, db_text(s, 5), db_text(s, 6)))
            continue;
        if (o->ret_rows.count == o->filter.limit) {
            o->ret_rows.more = true;
            db_end(s);
            return 0;
        }
        take_row(op, &o->ret_rows, s);
    }
    return rc;
}

/* ---- act ---- */

struct chosen {
    int64_t id, message_id;
    enum queue_state state;
    struct str domain, home;
};

/* The next up to ACT_SLICE deliveries that fit, from filter.after_id on. */
static int choose(struct sqlite_tx *tx, struct op_queue_act *o, struct chosen **ret_items, size_t *ret_count,
                  bool *ret_more)
{
    struct chosen *items = NULL;
    size_t count = 0;
    sqlite3_stmt *s = list_query(tx, &o->filter, o->filter.after_id);
    int rc;
    *ret_more = false;
    while ((rc = db_step(tx->db, s)) == 1) {
        if (!place_fits(&o->filter, db_text(s, 5), db_text(s, 6)))
            continue;
        if (count == ACT_SLICE || (o->filter.limit > 0 && count == o->filter.limit)) {
            *ret_more = count == ACT_SLICE && count != o->filter.limit;
            db_end(s);
            rc = 0;
            break;
        }
        items = op_array_grow(&o->op, items, count, sizeof(*items));
        items[count++] = (struct chosen){sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1),
                                         (enum queue_state)sqlite3_column_int(s, 7), db_op_text(&o->op, s, 5),
                                         db_op_text(&o->op, s, 6)};
    }
    *ret_items = items;
    *ret_count = count;
    return rc;
}

static int change(struct sqlite_tx *tx, const struct op_queue_act *o, const struct chosen *c,
                  enum queue_state state)
{
    static const char sql[] =
        "UPDATE delivery SET state = ?2, home = ?3, next_at = CASE WHEN ?4 THEN 0 ELSE next_at END,"
        " losses = CASE WHEN ?5 THEN 0 ELSE losses END,"
        " last_reply = CASE WHEN ?6 THEN ?7 ELSE last_reply END WHERE id = ?1";
    struct str home = o->action == QUEUE_ACT_MOVE ? o->home : c->home;
    bool release = o->action == QUEUE_ACT_RELEASE;
    int err = db_run(tx->db, sql, "iitiiit", c->id, (int64_t)state, home,
                     (int64_t)(release || o->action == QUEUE_ACT_RETRY), (int64_t)release,
                     (int64_t)(state == QUEUE_REMOVED), o->why);
    if (err == 0)
        err = sqlite_queue_tally(tx, c->domain, c->home, c->state, -1);
    if (err == 0)
        err = sqlite_queue_tally(tx, c->domain, home, state, 1);
    if (err == 0 && state == QUEUE_REMOVED)
        err = sqlite_queue_end_one(tx, c->message_id);
    return err;
}

static int act_one(struct sqlite_tx *tx, struct op_queue_act *o, const struct chosen *c)
{
    int target = queue_action_target(o->action, c->state);
    if (target < 0 || (o->action == QUEUE_ACT_MOVE && str_eq(c->home, o->home)))
        return 0;
    int err = change(tx, o, c, (enum queue_state)target);
    o->ret_changed += err == 0;
    return err;
}

/* One record of an act, whatever number of slices it takes. */
static int record_act(struct sqlite_tx *tx, struct op_queue_act *o)
{
    static const char put[] =
        "INSERT INTO act(action, home, who, why, at, changed) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    static const char set[] = "UPDATE act SET changed = ?2 WHERE id = ?1";
    if (o->record_id != 0)
        return db_run(tx->db, set, "iu", o->record_id, o->ret_changed);
    int err =
        db_run(tx->db, put, "itttiu", (int64_t)o->action, o->home, o->who, o->why, o->at.ms, o->ret_changed);
    if (err == 0)
        o->record_id = db_last_id(tx->db);
    return err;
}

int sqlite_queue_act(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_act *o = (struct op_queue_act *)op;
    struct chosen *items;
    size_t count;
    bool more;
    int err = choose(tx, o, &items, &count, &more);
    for (size_t i = 0; err == 0 && i < count; i++)
        err = act_one(tx, o, &items[i]);
    if (err == 0)
        err = record_act(tx, o);
    if (err != 0 || !more)
        return err;
    o->filter.after_id = items[count - 1].id;
    if (o->filter.limit > 0)
        o->filter.limit -= count;
    return OP_AGAIN;
}

/* ---- summary ---- */

static int find_oldest(struct sqlite_tx *tx, struct queue_count *c)
{
    static const char waiting[] =
        "SELECT m.received_at FROM delivery d JOIN message m ON m.id = d.message_id"
        " WHERE d.state = 0 AND d.home = ?1 AND d.domain = ?2 AND (d.losses > 0) IN (0, 1)"
        " ORDER BY d.id LIMIT 1";
    static const char apart[] =
        "SELECT m.received_at FROM delivery d JOIN message m ON m.id = d.message_id"
        " WHERE d.state IN (1, 2) AND d.home = ?1 AND d.domain = ?2 ORDER BY d.id LIMIT 1";
    int64_t a = INT64_MAX, b = INT64_MAX;
    int err = c->waiting > 0 ? db_get(tx->db, &a, waiting, "tt", c->home, c->domain) : 0;
    if (err == 0 && c->held + c->quarantined > 0)
        err = db_get(tx->db, &b, apart, "tt", c->home, c->domain);
    c->oldest.ms = a < b ? a : b;
    return err == ERR_NOT_FOUND ? 0 : err;
}

static void take_count(struct op_queue_summary *o, sqlite3_stmt *s)
{
    struct str domain = db_text(s, 0), home = db_text(s, 1);
    struct queue_count *last = o->ret_count > 0 ? &o->ret_counts[o->ret_count - 1] : NULL;
    if (!last || !str_eq(last->domain, domain) || !str_eq(last->home, home)) {
        o->ret_counts = op_array_grow(&o->op, o->ret_counts, o->ret_count, sizeof(*o->ret_counts));
        last = &o->ret_counts[o->ret_count++];
        *last = (struct queue_count){.domain = op_str(&o->op, domain), .home = op_str(&o->op, home)};
    }
    uint64_t count = (uint64_t)sqlite3_column_int64(s, 3);
    switch (sqlite3_column_int(s, 2)) {
    case QUEUE_WAITING:
        last->waiting = count;
        break;
    case QUEUE_HELD:
        last->held = count;
        break;
    default:
        last->quarantined = count;
    }
}

int sqlite_queue_summary(struct sqlite_tx *tx, struct store_op *op)
{
    static const char sql[] =
        "SELECT domain, home, state, count FROM tally WHERE count > 0 ORDER BY domain, home";
    struct op_queue_summary *o = (struct op_queue_summary *)op;
    sqlite3_stmt *s = db_query(tx->db, sql, "");
    int rc;
    while ((rc = db_step(tx->db, s)) == 1)
        take_count(o, s);
    for (size_t i = 0; rc == 0 && i < o->ret_count; i++)
        rc = find_oldest(tx, &o->ret_counts[i]);
    return rc;
}

/* ---- trace ---- */

static int take_attempts(struct sqlite_tx *tx, struct op_queue_trace *o, const struct queue_delivery *d)
{
    static const char sql[] = "SELECT outcome, server, instance, reply, epoch, generation, at FROM attempt"
                              " WHERE delivery_id = ?1 ORDER BY id";
    sqlite3_stmt *s = db_query(tx->db, sql, "i", d->id);
    int rc;
    while ((rc = db_step(tx->db, s)) == 1) {
        o->ret_attempts =
            op_array_grow(&o->op, o->ret_attempts, o->ret_attempt_count, sizeof(*o->ret_attempts));
        o->ret_attempts[o->ret_attempt_count++] = (struct queue_attempt){
            .delivery_id = d->id,
            .recipient = d->recipient,
            .outcome = (enum queue_outcome)sqlite3_column_int(s, 0),
            .server = db_op_text(&o->op, s, 1),
            .instance = db_op_text(&o->op, s, 2),
            .reply = db_op_text(&o->op, s, 3),
            .epoch = sqlite3_column_int64(s, 4),
            .generation = sqlite3_column_int64(s, 5),
            .at = {sqlite3_column_int64(s, 6)},
        };
    }
    return rc;
}

int sqlite_queue_trace(struct sqlite_tx *tx, struct store_op *op)
{
    static const char sql[] = ROW_COLUMNS "WHERE m.custody = ?1 ORDER BY d.id";
    struct op_queue_trace *o = (struct op_queue_trace *)op;
    struct str custody = {(const char *)o->custody_id.bytes, CUSTODY_ID_BYTES};
    int err = take_rows(tx, op, &o->ret_rows, db_query(tx->db, sql, "b", custody), SIZE_MAX);
    for (size_t i = 0; err == 0 && i < o->ret_rows.count; i++)
        err = take_attempts(tx, o, &o->ret_rows.items[i]);
    return err == 0 && o->ret_rows.count == 0 ? ERR_NOT_FOUND : err;
}
