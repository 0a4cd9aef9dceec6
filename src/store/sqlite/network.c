#include <stdio.h>

#include "store/network_op.h"
#include "store/sqlite/db.h"
#include "store/sqlite/tx.h"

/* Times are on CLOCK_BOOTTIME; sqlite_network_boot makes those of another boot
 * past: -1. */
static const char *const migrations[] = {
    "CREATE TABLE device(id INTEGER PRIMARY KEY CHECK(id = 1), boot_id TEXT NOT NULL);"
    "INSERT INTO device VALUES(1, '');"
    "CREATE TABLE lease(name TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE record(kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT "
    "NULL,"
    " written_ms INTEGER NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;"
    "CREATE TABLE event(id INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
    " subject TEXT NOT NULL, detail TEXT NOT NULL);",
    "CREATE TABLE recipient(domain TEXT NOT NULL, address TEXT NOT NULL, known INTEGER NOT NULL, at_ms "
    "INTEGER "
    "NOT NULL,"
    " PRIMARY KEY(domain, address)) WITHOUT ROWID;"
    "CREATE INDEX recipient_age ON recipient(domain, known, at_ms);"
    "CREATE TABLE recipient_count(domain TEXT NOT NULL, known INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(domain, known)) WITHOUT ROWID;"
    "CREATE TRIGGER recipient_added AFTER INSERT ON recipient BEGIN"
    " INSERT INTO recipient_count VALUES(NEW.domain, NEW.known, 1) ON CONFLICT DO UPDATE SET count = count + "
    "1;"
    "END;"
    "CREATE TRIGGER recipient_removed AFTER DELETE ON recipient BEGIN"
    " UPDATE recipient_count SET count = count - 1 WHERE domain = OLD.domain AND known = OLD.known;"
    "END;",
};

#define NETWORK_SQL_LIST(X)                                                                                  \
    X(LEASE_GET, "SELECT holder, token, expires_ms FROM lease WHERE name = ?")                               \
    X(LEASE_PUT, "INSERT OR REPLACE INTO lease(name, holder, token, expires_ms) VALUES(?, ?, ?, ?)")         \
    X(LEASE_LIST, "SELECT name, holder, token, expires_ms FROM lease ORDER BY name")                         \
    X(RECORD_GET, "SELECT kind, key, value, version, written_ms FROM record WHERE kind = ? AND key = ?")     \
    X(RECORD_LIST, "SELECT kind, key, value, version, written_ms FROM record WHERE kind = ? ORDER BY key")   \
    X(RECORD_VERSION, "SELECT version FROM record WHERE kind = ? AND key = ?")                               \
    X(RECORD_PUT, "INSERT INTO record(kind, key, value, version, written_ms) VALUES(?1, ?2, ?3, 1, ?4)"      \
                  " ON CONFLICT DO UPDATE SET value = ?3, version = version + 1, written_ms = ?4")           \
    X(RECORD_DELETE, "DELETE FROM record WHERE kind = ? AND key = ?")                                        \
    X(EVENT_ADD, "INSERT INTO event(at_ms, kind, subject, detail) VALUES(?, ?, ?, ?)")                       \
    X(EVENT_AFTER, "SELECT id, at_ms, kind, subject, detail FROM event WHERE id > ? ORDER BY id LIMIT ?")    \
    X(EVENT_PRUNE,                                                                                           \
      "DELETE FROM event WHERE id IN (SELECT id FROM (SELECT id, at_ms FROM event ORDER BY id LIMIT ?3)"     \
      " WHERE at_ms < ?2 OR id <= (SELECT max(id) FROM event) - ?1)")                                        \
    X(EVENT_FIRST_OF_NEWEST, "SELECT min(id) FROM (SELECT id FROM event ORDER BY id DESC LIMIT ?)")          \
    X(RECIPIENT_GET, "SELECT known, at_ms FROM recipient WHERE domain = ? AND address = ?")                  \
    X(RECIPIENT_AT, "SELECT at_ms FROM recipient WHERE domain = ? AND address = ?")                          \
    X(RECIPIENT_ADD, "INSERT INTO recipient(domain, address, known, at_ms) VALUES(?, ?, ?, ?)")              \
    X(RECIPIENT_DELETE, "DELETE FROM recipient WHERE domain = ? AND address = ?")                            \
    X(RECIPIENT_COUNT, "SELECT count FROM recipient_count WHERE domain = ? AND known = ?")                   \
    X(RECIPIENT_TRIM,                                                                                        \
      "DELETE FROM recipient WHERE domain = ?1 AND address IN (SELECT address FROM recipient"                \
      " WHERE domain = ?1 AND known = ?2 AND at_ms < ?3 ORDER BY at_ms LIMIT ?4)")

#define SQL_ENUM(name, text) SQL_##name,
#define SQL_TEXT(name, text) text,
enum network_sql { NETWORK_SQL_LIST(SQL_ENUM) SQL_COUNT };
static const char *const statements[] = {NETWORK_SQL_LIST(SQL_TEXT)};

const struct db_schema sqlite_network_schema = {0x48466e77 /* HFnw */, migrations, ARRAY_LEN(migrations),
                                                statements, SQL_COUNT};

void sqlite_network_boot(struct db *db, const char *boot_id)
{
    char sql[512];
    db_exec(db, "BEGIN IMMEDIATE");
    snprintf(sql, sizeof(sql), "SELECT boot_id = '%.36s' FROM device", boot_id);
    if (db_pragma(db, sql) == 0) {
        snprintf(sql, sizeof(sql),
                 "UPDATE lease SET expires_ms = -1; UPDATE record SET written_ms = -1;"
                 "UPDATE device SET boot_id = '%.36s'",
                 boot_id);
        db_exec(db, sql);
    }
    db_exec(db, "COMMIT");
}

static int64_t now_ms(const struct sqlite_tx *tx)
{
    return tx->now.ns / NS_PER_MS;
}

/* ---- leases ---- */

struct stored_lease {
    struct str holder; /* in the operation's arena */
    int64_t token, expires_ms;
};

static struct stored_lease lease_get(struct sqlite_tx *tx, struct store_op *op, struct str name)
{
    struct stored_lease lease = {STR_EMPTY, 0, -1};
    sqlite3_stmt *row = db_query(tx->db, SQL_LEASE_GET, TEXT(name));
    if (row) {
        lease = (struct stored_lease){op_str(op, db_col_str(row, 0)), db_col_i64(row, 1), db_col_i64(row, 2)};
        db_end(row);
    }
    return lease;
}

int sqlite_lease_take(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_lease_take *o = (struct op_lease_take *)op;
    struct stored_lease lease = lease_get(tx, op, o->name);
    bool runs = lease.expires_ms > now_ms(tx), same_holder = str_eq(lease.holder, o->holder);
    bool stale = o->token != 0 && (o->token != lease.token || !same_holder);
    if (stale || (runs && !same_holder)) {
        o->ret_current =
            (struct network_lease){o->name, lease.holder, lease.token, lease.expires_ms - now_ms(tx)};
        return ERR_BUSY;
    }
    if (!runs || o->token == 0)
        lease.token++;
    db_run(tx->db, SQL_LEASE_PUT, TEXT(o->name), TEXT(o->holder), INT(lease.token),
           INT(now_ms(tx) + o->ttl_ms));
    o->ret_current = (struct network_lease){o->name, o->holder, lease.token, o->ttl_ms};
    return 0;
}

int sqlite_lease_release(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_lease_release *o = (struct op_lease_release *)op;
    struct stored_lease lease = lease_get(tx, op, o->name);
    if (lease.token != o->token || !str_eq(lease.holder, o->holder))
        return ERR_FENCED;
    db_run(tx->db, SQL_LEASE_PUT, TEXT(o->name), TEXT(o->holder), INT(lease.token), INT(now_ms(tx)));
    return 0;
}

int sqlite_lease_list(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_lease_list *o = (struct op_lease_list *)op;
    for (sqlite3_stmt *row = db_query(tx->db, SQL_LEASE_LIST); row; row = db_next(tx->db, row)) {
        o->ret_leases = op_array_grow(op, o->ret_leases, o->ret_count, sizeof(*o->ret_leases));
        o->ret_leases[o->ret_count++] =
            (struct network_lease){op_str(op, db_col_str(row, 0)), op_str(op, db_col_str(row, 1)),
                                   db_col_i64(row, 2), db_col_i64(row, 3) - now_ms(tx)};
    }
    return 0;
}

/* ---- records ---- */

static void show_record(struct sqlite_tx *tx, struct op_record_read *o, sqlite3_stmt *row)
{
    struct store_op *op = &o->op;
    int64_t written_ms = db_col_i64(row, 4);
    o->ret_records = op_array_grow(op, o->ret_records, o->ret_count, sizeof(*o->ret_records));
    o->ret_records[o->ret_count++] = (struct network_record){
        op_str(op, db_col_str(row, 0)), op_str(op, db_col_str(row, 1)), op_str(op, db_col_str(row, 2)),
        db_col_i64(row, 3), written_ms < 0 ? NETWORK_AGE_ANCIENT_MS : now_ms(tx) - written_ms};
}

int sqlite_record_read(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_record_read *o = (struct op_record_read *)op;
    sqlite3_stmt *row = o->key.ptr ? db_query(tx->db, SQL_RECORD_GET, TEXT(o->kind), TEXT(o->key))
                                   : db_query(tx->db, SQL_RECORD_LIST, TEXT(o->kind));
    for (; row; row = db_next(tx->db, row))
        show_record(tx, o, row);
    return 0;
}

static bool guard_holds(struct sqlite_tx *tx, struct store_op *op, const struct network_lease *guard)
{
    struct stored_lease lease = lease_get(tx, op, guard->name);
    return lease.token == guard->token && lease.expires_ms > now_ms(tx) &&
           str_eq(lease.holder, guard->holder);
}

static bool change_fits(struct sqlite_tx *tx, const struct network_change *c)
{
    return c->type == NETWORK_EVENT || c->expect_version == NETWORK_ANY_VERSION ||
           c->expect_version ==
               db_number(tx->db, SQL_RECORD_VERSION, NETWORK_ABSENT, TEXT(c->kind), TEXT(c->key));
}

static void change_apply(struct sqlite_tx *tx, const struct network_change *c, struct wall_time at)
{
    switch (c->type) {
    case NETWORK_PUT:
        db_run(tx->db, SQL_RECORD_PUT, TEXT(c->kind), TEXT(c->key), TEXT(c->value), INT(now_ms(tx)));
        break;
    case NETWORK_DELETE:
        db_run(tx->db, SQL_RECORD_DELETE, TEXT(c->kind), TEXT(c->key));
        break;
    case NETWORK_EVENT:
        db_run(tx->db, SQL_EVENT_ADD, INT(at.ms), TEXT(c->kind), TEXT(c->key), TEXT(c->value));
        break;
    }
}

int sqlite_record_write(struct sqlite_tx *tx, struct store_op *op)
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

int sqlite_event_list(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_event_list *o = (struct op_event_list *)op;
    int64_t after = o->after_id;
    if (after < 0)
        after = db_number(tx->db, SQL_EVENT_FIRST_OF_NEWEST, 1, INT(o->limit)) - 1;
    sqlite3_stmt *row = db_query(tx->db, SQL_EVENT_AFTER, INT(after), INT(o->limit));
    for (; row; row = db_next(tx->db, row)) {
        o->ret_events = op_array_grow(op, o->ret_events, o->ret_count, sizeof(*o->ret_events));
        o->ret_events[o->ret_count++] = (struct network_event){db_col_i64(row, 0),
                                                               {db_col_i64(row, 1)},
                                                               op_str(op, db_col_str(row, 2)),
                                                               op_str(op, db_col_str(row, 3)),
                                                               op_str(op, db_col_str(row, 4))};
    }
    return 0;
}

int sqlite_event_prune(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_event_prune *o = (struct op_event_prune *)op;
    if (o->guard && !guard_holds(tx, op, o->guard))
        return ERR_FENCED;
    db_run(tx->db, SQL_EVENT_PRUNE, INT(o->keep), INT(o->before.ms), INT(o->limit));
    o->ret_removed = (size_t)db_changes(tx->db);
    return 0;
}

/* ---- recipients ---- */

int sqlite_recipient_find(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_recipient_find *o = (struct op_recipient_find *)op;
    o->ret_found = NULL;
    sqlite3_stmt *row = db_query(tx->db, SQL_RECIPIENT_GET, TEXT(o->domain), TEXT(o->address));
    if (row) {
        o->ret_found = op_alloc(op, sizeof(*o->ret_found));
        *o->ret_found = (struct network_recipient){o->address, db_col_i64(row, 0) != 0, {db_col_i64(row, 1)}};
        db_end(row);
    }
    return 0;
}

static void recipient_put(struct sqlite_tx *tx, struct str domain, const struct network_recipient *r)
{
    if (r->at.ms < db_number(tx->db, SQL_RECIPIENT_AT, INT64_MIN, TEXT(domain), TEXT(r->address)))
        return;
    db_run(tx->db, SQL_RECIPIENT_DELETE, TEXT(domain), TEXT(r->address));
    db_run(tx->db, SQL_RECIPIENT_ADD, TEXT(domain), TEXT(r->address), INT(r->known), INT(r->at.ms));
}

static void recipients_trim(struct sqlite_tx *tx, struct str domain, bool known, int64_t max,
                            struct wall_time since)
{
    db_run(tx->db, SQL_RECIPIENT_TRIM, TEXT(domain), INT(known), INT(since.ms), INT(RECIPIENTS_REMOVED_MAX));
    int64_t excess = db_number(tx->db, SQL_RECIPIENT_COUNT, 0, TEXT(domain), INT(known)) - max;
    if (excess > 0)
        db_run(tx->db, SQL_RECIPIENT_TRIM, TEXT(domain), INT(known), INT(INT64_MAX),
               INT(excess < RECIPIENTS_REMOVED_MAX ? excess : RECIPIENTS_REMOVED_MAX));
}

int sqlite_recipients_put(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_recipients_put *o = (struct op_recipients_put *)op;
    for (size_t i = 0; i < o->count; i++)
        recipient_put(tx, o->domain, &o->answers[i]);
    recipients_trim(tx, o->domain, true, o->bounds.known_max, o->bounds.known_since);
    recipients_trim(tx, o->domain, false, o->bounds.unknown_max, o->bounds.unknown_since);
    return 0;
}
