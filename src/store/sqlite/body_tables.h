/* Inside the SQL engines: the body store's tables, the same in a queue's file
 * and in the mail's. */
#ifndef HOLDFAST_STORE_SQLITE_BODY_TABLES_H
#define HOLDFAST_STORE_SQLITE_BODY_TABLES_H

/* A body without references is being written by `writer`, or garbage (0). */
#define BODY_TABLES                                                                                          \
    "CREATE TABLE body(id INTEGER PRIMARY KEY AUTOINCREMENT, refs INTEGER NOT NULL, writer INTEGER NOT "     \
    "NULL,"                                                                                                  \
    " size_bytes INTEGER NOT NULL, chunk_bytes INTEGER NOT NULL);"                                           \
    "CREATE INDEX body_loose ON body(writer) WHERE refs = 0;"                                                \
    "CREATE TABLE chunk(id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);"

#endif
