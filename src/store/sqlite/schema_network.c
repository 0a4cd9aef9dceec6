/* The network's file, version by version. */
#include <stdio.h>

#include "store/sql/network_sql.h"
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

static const char *const statements[] = {NETWORK_SQL_LIST(SQL_TEXT)};

const struct sqlite_schema sqlite_network_schema = {0x48466e77 /* HFnw */, migrations, ARRAY_LEN(migrations),
                                                    statements, SQL_NETWORK_COUNT};

void sqlite_network_boot(struct sqlite_db *db, const char *boot_id)
{
    char sql[512];
    sqlite_exec(db, "BEGIN IMMEDIATE");
    snprintf(sql, sizeof(sql), "SELECT boot_id = '%.36s' FROM device", boot_id);
    if (sqlite_pragma(db, sql) == 0) {
        snprintf(sql, sizeof(sql),
                 "UPDATE lease SET expires_ms = -1; UPDATE record SET written_ms = -1;"
                 "UPDATE device SET boot_id = '%.36s'",
                 boot_id);
        sqlite_exec(db, sql);
    }
    sqlite_exec(db, "COMMIT");
}
