/* A queue's file, version by version. */
#include "store/sqlite/body_tables.h"
#include "store/sqlite/queue_sql.h"
#include "store/sqlite/tx.h"

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
    /* 11: the net's totals are written once a transaction */
    "DROP TRIGGER kept_more; DROP TRIGGER kept_less;",
};

static const char *const statements[] = {BODY_SQL_LIST(SQL_TEXT) QUEUE_SQL_LIST(SQL_TEXT)
                                             SQLITE_QUEUE_SQL_LIST(SQL_TEXT)};

const struct sqlite_schema sqlite_queue_schema = {0x48467175 /* HFqu */, migrations, ARRAY_LEN(migrations),
                                                  statements, SQLITE_QUEUE_COUNT};
