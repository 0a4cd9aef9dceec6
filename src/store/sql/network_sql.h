/* Inside the SQL engines: the statements of the network's part. */
#ifndef HOLDFAST_STORE_SQL_NETWORK_SQL_H
#define HOLDFAST_STORE_SQL_NETWORK_SQL_H

#include "store/sql/body_sql.h"

#define NETWORK_SQL_LIST(X)                                                                                  \
    X(LEASE_GET, "SELECT holder, token, expires_ms FROM lease WHERE name = ?")                               \
    X(LEASE_PUT,                                                                                             \
      "INSERT INTO lease(name, holder, token, expires_ms) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(name)"          \
      " DO UPDATE SET holder = ?2, token = ?3, expires_ms = ?4")                                             \
    X(LEASE_LIST, "SELECT name, holder, token, expires_ms FROM lease ORDER BY name")                         \
    X(RECORD_GET, "SELECT kind, key, value, version, written_ms FROM record WHERE kind = ? AND key = ?")     \
    X(RECORD_LIST, "SELECT kind, key, value, version, written_ms FROM record WHERE kind = ? ORDER BY key")   \
    X(RECORDS_OF_KINDS, "SELECT kind, key, value, version, written_ms FROM record WHERE kind IN (?, ?, ?, "  \
                        "?, ?, ?, ?, ?, ?, ?)"                                                               \
                        " ORDER BY kind, key")                                                               \
    X(RECORD_VERSION, "SELECT version FROM record WHERE kind = ? AND key = ?")                               \
    X(RECORD_PUT,                                                                                            \
      "INSERT INTO record(kind, key, value, version, written_ms) VALUES(?1, ?2, ?3, 1, ?4)"                  \
      " ON CONFLICT(kind, key) DO UPDATE SET value = ?3, version = record.version + 1, written_ms = ?4")     \
    X(RECORD_DELETE, "DELETE FROM record WHERE kind = ? AND key = ?")                                        \
    X(EVENT_ADD, "INSERT INTO event(at_ms, kind, subject, detail) VALUES(?, ?, ?, ?)")                       \
    X(EVENT_AFTER, "SELECT id, at_ms, kind, subject, detail FROM event WHERE id > ? ORDER BY id LIMIT ?")    \
    X(EVENT_PRUNE, "DELETE FROM event WHERE id IN (SELECT id FROM (SELECT id, at_ms FROM event ORDER BY id " \
                   "LIMIT ?3) AS o"                                                                          \
                   " WHERE at_ms < ?2 OR (id <= (SELECT max(id) FROM event) - ?1"                            \
                   " AND id <= (SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?1)))")                 \
    X(EVENT_FIRST_OF_NEWEST,                                                                                 \
      "SELECT min(id) FROM (SELECT id FROM event ORDER BY id DESC LIMIT ?) AS newest")                       \
    X(RECIPIENT_GET, "SELECT known, at_ms FROM recipient WHERE domain = ? AND address = ?")                  \
    X(RECIPIENT_AT, "SELECT at_ms FROM recipient WHERE domain = ? AND address = ?")                          \
    X(RECIPIENT_ADD, "INSERT INTO recipient(domain, address, known, at_ms) VALUES(?, ?, ?, ?)")              \
    X(RECIPIENT_DELETE, "DELETE FROM recipient WHERE domain = ? AND address = ?")                            \
    X(RECIPIENT_COUNT, "SELECT count FROM recipient_count WHERE domain = ? AND known = ?")                   \
    X(RECIPIENT_TRIM,                                                                                        \
      "DELETE FROM recipient WHERE domain = ?1 AND address IN (SELECT address FROM recipient"                \
      " WHERE domain = ?1 AND known = ?2 AND at_ms < ?3 ORDER BY at_ms LIMIT ?4)")

enum network_sql { NETWORK_SQL_LIST(SQL_ENUM) SQL_NETWORK_COUNT };

#endif
