/* Inside the SQL engines: the statements of a queue's file that are its own:
 * bodies are pieces of the journal's segments (queue_body.c, apply.c). */
#ifndef HOLDFAST_STORE_SQLITE_QUEUE_SQL_H
#define HOLDFAST_STORE_SQLITE_QUEUE_SQL_H

#include "store/sql/queue_sql.h"

#define SQLITE_QUEUE_SQL_LIST(X)                                                                             \
    X(POSITION_GET, "SELECT segment, at, sequence, salt FROM journal")                                       \
    X(POSITION_PUT, "UPDATE journal SET segment = ?, at = ?, sequence = ?, salt = ?")                        \
    X(PIECE_ADD, "INSERT INTO piece(id, segment, at, lead, bytes, crc) VALUES(?, ?, ?, ?, ?, ?)")            \
    X(PIECE_GET, "SELECT segment, at, lead, bytes, crc FROM piece WHERE id = ?")                             \
    X(PIECE_LIST,                                                                                            \
      "SELECT segment, at, lead, bytes, crc FROM piece WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16")        \
    X(PIECE_REMOVE, "DELETE FROM piece WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16")                        \
    X(SEGMENT_LIST, "SELECT id, pieces FROM segment")                                                        \
    X(SEGMENT_COUNT, "INSERT INTO segment(id, pieces) VALUES(?1, ?2)"                                        \
                     " ON CONFLICT(id) DO UPDATE SET pieces = pieces + ?2")

enum sqlite_queue_sql {
    SQLITE_QUEUE_SQL_FIRST = SQL_QUEUE_COUNT - 1,
    SQLITE_QUEUE_SQL_LIST(SQL_ENUM) SQLITE_QUEUE_COUNT
};

#endif
