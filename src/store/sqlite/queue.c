/* A queue in SQLite: ownership, accepting, settling. */
#include "store/queue_op.h"
#include "store/sqlite/queue_rows.h"

const char sqlite_schema_queue[] =
    "CREATE TABLE owner(one INTEGER PRIMARY KEY CHECK(one = 1), epoch INTEGER NOT NULL, node TEXT NOT NULL);"
    "INSERT INTO owner(one, epoch, node) VALUES(1, 0, '');"
    "CREATE TABLE message(id INTEGER PRIMARY KEY AUTOINCREMENT, custody BLOB NOT NULL UNIQUE,"
    " reverse_path TEXT NOT NULL, helo TEXT NOT NULL, client TEXT NOT NULL, eight_bit INTEGER NOT NULL,"
    " smtputf8 INTEGER NOT NULL, received_at INTEGER NOT NULL, size INTEGER NOT NULL, body_id INTEGER NOT "
    "NULL,"
    " live INTEGER NOT NULL);"
    "CREATE TABLE delivery(id INTEGER PRIMARY KEY AUTOINCREMENT, message_id INTEGER NOT NULL,"
    " recipient TEXT NOT NULL, domain TEXT NOT NULL, home TEXT NOT NULL, state INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, losses INTEGER NOT NULL, next_at INTEGER NOT NULL, last_reply TEXT NOT "
    "NULL);"
    "CREATE INDEX delivery_due ON delivery(home, domain, losses > 0, id) WHERE state = 0;"
    "CREATE INDEX delivery_apart ON delivery(id) WHERE state IN (1, 2);"
    "CREATE INDEX delivery_message ON delivery(message_id);"
    "CREATE TABLE attempt(id INTEGER PRIMARY KEY, delivery_id INTEGER NOT NULL, outcome INTEGER NOT NULL,"
    " server TEXT NOT NULL, instance TEXT NOT NULL, reply TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, at INTEGER NOT NULL);"
    "CREATE INDEX attempt_delivery ON attempt(delivery_id);"
    "CREATE TABLE act(id INTEGER PRIMARY KEY, action INTEGER NOT NULL, home TEXT NOT NULL, who TEXT NOT NULL,"
    " why TEXT NOT NULL, at INTEGER NOT NULL, changed INTEGER NOT NULL);"
    "CREATE TABLE tally(domain TEXT NOT NULL, home TEXT NOT NULL, state INTEGER NOT NULL, count INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(domain, home, state)) WITHOUT ROWID;"
    "CREATE TABLE tombstone(custody BLOB PRIMARY KEY) WITHOUT ROWID;";

int sqlite_queue_check_epoch(struct sqlite_tx *tx)
{
    static const char sql[] = "SELECT epoch FROM owner";
    int64_t epoch;
    int err = db_get(tx->db, &epoch, sql, "");
    if (err != 0)
        return err;
    return *tx->epoch > 0 && epoch == *tx->epoch ? 0 : ERR_FENCED;
}

int sqlite_queue_own(struct sqlite_tx *tx, struct store_op *op)
{
    static const char look[] = "SELECT epoch FROM owner";
    static const char take[] = "UPDATE owner SET epoch = ?1, node = ?2";
    struct op_queue_own *o = (struct op_queue_own *)op;
    int err = db_get(tx->db, &o->ret_epoch, look, "");
    if (err != 0)
        return err;
    if (o->ret_epoch != o->expect_epoch)
        return ERR_CONFLICT;
    err = db_run(tx->db, take, "it", o->ret_epoch + 1, o->owner);
    if (err == 0)
        err = sqlite_bodies_abandon(tx);
    if (err == 0)
        *tx->epoch = ++o->ret_epoch;
    return err;
}

int sqlite_queue_tally(struct sqlite_tx *tx, struct str domain, struct str home, enum queue_state state,
                       int64_t by)
{
    static const char sql[] = "INSERT INTO tally(domain, home, state, count) VALUES(?1, ?2, ?3, ?4)"
                              " ON CONFLICT(domain, home, state) DO UPDATE SET count = count + ?4";
    return queue_state_is_live(state) ? db_run(tx->db, sql, "ttii", domain, home, (int64_t)state, by) : 0;
}

/* ---- accepting ---- */

static struct str custody_key(const struct custody_id *id)
{
    return (struct str){(const char *)id->bytes, CUSTODY_ID_BYTES};
}

static int add_message(struct sqlite_tx *tx, struct op_queue_accept *o, int64_t body_id)
{
    static const char sql[] = "INSERT INTO message(custody, reverse_path, helo, client, eight_bit, smtputf8, "
                              "received_at, size, body_id,"
                              " live) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const struct queue_message_in *m = &o->message;
    int err = db_run(tx->db, sql, "btttiiiuii", custody_key(&m->custody_id), m->reverse_path, m->helo,
                     m->client, (int64_t)m->eight_bit, (int64_t)m->smtputf8, m->received_at.ms,
                     o->body.size_bytes, body_id, (int64_t)o->recipient_count);
    if (err == 0)
        o->ret_message_id = db_last_id(tx->db);
    return err == ERR_CONFLICT ? ERR_EXISTS : err;
}

static int add_delivery(struct sqlite_tx *tx, int64_t message_id, const struct queue_recipient_in *r)
{
    static const char sql[] =
        "INSERT INTO delivery(message_id, recipient, domain, home, state, attempts, losses,"
        " next_at, last_reply) VALUES(?1, ?2, ?3, '', 0, 0, 0, 0, '')";
    return db_run(tx->db, sql, "itt", message_id, r->address, r->domain);
}

/* One change for each run of recipients in the same domain. */
static int tally_recipients(struct sqlite_tx *tx, const struct op_queue_accept *o)
{
    int err = 0;
    for (size_t i = 0, run; err == 0 && i < o->recipient_count; i += run) {
        struct str domain = o->recipients[i].domain;
        for (run = 1; i + run < o->recipient_count && str_eq(o->recipients[i + run].domain, domain);)
            run++;
        err = sqlite_queue_tally(tx, domain, STR_EMPTY, QUEUE_WAITING, (int64_t)run);
    }
    return err;
}

static int is_tombstoned(struct sqlite_tx *tx, const struct custody_id *id)
{
    static const char sql[] = "SELECT 1 FROM tombstone WHERE custody = ?1";
    int64_t one;
    int err = db_get(tx->db, &one, sql, "b", custody_key(id));
    if (err == ERR_NOT_FOUND)
        return 0;
    return err == 0 ? ERR_EXISTS : err;
}

int sqlite_queue_accept(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_accept *o = (struct op_queue_accept *)op;
    int64_t body_id;
    int err = is_tombstoned(tx, &o->message.custody_id);
    if (err == 0)
        err = sqlite_body_finish(tx, &o->body, 1, &body_id);
    if (err == 0)
        err = add_message(tx, o, body_id);
    for (size_t i = 0; err == 0 && i < o->recipient_count; i++)
        err = add_delivery(tx, o->ret_message_id, &o->recipients[i]);
    return err == 0 ? tally_recipients(tx, o) : err;
}

/* ---- ends ---- */

int sqlite_queue_end_one(struct sqlite_tx *tx, int64_t message_id)
{
    static const char less[] = "UPDATE message SET live = live - 1 WHERE id = ?1";
    static const char look[] = "SELECT body_id FROM message WHERE id = ?1 AND live = 0";
    int64_t body_id;
    int err = db_run(tx->db, less, "i", message_id);
    if (err == 0)
        err = db_get(tx->db, &body_id, look, "i", message_id);
    if (err == ERR_NOT_FOUND)
        return 0;
    return err == 0 ? sqlite_body_unref(tx, body_id) : err;
}

static int add_attempt(struct sqlite_tx *tx, const struct queue_result *r)
{
    static const char sql[] =
        "INSERT INTO attempt(delivery_id, outcome, server, instance, reply, epoch, generation,"
        " at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    return db_run(tx->db, sql, "iitttiii", r->delivery_id, (int64_t)r->outcome, r->server, r->instance,
                  r->reply, r->epoch, r->generation, r->at.ms);
}

struct settled {
    int64_t message_id;
    enum queue_state before;
    struct str domain, home;
};

static int look_at_delivery(struct sqlite_tx *tx, struct store_op *op, int64_t id, struct settled *ret)
{
    static const char sql[] = "SELECT message_id, state, domain, home FROM delivery WHERE id = ?1";
    sqlite3_stmt *stmt = db_query(tx->db, sql, "i", id);
    int rc = db_step(tx->db, stmt);
    if (rc <= 0)
        return rc < 0 ? rc : ERR_NOT_FOUND;
    ret->message_id = sqlite3_column_int64(stmt, 0);
    ret->before = (enum queue_state)sqlite3_column_int(stmt, 1);
    ret->domain = db_op_text(op, stmt, 2);
    ret->home = db_op_text(op, stmt, 3);
    db_end(stmt);
    return 0;
}

static int settle_live(struct sqlite_tx *tx, const struct queue_result *r, const struct settled *s)
{
    static const char sql[] =
        "UPDATE delivery SET state = ?2, attempts = attempts + ?3, losses = losses + ?4,"
        " next_at = ?5, last_reply = ?6 WHERE id = ?1";
    enum queue_state state = queue_outcome_state(r->outcome);
    if (state == QUEUE_WAITING)
        state = s->before; /* a held one that was deferred stays held */
    int64_t loss = r->outcome == QUEUE_OUTCOME_LOST;
    int err = db_run(tx->db, sql, "iiiiit", r->delivery_id, (int64_t)state, 1 - loss, loss, r->next_at.ms,
                     r->reply);
    if (err != 0 || state == s->before)
        return err;
    err = sqlite_queue_tally(tx, s->domain, s->home, s->before, -1);
    if (err == 0)
        err = sqlite_queue_tally(tx, s->domain, s->home, state, 1);
    if (err == 0 && !queue_state_is_live(state))
        err = sqlite_queue_end_one(tx, s->message_id);
    return err;
}

int sqlite_queue_settle(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_settle *o = (struct op_queue_settle *)op;
    int err = 0;
    for (size_t i = 0; err == 0 && i < o->count; i++) {
        struct settled s;
        err = look_at_delivery(tx, op, o->results[i].delivery_id, &s);
        if (err == ERR_NOT_FOUND) {
            err = 0;
            continue;
        }
        if (err == 0)
            err = add_attempt(tx, &o->results[i]);
        if (err == 0 && queue_state_is_live(s.before))
            err = settle_live(tx, &o->results[i], &s);
    }
    return err;
}

/* ---- settling an unknown commit ---- */

static int remove_message(struct sqlite_tx *tx, int64_t id, int64_t body_id)
{
    static const char tally[] = "UPDATE tally SET count = count - (SELECT count(*) FROM delivery d WHERE"
                                " d.message_id = ?1 AND d.domain = tally.domain AND d.home = tally.home AND"
                                " d.state = tally.state)";
    static const char deliveries[] = "DELETE FROM delivery WHERE message_id = ?1";
    static const char message[] = "DELETE FROM message WHERE id = ?1";
    int err = db_run(tx->db, tally, "i", id);
    if (err == 0)
        err = db_run(tx->db, deliveries, "i", id);
    if (err == 0)
        err = db_run(tx->db, message, "i", id);
    return err == 0 ? sqlite_body_unref(tx, body_id) : err;
}

int sqlite_queue_tombstone(struct sqlite_tx *tx, const struct custody_id *id)
{
    static const char look[] = "SELECT id, body_id FROM message WHERE custody = ?1";
    static const char put[] = "INSERT OR IGNORE INTO tombstone(custody) VALUES(?1)";
    sqlite3_stmt *stmt = db_query(tx->db, look, "b", custody_key(id));
    int rc = db_step(tx->db, stmt);
    if (rc < 0)
        return rc;
    if (rc == 1) {
        int64_t message_id = sqlite3_column_int64(stmt, 0), body_id = sqlite3_column_int64(stmt, 1);
        db_end(stmt);
        int err = remove_message(tx, message_id, body_id);
        if (err != 0)
            return err;
    }
    return db_run(tx->db, put, "b", custody_key(id));
}
