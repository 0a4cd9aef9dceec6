/* The queue's owner, and settling. */
#include "store/sqlite/queue.h"

#include "store/sqlite/apply.h"
#include "store/sqlite/queue_sql.h"

/* Of one with a home of its own: to the place of that home, which is without a domain. */
#define MOVE_TO_ONE_PLACE(table)                                                                             \
    "UPDATE " table " SET place_id = (SELECT n.id FROM place o JOIN place n ON n.domain = ''"                \
    " AND n.home = o.home WHERE o.id = " table ".place_id)"                                                  \
    " WHERE place_id IN (SELECT id FROM place WHERE home <> '' AND domain <> '');"

/* A delivery is a row of `live` until it ends, then of `ended`: the first stays
 * small, whatever the queue's age. An attempt's key is delivery << 16 | number. */
static const char *const migrations[] = {
    BODY_TABLES
    "CREATE TABLE owner(id INTEGER PRIMARY KEY CHECK(id = 1), name TEXT NOT NULL, epoch INTEGER NOT NULL,"
    " node TEXT NOT NULL);"
    "INSERT INTO owner VALUES(1, '', 0, '');"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, custody_id BLOB NOT NULL UNIQUE, body_id INTEGER NOT NULL,"
    " size_bytes INTEGER NOT NULL, reverse_path TEXT NOT NULL, helo TEXT NOT NULL, client TEXT NOT NULL,"
    " flags INTEGER NOT NULL, received_ms INTEGER NOT NULL, first_delivery INTEGER NOT NULL,"
    " deliveries INTEGER NOT NULL);"
    "CREATE TABLE place(id INTEGER PRIMARY KEY, domain TEXT NOT NULL, home TEXT NOT NULL,"
    " waiting INTEGER NOT NULL, held INTEGER NOT NULL, quarantined INTEGER NOT NULL, UNIQUE(domain, home));"
    "CREATE TABLE live(id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, place_id INTEGER NOT NULL,"
    " state INTEGER NOT NULL, lossy INTEGER NOT NULL, next_ms INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " losses INTEGER NOT NULL, recipient TEXT NOT NULL, last_reply TEXT NOT NULL);"
    "CREATE INDEX live_due ON live(place_id, state, lossy, id, next_ms);"
    "CREATE INDEX live_later ON live(place_id, lossy, next_ms) WHERE state = 0 AND next_ms > 0;"
    "CREATE TABLE ended(id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, place_id INTEGER NOT NULL,"
    " state INTEGER NOT NULL, attempts INTEGER NOT NULL, losses INTEGER NOT NULL, recipient TEXT NOT NULL,"
    " last_reply TEXT NOT NULL);"
    "CREATE TABLE attempt(id INTEGER PRIMARY KEY, outcome INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, at_ms INTEGER NOT NULL, server TEXT NOT NULL, instance TEXT NOT NULL,"
    " reply TEXT NOT NULL);"
    "CREATE TABLE act(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, action INTEGER NOT NULL, home TEXT NOT "
    "NULL,"
    " who TEXT NOT NULL, why TEXT NOT NULL, changed INTEGER NOT NULL);",
    "CREATE TABLE notice(id INTEGER PRIMARY KEY AUTOINCREMENT, custody_id BLOB NOT NULL, recipient TEXT NOT "
    "NULL,"
    " at_ms INTEGER NOT NULL, server TEXT NOT NULL, reply TEXT NOT NULL);",
    "ALTER TABLE live ADD COLUMN since_ms INTEGER NOT NULL DEFAULT 0;"
    "UPDATE live SET since_ms = (SELECT received_ms FROM message WHERE message.id = live.message_id);"
    "CREATE INDEX live_oldest ON live(place_id, since_ms, id) WHERE state = 0;",
    /* 4: bodies are pieces of the journal's segments; message.body_id is then 0 */
    "CREATE TABLE piece(id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, at INTEGER NOT NULL,"
    " lead INTEGER NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL);"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, pieces INTEGER NOT NULL);"
    "CREATE TABLE journal(id INTEGER PRIMARY KEY CHECK(id = 1), segment INTEGER NOT NULL, at INTEGER NOT "
    "NULL,"
    " sequence INTEGER NOT NULL, salt INTEGER NOT NULL);"
    "INSERT INTO journal VALUES(1, 0, 0, 1, 0);",
    /* 5: the safety net; its totals by triggers, since they are asked for every second */
    "CREATE TABLE kept(message_id INTEGER PRIMARY KEY, ended_ms INTEGER NOT NULL, size_bytes INTEGER NOT "
    "NULL);"
    "CREATE INDEX kept_oldest ON kept(ended_ms, message_id, size_bytes);"
    "CREATE TABLE kept_total(id INTEGER PRIMARY KEY CHECK(id = 1), messages INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "INSERT INTO kept_total VALUES(1, 0, 0);"
    "CREATE TRIGGER kept_more AFTER INSERT ON kept BEGIN"
    " UPDATE kept_total SET messages = messages + 1, bytes = bytes + NEW.size_bytes; END;"
    "CREATE TRIGGER kept_less AFTER DELETE ON kept BEGIN"
    " UPDATE kept_total SET messages = messages - 1, bytes = bytes - OLD.size_bytes; END;",
    /* 6: what senders ask to be told (request: a row only where something is said), and are owed */
    "ALTER TABLE message ADD COLUMN envid TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE request(id INTEGER PRIMARY KEY, notify INTEGER NOT NULL, orcpt TEXT NOT NULL,"
    " told INTEGER NOT NULL);"
    "CREATE TABLE debt(message_id INTEGER NOT NULL, kind INTEGER NOT NULL, delivery INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, server TEXT NOT NULL, reply TEXT NOT NULL,"
    " PRIMARY KEY(message_id, kind, delivery)) WITHOUT ROWID;",
    /* 7: what operators did: to which deliveries, and how far an order has come (key: the order's; room: of
     * its limit, 0: none); and the Message-ID, for trace */
    "ALTER TABLE act ADD COLUMN key TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE act ADD COLUMN up_to INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE act ADD COLUMN room INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE act ADD COLUMN done INTEGER NOT NULL DEFAULT 1;"
    "CREATE UNIQUE INDEX act_key ON act(key) WHERE key <> '';"
    "CREATE TABLE acted(delivery_id INTEGER NOT NULL, act_id INTEGER NOT NULL,"
    " PRIMARY KEY(delivery_id, act_id)) WITHOUT ROWID;"
    "ALTER TABLE message ADD COLUMN header_id TEXT NOT NULL DEFAULT '';",
    /* 8: an own home is one place, whatever the domain (which is in away): strangers' domains are many */
    "CREATE TABLE away(id INTEGER PRIMARY KEY, domain TEXT NOT NULL);"
    "CREATE INDEX away_domain ON away(domain, id);"
    "INSERT INTO away SELECT d.id, p.domain FROM (SELECT id, place_id FROM live UNION ALL"
    " SELECT id, place_id FROM ended) d JOIN place p ON p.id = d.place_id WHERE p.home <> '';"
    "INSERT INTO place(domain, home, waiting, held, quarantined)"
    " SELECT '', home, sum(waiting), sum(held), sum(quarantined) FROM place WHERE home <> '' GROUP BY home"
    " ON CONFLICT(domain, home) DO UPDATE SET waiting = excluded.waiting, held = excluded.held,"
    " quarantined = excluded.quarantined;" MOVE_TO_ONE_PLACE("live")
        MOVE_TO_ONE_PLACE("ended") "DELETE FROM place WHERE home <> '' AND domain <> '';",
    /* 9: how far back the safety net reaches. What it let go before is not known but by what is left: it goes
     * oldest first */
    "ALTER TABLE kept_total ADD COLUMN let_go_ms INTEGER NOT NULL DEFAULT 0;"
    "UPDATE kept_total SET let_go_ms = CASE WHEN EXISTS(SELECT 1 FROM kept)"
    " THEN (SELECT min(ended_ms) - 1 FROM kept) WHEN EXISTS(SELECT 1 FROM ended)"
    " THEN CAST(strftime('%s', 'now') AS INTEGER) * 1000 ELSE 0 END;",
    /* 10: which host said what was answered last; of what came before it is not known */
    "ALTER TABLE live ADD COLUMN last_host TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE debt ADD COLUMN host TEXT NOT NULL DEFAULT '';",
};

static const char *const statements[] = {BODY_SQL_LIST(SQL_TEXT) QUEUE_SQL_LIST(SQL_TEXT)};

const struct db_schema sqlite_queue_schema = {0x48467175 /* HFqu */, migrations, ARRAY_LEN(migrations),
                                              statements, SQL_QUEUE_COUNT};

#define ATTEMPTS_MAX 65535 /* counted of a delivery; the last is then replaced */

/* ---- owning ---- */

int64_t sqlite_queue_epoch(struct sqlite_tx *tx)
{
    return db_number(tx->db, SQL_OWNER_GET, 0);
}

void queue_count_on(struct sqlite_tx *tx)
{
    int64_t live = db_number(tx->db, SQL_NEXT_LIVE, 1), ended = db_number(tx->db, SQL_NEXT_ENDED, 1);
    tx->next_delivery = live > ended ? live : ended;
    tx->next_message = db_number(tx->db, SQL_NEXT_MESSAGE, 1);
}

int sqlite_queue_own(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_own *o = (struct op_queue_own *)op;
    o->ret_epoch = sqlite_queue_epoch(tx);
    if (o->ret_epoch != o->expect_epoch)
        return ERR_CONFLICT;
    int err = apply_files(tx);
    if (err == 0)
        err = lock_note_owner(tx->lock);
    tx->journal->at_rest = false; /* there may have been another owner since */
    if (err == 0)
        err = apply_begin(tx, tx->journal, o->ret_epoch + 1);
    if (err != 0)
        return err;
    tx->epoch = tx->stored_epoch = tx->writer = ++o->ret_epoch;
    db_run(tx->db, SQL_OWNER_PUT, TEXT(o->name), INT(tx->epoch), TEXT(o->owner));
    sqlite_body_orphan(tx, 1, INT64_MAX);
    queue_count_on(tx);
    return 0;
}

/* ---- places ---- */

int64_t queue_place_find(struct sqlite_tx *tx, struct str domain, struct str home)
{
    return db_number(tx->db, SQL_PLACE_FIND, 0, TEXT(home.len > 0 ? STR_EMPTY : domain), TEXT(home));
}

int64_t queue_place_of(struct sqlite_tx *tx, struct str domain, struct str home)
{
    int64_t id = queue_place_find(tx, domain, home);
    if (id != 0)
        return id;
    db_run(tx->db, SQL_PLACE_ADD, TEXT(home.len > 0 ? STR_EMPTY : domain), TEXT(home));
    return db_last_id(tx->db);
}

void queue_place_count(struct sqlite_tx *tx, int64_t place_id, int from, int to, int64_t number)
{
    int64_t counts[3] = {0, 0, 0};
    if (from == to)
        return;
    if (from >= 0 && from <= QUEUE_QUARANTINED)
        counts[from] -= number;
    if (to >= 0 && to <= QUEUE_QUARANTINED)
        counts[to] += number;
    db_run(tx->db, SQL_PLACE_COUNT, INT(place_id), INT(counts[QUEUE_WAITING]), INT(counts[QUEUE_HELD]),
           INT(counts[QUEUE_QUARANTINED]));
}

int sqlite_message_body(struct sqlite_tx *tx, int64_t message_id, int64_t *ret_body_id,
                        uint64_t *ret_size_bytes)
{
    sqlite3_stmt *row = db_query(tx->db, SQL_MESSAGE_BODY, INT(message_id));
    if (!row)
        return ERR_NOT_FOUND;
    *ret_body_id = db_col_i64(row, 0);
    *ret_size_bytes = (uint64_t)db_col_i64(row, 1);
    db_end(row);
    return 0;
}

/* ---- messages ---- */

static int64_t message_flags(const struct queue_message_in *in)
{
    return (in->eight_bit ? MESSAGE_EIGHT_BIT : 0) | (in->smtputf8 ? MESSAGE_SMTPUTF8 : 0) |
           (in->authenticated ? MESSAGE_AUTHENTICATED : 0) | (int64_t)in->dsn.ret << MESSAGE_RET_SHIFT;
}

bool queue_message_add(struct sqlite_tx *tx, const struct queue_row *row, const struct queue_message_in *in)
{
    db_run(tx->db, SQL_MESSAGE_ADD, INT(row->message_id), BLOB(in->custody_id.bytes, CUSTODY_ID_BYTES),
           INT(row->body_id), INT(row->size_bytes), TEXT(in->reverse_path), TEXT(in->helo), TEXT(in->client),
           INT(message_flags(in)), INT(in->received_at.ms), INT(row->first_delivery),
           INT(row->recipient_count), TEXT(in->dsn.envid), TEXT(in->header_id));
    return tx->db->rc == SQLITE_OK && db_changes(tx->db) > 0;
}

void queue_delivery_add(struct sqlite_tx *tx, int64_t id, int64_t message_id, int64_t place_id,
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

bool queue_live_get(struct sqlite_tx *tx, int64_t id, struct queue_live *ret_live)
{
    sqlite3_stmt *row = db_query(tx->db, SQL_LIVE_GET, INT(id));
    if (!row)
        return false;
    *ret_live =
        (struct queue_live){id, db_col_i64(row, 0), db_col_i64(row, 1), (enum queue_state)db_col_i64(row, 2)};
    db_end(row);
    return true;
}

void queue_live_end(struct sqlite_tx *tx, const struct queue_live *live, const struct queue_end *end)
{
    db_run(tx->db, SQL_LIVE_END, INT(live->id), INT(end->state), INT(end->attempts), TEXT(end->reply));
    db_run(tx->db, SQL_LIVE_REMOVE, INT(live->id));
    queue_place_count(tx, live->place_id, live->state, -1, 1);
    queue_debt_end(tx, live);
    queue_message_end(tx, live->message_id, end->keep && end->state == QUEUE_DELIVERED, end->at);
}

static void add_attempt(struct sqlite_tx *tx, const struct queue_result *r)
{
    int64_t id = db_number(tx->db, SQL_ATTEMPT_NEXT, 0, INT(r->delivery_id));
    if (id >> 16 != r->delivery_id)
        id = r->delivery_id << 16 | ATTEMPTS_MAX;
    db_run(tx->db, SQL_ATTEMPT_ADD, INT(id), INT(r->outcome), INT(r->epoch), INT(r->generation),
           INT(r->at.ms), TEXT(r->server), TEXT(r->instance), TEXT(r->reply));
    if ((id & ATTEMPTS_MAX) >= QUEUE_ATTEMPTS_KEPT)
        db_run(tx->db, SQL_ATTEMPT_DROP, INT(r->delivery_id), INT(id - (QUEUE_ATTEMPTS_KEPT - 1)));
}

void queue_delivery_stop(struct sqlite_tx *tx, int64_t id, int64_t place_id,
                         const struct queue_message_in *in, bool first)
{
    const struct queue_result r = {.delivery_id = id,
                                   .outcome = QUEUE_OUTCOME_QUARANTINED,
                                   .reply = in->stopped,
                                   .server = STR_EMPTY,
                                   .instance = STR_EMPTY,
                                   .at = in->received_at};
    add_attempt(tx, &r);
    db_run(tx->db, SQL_LIVE_TRY, INT(id), INT(0), INT(0), INT(0), TEXT(r.reply), INT(QUEUE_QUARANTINED),
           TEXT(STR_EMPTY));
    queue_place_count(tx, place_id, QUEUE_WAITING, QUEUE_QUARANTINED, 1);
    if (first)
        queue_notice_add(tx, &r);
}

static void settle_one(struct sqlite_tx *tx, const struct queue_result *r, bool keep)
{
    struct queue_live live;
    enum queue_state state = queue_outcome_state(r->outcome);
    enum queue_owes owes;
    bool lost = r->outcome == QUEUE_OUTCOME_LOST;
    if (r->delivery_id >= tx->next_delivery || r->delivery_id <= 0)
        return;
    add_attempt(tx, r);
    if (!queue_live_get(tx, r->delivery_id, &live))
        return;
    owes = queue_result_owes(r, live.state);
    if (owes != QUEUE_OWES_NOTHING)
        queue_debt_add(
            tx, &(struct queue_debt){live.message_id, live.id, owes, r->at, r->server, r->reply, r->host});
    if (!queue_state_is_live(state)) {
        queue_live_end(tx, &live, &(struct queue_end){state, 1, r->reply, r->at, keep});
        return;
    }
    if (state == QUEUE_WAITING) /* a held one that was deferred stays held */
        state = live.state;
    db_run(tx->db, SQL_LIVE_TRY, INT(live.id), INT(!lost), INT(lost), INT(r->next_at.ms), TEXT(r->reply),
           INT(state), TEXT(r->host));
    queue_place_count(tx, live.place_id, live.state, state, 1);
    if (state == QUEUE_QUARANTINED && live.state != QUEUE_QUARANTINED && owes == QUEUE_OWES_NOTHING)
        queue_notice_add(tx, r);
}

int sqlite_queue_settle(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_queue_settle *o = (struct op_queue_settle *)op;
    for (size_t i = 0; i < o->count; i++)
        settle_one(tx, &o->results[i], o->keep);
    if (!o->keep)
        queue_let_go(tx, queue_last_delivery(o->results, o->count));
    return 0;
}
