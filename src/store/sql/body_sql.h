/* Inside the SQL engines: the body store's tables and statements, the same in
 * a queue's file and in the mail's, where they come first. */
#ifndef HOLDFAST_STORE_SQL_BODY_SQL_H
#define HOLDFAST_STORE_SQL_BODY_SQL_H

/* A chunk's key is body << 16 | its number. */
#define BODY_CHUNK_BITS 16

/* The number of the chunk that holds the byte ?2 of a body b. */
#define PIECE_OF_BODY "(b.id << 16) + ?2 / nullif(b.chunk_bytes, 0)"

#define BODY_SQL_LIST(X)                                                                                     \
    X(BODY_ADD, "INSERT INTO body(refs, writer, size_bytes, chunk_bytes) VALUES(?, ?, ?, ?) RETURNING id")   \
    X(BODY_PUT, "INSERT INTO body(id, refs, writer, size_bytes, chunk_bytes) VALUES(?, ?, ?, ?, ?)")         \
    X(BODY_USE, "UPDATE body SET refs = ?2, writer = 0, size_bytes = ?3 WHERE id = ?1 AND refs = 0")         \
    X(BODY_DROP, "UPDATE body SET writer = 0 WHERE id = ?1 AND refs = 0")                                    \
    X(BODY_REF, "UPDATE body SET refs = refs + ?2 WHERE id = ?1 AND refs + ?2 >= 0")                         \
    X(BODY_GET, "SELECT refs, size_bytes, chunk_bytes FROM body WHERE id = ?")                               \
    X(BODY_PIECE, "SELECT b.refs, b.size_bytes, b.chunk_bytes, c.id, c.crc, c.data FROM body b"              \
                  " LEFT JOIN chunk c ON c.id = " PIECE_OF_BODY " WHERE b.id = ?1")                          \
    X(BODY_REMOVE, "DELETE FROM body WHERE id = ?")                                                          \
    X(BODY_ORPHAN, "UPDATE body SET writer = 0 WHERE refs = 0 AND writer BETWEEN ?1 AND ?2")                 \
    X(BODY_GARBAGE, "SELECT id FROM body WHERE refs = 0 AND writer = 0 LIMIT 1")                             \
    X(CHUNK_ADD, "INSERT INTO chunk(id, crc, data) VALUES(?, ?, ?)")                                         \
    X(CHUNK_REMOVE, "DELETE FROM chunk WHERE id = ?")                                                        \
    X(CHUNK_LAST,                                                                                            \
      "SELECT id FROM chunk WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16 ORDER BY id DESC LIMIT 1")

#define SQL_ENUM(name, text) SQL_##name,
#define SQL_TEXT(name, text) text,

enum body_sql { BODY_SQL_LIST(SQL_ENUM) SQL_BODY_COUNT };

#endif
