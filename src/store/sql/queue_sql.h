/* Inside the SQL engines: the statements of a queue's file. */
#ifndef HOLDFAST_STORE_SQL_QUEUE_SQL_H
#define HOLDFAST_STORE_SQL_QUEUE_SQL_H

#include "store/sql/body_sql.h"

/* Of a delivery d at the place p. */
#define DOMAIN_OF "coalesce((SELECT w.domain FROM away w WHERE w.id = d.id), p.domain)"

#define ROWS(table, next_ms, since_ms, last_host)                                                            \
    "SELECT d.id, d.message_id, m.custody_id, m.reverse_path, d.recipient, " DOMAIN_OF ", p.home, d.state,"  \
    " d.attempts, d.losses, " next_ms ", m.received_ms, m.size_bytes, m.flags, d.last_reply, " since_ms      \
    ", m.envid, coalesce(r.notify, 0), coalesce(r.orcpt, ''), coalesce(r.told, 0), m.helo, m.client, "       \
    "m.header_id, " last_host " "                                                                            \
    "FROM " table " d JOIN message m ON m.id = d.message_id JOIN place p ON p.id = d.place_id"               \
    " LEFT JOIN request r ON r.id = d.id "
#define LIVE_ROWS ROWS("live", "d.next_ms", "d.since_ms", "d.last_host")

/* All rows of ?1 < id <= ?2, and whether each fits: states as bits ?3, recipient ?4 or NULL, a part of the
 * last reply ?5 or NULL; ?6: of the message, sender ?7 or NULL, received from ?8 and before ?9, Message-ID
 * ?10 or NULL; domain ?11 or NULL. At most ?12 of them. ?4, ?5 and ?7 are in lower case. */
#define SCAN(table)                                                                                          \
    "SELECT d.id, d.place_id, (?3 >> d.state) & 1 <> 0 AND (?4 IS NULL OR lower(d.recipient) = ?4)"          \
    " AND (?5 IS NULL OR instr(lower(d.last_reply), ?5) > 0)"                                                \
    " AND (?6 = 0 OR EXISTS(SELECT 1 FROM message m WHERE m.id = d.message_id"                               \
    " AND (?7 IS NULL OR lower(m.reverse_path) = ?7)"                                                        \
    " AND m.received_ms >= ?8 AND m.received_ms < ?9 AND (?10 IS NULL OR m.header_id = ?10)))"               \
    " AND (?11 IS NULL OR ?11 = (SELECT " DOMAIN_OF " FROM place p WHERE p.id = d.place_id))"                \
    " FROM " table " d WHERE d.id > ?1 AND d.id <= ?2 ORDER BY d.id LIMIT ?12"

#define MESSAGE_INSERT                                                                                       \
    "INSERT INTO message(id, custody_id, body_id, size_bytes, reverse_path, helo, client, flags, "           \
    "received_ms,"                                                                                           \
    " first_delivery, deliveries, envid, header_id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

#define QUEUE_SQL_LIST(X)                                                                                    \
    X(OWNER_GET, "SELECT epoch FROM owner")                                                                  \
    X(OWNER_PUT, "UPDATE owner SET name = ?, epoch = ?, node = ?")                                           \
    X(NEXT_MESSAGE, "SELECT coalesce(max(id), 0) + 1 FROM message")                                          \
    /* Where bodies are rows: numbers that no body has had. */                                               \
    X(BODIES_RESERVE, "UPDATE owner SET bodies = bodies + ? RETURNING bodies")                               \
    X(NEXT_LIVE, "SELECT coalesce(max(id), 0) + 1 FROM live")                                                \
    X(NEXT_ENDED, "SELECT coalesce(max(id), 0) + 1 FROM ended")                                              \
    X(MESSAGE_PUT, MESSAGE_INSERT)                                                                           \
    X(MESSAGE_ADD, MESSAGE_INSERT " ON CONFLICT DO NOTHING")                                                 \
    X(REQUEST_ADD, "INSERT INTO request(id, notify, orcpt, told) VALUES(?, ?, ?, 0)")                        \
    X(REQUEST_NEVER, "INSERT INTO request(id, notify, orcpt, told) VALUES(?1, ?2, '', 0)"                    \
                     " ON CONFLICT(id) DO UPDATE SET notify = ?2")                                           \
    X(REQUEST_TOLD, "INSERT INTO request(id, notify, orcpt, told) VALUES(?, 0, '', 1)"                       \
                    " ON CONFLICT(id) DO UPDATE SET told = 1 WHERE request.told = 0")                        \
    X(DEBT_ADD, "INSERT INTO debt(message_id, kind, delivery, at_ms, server, reply, host)"                   \
                " VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")                                       \
    X(DEBT_FIRST, "SELECT message_id, kind FROM debt WHERE (message_id, kind) > (?, ?)"                      \
                  " ORDER BY message_id, kind LIMIT 1")                                                      \
    X(DEBT_LIST, "SELECT delivery, at_ms, server, reply, host FROM debt WHERE message_id = ? AND kind = ?"   \
                 " ORDER BY delivery LIMIT ?")                                                               \
    X(DEBT_OF, "SELECT reply FROM debt WHERE message_id = ? AND kind = ? AND delivery = ?")                  \
    X(DEBT_REMOVE, "DELETE FROM debt WHERE message_id = ? AND kind = ? AND delivery = ?")                    \
    X(DEBT_END, "DELETE FROM debt WHERE message_id = ? AND kind IN (1, 4) AND delivery = ?")                 \
    X(DEBT_ANY, "SELECT 1 FROM debt WHERE message_id = ? LIMIT 1")                                           \
    X(DELIVERY_MESSAGE, "SELECT message_id FROM live WHERE id = ?1 UNION ALL"                                \
                        " SELECT message_id FROM ended WHERE id = ?1")                                       \
    X(LIVE_REPLY, "SELECT last_reply, last_host FROM live WHERE id = ?")                                     \
    /* Its body, when nothing uses it. */                                                                    \
    X(MESSAGE_UNUSED,                                                                                        \
      "SELECT m.id, m.body_id, b.refs, b.size_bytes, b.chunk_bytes FROM message m"                           \
      " LEFT JOIN body b ON b.id = m.body_id WHERE m.id = ? AND (SELECT 1 FROM live d"                       \
      " WHERE d.id >= m.first_delivery AND d.id < m.first_delivery + m.deliveries LIMIT 1) IS NULL"          \
      " AND (SELECT 1 FROM kept k WHERE k.message_id = m.id) IS NULL"                                        \
      " AND (SELECT 1 FROM debt o WHERE o.message_id = m.id LIMIT 1) IS NULL")                               \
    X(MESSAGE_BY_CUSTODY, "SELECT id, first_delivery, deliveries FROM message WHERE custody_id = ?")         \
    X(MESSAGE_PIECE,                                                                                         \
      "SELECT b.refs, b.size_bytes, b.chunk_bytes, c.id, c.crc, c.data, m.body_id, m.size_bytes"             \
      " FROM message m LEFT JOIN body b ON b.id = m.body_id LEFT JOIN chunk c ON c.id = " PIECE_OF_BODY      \
      " WHERE m.id = ?1")                                                                                    \
    X(PLACE_FIND, "SELECT id FROM place WHERE domain = ? AND home = ?")                                      \
    X(PLACE_ADD,                                                                                             \
      "INSERT INTO place(domain, home, waiting, held, quarantined) VALUES(?, ?, 0, 0, 0) RETURNING id")      \
    X(PLACE_COUNT,                                                                                           \
      "UPDATE place SET waiting = waiting + ?2, held = held + ?3, quarantined = quarantined + ?4"            \
      " WHERE id = ?1")                                                                                      \
    X(AWAY_PUT, "INSERT INTO away(id, domain) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET domain = ?2")     \
    X(AWAY_REMOVE, "DELETE FROM away WHERE id = ?")                                                          \
    X(AWAY_SCAN, "SELECT w.id, d.place_id, coalesce((?3 >> d.state) & 1, 0) FROM away w"                     \
                 " LEFT JOIN live d ON d.id = w.id WHERE w.domain = ?11 AND w.id > ?1 AND w.id <= ?2"        \
                 " ORDER BY w.id LIMIT ?12")                                                                 \
    X(PLACE_STOPPED, "SELECT id FROM place WHERE held > 0 OR quarantined > 0")                               \
    X(LIVE_DOMAIN, "SELECT " DOMAIN_OF " FROM live d JOIN place p ON p.id = d.place_id WHERE d.id = ?")      \
    X(PLACE_LIST, "SELECT id, domain, home, waiting, held, quarantined FROM place"                           \
                  " WHERE waiting > 0 OR held > 0 OR quarantined > 0 ORDER BY domain, home")                 \
    X(LIVE_ADD,                                                                                              \
      "INSERT INTO live(id, message_id, place_id, state, lossy, next_ms, attempts, losses, recipient,"       \
      " last_reply, since_ms) VALUES(?, ?, ?, 0, 0, 0, 0, 0, ?, '', ?)")                                     \
    X(LIVE_GET, "SELECT message_id, place_id, state FROM live WHERE id = ?")                                 \
    X(LIVE_STOP,                                                                                             \
      "UPDATE live SET attempts = attempts + ?2, next_ms = ?3, last_reply = ?4, state = ?5, last_host = ?6"  \
      " WHERE id = ?1")                                                                                      \
    X(LIVE_DEFER,                                                                                            \
      "UPDATE live SET attempts = attempts + ?2, losses = losses + ?3, lossy = lossy | ?3, next_ms = ?4,"    \
      " last_reply = ?5, last_host = ?6 WHERE id = ?1")                                                      \
    X(LIVE_STATE, "UPDATE live SET state = ?2 WHERE id = ?1")                                                \
    X(LIVE_RELEASE,                                                                                          \
      "UPDATE live SET state = 0, next_ms = 0, losses = 0, lossy = 0, since_ms = ?2 WHERE id = ?1")          \
    X(LIVE_RETRY, "UPDATE live SET next_ms = 0 WHERE id = ?1")                                               \
    X(LIVE_MOVE, "UPDATE live SET place_id = ?2 WHERE id = ?1")                                              \
    X(LIVE_END,                                                                                              \
      "INSERT INTO ended(id, message_id, place_id, state, attempts, losses, recipient, last_reply)"          \
      " SELECT id, message_id, place_id, ?2, attempts + ?3, losses, recipient, ?4 FROM live WHERE id = ?1")  \
    X(LIVE_REMOVE, "DELETE FROM live WHERE id = ? RETURNING message_id, place_id, state")                    \
    X(LIVE_ANY, "SELECT 1 FROM live WHERE id >= ?1 AND id < ?1 + ?2 LIMIT 1")                                \
    X(LIVE_ROW, LIVE_ROWS "WHERE d.id = ?")                                                                  \
    X(LIVE_SCAN, SCAN("live"))                                                                               \
    X(LIVE_AT_PLACE,                                                                                         \
      "SELECT id FROM live WHERE place_id = ? AND state = ? AND lossy = ? AND id > ? AND id <= ?"            \
      " ORDER BY id LIMIT ?")                                                                                \
    X(LIVE_DUE,                                                                                              \
      LIVE_ROWS "WHERE d.place_id = ? AND d.state = 0 AND d.lossy = ? AND d.id > ? AND d.next_ms <= ?"       \
                " ORDER BY d.id LIMIT ?")                                                                    \
    X(LIVE_OLDEST, LIVE_ROWS "WHERE d.place_id = ? AND d.state = 0 ORDER BY d.since_ms, d.id LIMIT ?")       \
    X(LIVE_LATER, "SELECT next_ms FROM live WHERE place_id = ? AND state = 0 AND lossy = ? AND next_ms > 0"  \
                  " AND next_ms > ? ORDER BY next_ms LIMIT 1")                                               \
    X(LIVE_RECEIVED,                                                                                         \
      "SELECT m.received_ms FROM live d JOIN message m ON m.id = d.message_id WHERE d.id = ?")               \
    X(ENDED_ROW, ROWS("ended", "0", "m.received_ms", "''") "WHERE d.id = ?")                                 \
    X(ENDED_SCAN, SCAN("ended"))                                                                             \
    X(ENDED_DELIVERED_BY,                                                                                    \
      "SELECT d.id, d.place_id FROM message m JOIN ended d ON d.id >= m.first_delivery"                      \
      " AND d.id < m.first_delivery + m.deliveries WHERE m.id = ?1 AND d.state = 3 AND EXISTS"               \
      " (SELECT 1 FROM (SELECT a.server, a.at_ms FROM attempt a WHERE a.id >= d.id << 16"                    \
      " AND a.id < (d.id + 1) << 16 AND a.outcome = 0 ORDER BY a.id DESC LIMIT 1) AS last"                   \
      " WHERE last.server = ?2 AND last.at_ms >= ?3 AND last.at_ms < ?4)")                                   \
    X(ENDED_REVIVE,                                                                                          \
      "INSERT INTO live(id, message_id, place_id, state, lossy, next_ms, attempts, losses, recipient,"       \
      " last_reply, since_ms) SELECT id, message_id, place_id, 0, 0, 0, attempts, 0, recipient, last_reply," \
      " ?2 FROM ended WHERE id = ?1")                                                                        \
    X(ENDED_REMOVE, "DELETE FROM ended WHERE id = ?")                                                        \
    X(MESSAGE_OLD, "SELECT id, received_ms, first_delivery, deliveries FROM message WHERE id > ?"            \
                   " AND id < (SELECT max(id) FROM message) ORDER BY id LIMIT ?")                            \
    X(MESSAGE_FORGET, "DELETE FROM message WHERE id = ?")                                                    \
    X(ENDED_FORGET, "DELETE FROM ended WHERE id >= ? AND id < ?")                                            \
    X(ATTEMPT_FORGET, "DELETE FROM attempt WHERE id >= ?1 << 16 AND id < ?2 << 16")                          \
    X(REQUEST_FORGET, "DELETE FROM request WHERE id >= ? AND id < ?")                                        \
    X(AWAY_FORGET, "DELETE FROM away WHERE id >= ? AND id < ?")                                              \
    X(ACTED_FORGET, "DELETE FROM acted WHERE delivery_id >= ? AND delivery_id < ?")                          \
    X(ATTEMPT_SINCE, "SELECT 1 FROM attempt WHERE id >= ?1 << 16 AND id < ?2 << 16 AND at_ms >= ?3 LIMIT 1") \
    X(ACTED_SINCE, "SELECT 1 FROM acted d JOIN act a ON a.id = d.act_id WHERE d.delivery_id >= ?"            \
                   " AND d.delivery_id < ? AND a.at_ms >= ? LIMIT 1")                                        \
    X(KEPT_PUT, "INSERT INTO kept(message_id, ended_ms, size_bytes) SELECT id, ?2, size_bytes FROM message"  \
                " WHERE id = ?1 ON CONFLICT DO NOTHING RETURNING size_bytes")                                \
    X(KEPT_AGAIN, "UPDATE kept SET ended_ms = ?2 WHERE message_id = ?1 AND ended_ms < ?2")                   \
    X(KEPT_ANY, "SELECT 1 FROM kept WHERE message_id = ?")                                                   \
    X(KEPT_REMOVE, "DELETE FROM kept WHERE message_id = ?")                                                  \
    X(KEPT_TOTAL, "SELECT messages, bytes, let_go_ms, (SELECT max(ended_ms) FROM kept) FROM kept_total")     \
    X(KEPT_SUM, "UPDATE kept_total SET messages = messages + ?1, bytes = bytes + ?2,"                        \
                " let_go_ms = CASE WHEN let_go_ms < ?3 THEN ?3 ELSE let_go_ms END")                          \
    X(KEPT_COUNT,                                                                                            \
      "SELECT count(*), CAST(coalesce(sum(size_bytes), 0) AS BIGINT) FROM kept WHERE ended_ms >= ?")         \
    X(KEPT_OLDEST,                                                                                           \
      "SELECT message_id, ended_ms, size_bytes FROM kept ORDER BY ended_ms, message_id LIMIT ?")             \
    X(KEPT_WALK,                                                                                             \
      "SELECT message_id, ended_ms >= ?2 FROM kept WHERE message_id > ?1 ORDER BY message_id LIMIT ?3")      \
    X(ATTEMPT_ADD,                                                                                           \
      "INSERT INTO attempt(id, outcome, epoch, generation, at_ms, server, instance, reply)"                  \
      " SELECT coalesce(max(id) + 1, ?1 << 16), ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM attempt"                     \
      " WHERE id >= ?1 << 16 AND id < (?1 << 16) + ?9 ON CONFLICT(id) DO UPDATE SET outcome = ?2,"           \
      " epoch = ?3, generation = ?4, at_ms = ?5, server = ?6, instance = ?7, reply = ?8 RETURNING id")       \
    X(ATTEMPT_DROP, "DELETE FROM attempt WHERE id > ?1 << 16 AND id <= ?2")                                  \
    X(ATTEMPT_LIST,                                                                                          \
      "SELECT id >> 16, outcome, epoch, generation, at_ms, server, instance, reply FROM attempt"             \
      " WHERE id >= ?1 << 16 AND id < ?2 << 16 ORDER BY id")                                                 \
    X(NOTICE_ADD,                                                                                            \
      "INSERT INTO notice(custody_id, recipient, at_ms, server, reply) SELECT m.custody_id, d.recipient,"    \
      " ?2, ?3, ?4 FROM live d JOIN message m ON m.id = d.message_id WHERE d.id = ?1")                       \
    X(NOTICE_LIST, "SELECT id, custody_id, recipient, at_ms, server, reply FROM notice ORDER BY id LIMIT ?") \
    X(NOTICE_DROP, "DELETE FROM notice WHERE id <= ?")                                                       \
    X(ACT_ADD, "INSERT INTO act(at_ms, action, home, who, why, changed, key, up_to, room, done)"             \
               " VALUES(?, ?, ?, ?, ?, 0, ?, 0, 0, 0) RETURNING id")                                         \
    X(ACT_FIND, "SELECT id, changed, up_to, room, done FROM act WHERE key = ? AND key <> ''")                \
    X(ACT_STEP, "UPDATE act SET changed = ?2, up_to = ?3, room = ?4, done = ?5 WHERE id = ?1")               \
    X(ACTED_ADD, "INSERT INTO acted(delivery_id, act_id) VALUES(?, ?) ON CONFLICT DO NOTHING")               \
    X(ACTED_LIST, "SELECT d.delivery_id, a.action, a.home, a.who, a.why, a.at_ms FROM acted d JOIN act a"    \
                  " ON a.id = d.act_id WHERE d.delivery_id >= ?1 AND d.delivery_id < ?2"                     \
                  " ORDER BY d.delivery_id, d.act_id")

enum queue_sql { QUEUE_SQL_FIRST = SQL_BODY_COUNT - 1, QUEUE_SQL_LIST(SQL_ENUM) SQL_QUEUE_COUNT };

/* message.flags */
#define MESSAGE_EIGHT_BIT     1
#define MESSAGE_SMTPUTF8      2
#define MESSAGE_AUTHENTICATED 4
#define MESSAGE_RET_SHIFT     3 /* two bits: enum dsn_ret */
#define MESSAGE_RET_MASK      3

#endif
