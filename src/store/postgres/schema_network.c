/* The network's part, version by version. Times are those of the server's clock. */
#include "store/postgres/tables.h"
#include "store/sql/network_sql.h"

/* Writers lock the row of `device`, so their transactions come one after the other, as they do in a file:
 * what one has read no other changes. `changes` is what those who watch look at. */
static const char *const migrations[] = {
    MARK_TABLE "CREATE TABLE device(id BIGINT PRIMARY KEY, changes " NUMBER ");"
               "INSERT INTO device(id, changes) VALUES(1, 0);"
               "CREATE TABLE lease(name " TEXT_T " PRIMARY KEY, holder " TEXT_T ", token " NUMBER
               ", expires_ms " NUMBER ");"
               "CREATE TABLE record(kind " TEXT_T ", key " TEXT_T ", value " TEXT_T ", version " NUMBER
               ", written_ms " NUMBER ", PRIMARY KEY(kind, key));"
               "CREATE TABLE event(id " SERIAL ", at_ms " NUMBER ", kind " TEXT_T ", subject " TEXT_T
               ", detail " TEXT_T ");"
               "CREATE TABLE recipient(domain " TEXT_T ", address " TEXT_T ", known " NUMBER ", at_ms " NUMBER
               ", PRIMARY KEY(domain, address));"
               "CREATE INDEX recipient_age ON recipient(domain, known, at_ms);"
               "CREATE TABLE recipient_count(domain " TEXT_T ", known " NUMBER ", count " NUMBER
               ", PRIMARY KEY(domain, known));",
    /* The clock at the last transaction, and the one before. */
    HISTORY_TABLE "ALTER TABLE device ADD COLUMN at_ms BIGINT NOT NULL DEFAULT 0;"
                  "ALTER TABLE device ADD COLUMN before_ms BIGINT NOT NULL DEFAULT 0;"
                  "ALTER TABLE lease ADD COLUMN ttl_ms BIGINT NOT NULL DEFAULT 0;",
};

/* What triggers do in a file. */
#define COUNT_GONE                                                                                           \
    " UPDATE recipient_count AS c SET count = c.count - g.number FROM (SELECT domain, known, count(*) AS "   \
    "number FROM gone GROUP BY domain, known) AS g WHERE c.domain = g.domain AND c.known = g.known"

static const char *const statements[] = {NETWORK_SQL_LIST(SQL_TEXT)};
static const char *const otherwise[SQL_NETWORK_COUNT] = {
    /* device.at_ms is the transaction's time: history_clock. */
    [SQL_LEASE_PUT] = "INSERT INTO lease(name, holder, token, expires_ms, ttl_ms) VALUES(?1, ?2, ?3, ?4,"
                      " ?4 - (SELECT at_ms FROM device WHERE id = 1)) ON CONFLICT(name) DO UPDATE SET"
                      " holder = excluded.holder, token = excluded.token, expires_ms = excluded.expires_ms,"
                      " ttl_ms = excluded.ttl_ms",
    [SQL_RECIPIENT_ADD] =
        "WITH new AS (INSERT INTO recipient(domain, address, known, at_ms) VALUES(?1, ?2, ?3, ?4))"
        " INSERT INTO recipient_count(domain, known, count) VALUES(?1, ?3, 1)"
        " ON CONFLICT(domain, known) DO UPDATE SET count = recipient_count.count + 1",
    [SQL_RECIPIENT_DELETE] = "WITH gone AS (DELETE FROM recipient WHERE domain = ?1 AND address = ?2 "
                             "RETURNING domain, known)" COUNT_GONE,
    [SQL_RECIPIENT_TRIM] =
        "WITH gone AS (DELETE FROM recipient WHERE domain = ?1 AND address IN (SELECT address FROM recipient"
        " WHERE domain = ?1 AND known = ?2 AND at_ms < ?3 ORDER BY at_ms LIMIT ?4) RETURNING domain, "
        "known)" COUNT_GONE,
};

const struct pg_schema pg_network_schema = {migrations, ARRAY_LEN(migrations), statements, otherwise,
                                            NULL,       SQL_NETWORK_COUNT};
