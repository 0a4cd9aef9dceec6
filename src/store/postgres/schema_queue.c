/* A queue's part, version by version. It has one writer, whose transactions lock the row of `owner`. */
#include "store/postgres/tables.h"
#include "store/sql/queue_sql.h"

/* A delivery is a row of `live` until it ends, then of `ended`: the first stays small, whatever the queue's
 * age, and has room in its pages for what changes (fillfactor). An attempt's key is delivery << 16 | number.
 */
#define ROOM " WITH (fillfactor = 70)"
#define DELIVERY_COLUMNS                                                                                     \
    "id BIGINT PRIMARY KEY, message_id " NUMBER ", place_id " NUMBER                                         \
    ", state INT NOT NULL, attempts " NUMBER ", losses " NUMBER ", recipient " TEXT_T ", last_reply " TEXT_T

static const char *const migrations[] = {
    MARK_TABLE BODY_TABLES
    "CREATE TABLE owner(id BIGINT PRIMARY KEY, name " TEXT_T ", epoch " NUMBER ", node " TEXT_T
    ", bodies " NUMBER ");"
    "INSERT INTO owner(id, name, epoch, node, bodies) VALUES(1, '', 0, '', 0);"
    "CREATE TABLE message(id BIGINT PRIMARY KEY, custody_id BYTEA NOT NULL UNIQUE, body_id " NUMBER
    ", size_bytes " NUMBER ", reverse_path " TEXT_T ", helo " TEXT_T ", client " TEXT_T ", flags " NUMBER
    ", received_ms " NUMBER ", first_delivery " NUMBER ", deliveries " NUMBER ", envid " TEXT_T
    ", header_id " TEXT_T ");"
    "CREATE TABLE place(id " SERIAL ", domain " TEXT_T ", home " TEXT_T ", waiting " NUMBER ", held " NUMBER
    ", quarantined " NUMBER ", UNIQUE(domain, home))" ROOM ";"
    "CREATE TABLE live(" DELIVERY_COLUMNS ", last_host " TEXT_T " DEFAULT '', lossy " NUMBER
    ", next_ms " NUMBER ", since_ms " NUMBER ")" ROOM ";"
    "CREATE INDEX live_due ON live(place_id, state, lossy, id);"
    "CREATE INDEX live_later ON live(place_id, lossy, next_ms) WHERE state = 0 AND next_ms > 0;"
    "CREATE INDEX live_oldest ON live(place_id, since_ms, id) WHERE state = 0;"
    "CREATE TABLE ended(" DELIVERY_COLUMNS ");"
    "CREATE TABLE attempt(id BIGINT PRIMARY KEY, outcome " NUMBER ", epoch " NUMBER ", generation " NUMBER
    ", at_ms " NUMBER ", server " TEXT_T ", instance " TEXT_T ", reply " TEXT_T ");"
    "CREATE TABLE act(id " SERIAL ", at_ms " NUMBER ", action " NUMBER ", home " TEXT_T ", who " TEXT_T
    ", why " TEXT_T ", changed " NUMBER ", key " TEXT_T ", up_to " NUMBER ", room " NUMBER ", done " NUMBER
    ");"
    "CREATE UNIQUE INDEX act_key ON act(key) WHERE key <> '';"
    "CREATE TABLE acted(delivery_id " NUMBER ", act_id " NUMBER ", PRIMARY KEY(delivery_id, act_id));"
    "CREATE TABLE notice(id " SERIAL ", custody_id BYTEA NOT NULL, recipient " TEXT_T ", at_ms " NUMBER
    ", server " TEXT_T ", reply " TEXT_T ");"
    "CREATE TABLE kept(message_id BIGINT PRIMARY KEY, ended_ms " NUMBER ", size_bytes " NUMBER ");"
    "CREATE INDEX kept_oldest ON kept(ended_ms, message_id);"
    "CREATE TABLE kept_total(id BIGINT PRIMARY KEY, messages " NUMBER ", bytes " NUMBER ", let_go_ms " NUMBER
    ")" ROOM ";"
    "INSERT INTO kept_total(id, messages, bytes, let_go_ms) VALUES(1, 0, 0, 0);"
    "CREATE TABLE request(id BIGINT PRIMARY KEY, notify " NUMBER ", orcpt " TEXT_T ", told " NUMBER ");"
    "CREATE TABLE debt(message_id " NUMBER ", kind " NUMBER ", delivery " NUMBER ", at_ms " NUMBER
    ", server " TEXT_T ", reply " TEXT_T ", host " TEXT_T ", PRIMARY KEY(message_id, kind, delivery));"
    "CREATE TABLE away(id BIGINT PRIMARY KEY, domain " TEXT_T ");"
    "CREATE INDEX away_domain ON away(domain, id);",
    /* 2: what is not due is passed over without a look at its row */
    "DROP INDEX IF EXISTS live_due;"
    "CREATE INDEX IF NOT EXISTS live_due ON live(place_id, state, lossy, id, next_ms);",
};

static const char *const statements[] = {BODY_SQL_LIST(SQL_TEXT) QUEUE_SQL_LIST(SQL_TEXT)};

static const bool locks[SQL_QUEUE_COUNT] = {[SQL_OWNER_GET] = true};

const struct pg_schema pg_queue_schema = {migrations, ARRAY_LEN(migrations), statements, NULL,
                                          locks,      SQL_QUEUE_COUNT};
