/* Inside src/store: an SQL database as executions see it: a connection in a
 * transaction, its statements by number, and values. The engines (sqlite/,
 * postgres/) keep the connection and drive it. Belongs to one thread at a time.
 *
 * Failures stick: after the first one every call does nothing and finds no row,
 * until the engine clears it. So an execution runs to its end and its caller
 * asks once. What has no answer to wait for (db_run) may be sent only, and fail
 * later: at the next answer, or at the commit. */
#ifndef HOLDFAST_STORE_SQL_DB_H
#define HOLDFAST_STORE_SQL_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"

struct db;

/* A result on one of its rows; the engine embeds it. */
struct db_row {
    struct db *db;
};

struct db_value {
    enum { DB_I64, DB_TEXT, DB_BLOB, DB_NULL } type; /* DB_NULL: of a text */
    int64_t number;
    struct str bytes; /* valid until the statement has ended */
};

/* Gets a statement's first row, or NULL when it has none. It reads its columns first; may run and defer
 * others, and asks no question. */
typedef void (*db_on_row)(void *arg, struct db_row *row);

/* What an engine gives; sql is a statement's number. */
struct db_driver {
    void (*run)(struct db *db, unsigned sql, const struct db_value *values, size_t count);
    void (*later)(struct db *db, unsigned sql, const struct db_value *values, size_t count, db_on_row on_row,
                  void *arg);
    void (*catch_up)(struct db *db);
    int64_t (*change)(struct db *db, unsigned sql, const struct db_value *values, size_t count);
    struct db_row *(*query)(struct db *db, unsigned sql, const struct db_value *values, size_t count);
    struct db_row *(*next)(struct db_row *row); /* NULL after the last: then it has ended */
    void (*end)(struct db_row *row);
    int64_t (*i64)(const struct db_row *row, int column);
    struct str (*bytes)(const struct db_row *row, int column);
};

struct db {
    const struct db_driver *driver;
    int err; /* of the first failure */
};

static inline bool db_failed(const struct db *db)
{
    return db->err != 0;
}

#define INT(n)     ((struct db_value){.type = DB_I64, .number = (int64_t)(n)})
#define TEXT(s)    ((struct db_value){.type = DB_TEXT, .bytes = (s)})
#define BLOB(p, n) ((struct db_value){.type = DB_BLOB, .bytes = {(const char *)(p), (n)}})

#define DB_ARRAY(...)  ((const struct db_value[]){{.type = DB_NULL}, ##__VA_ARGS__})
#define DB_VALUES(...) DB_ARRAY(__VA_ARGS__) + 1, ARRAY_LEN(DB_ARRAY(__VA_ARGS__)) - 1

/* Runs it to its end: db_run(db, SQL_X, INT(1), TEXT(name)). */
#define db_run(db_, sql, ...) (db_)->driver->run(db_, sql, DB_VALUES(__VA_ARGS__))
/* The same, of one whose row is not needed at once: many of them have one answer to wait for. on_row is
 * called now, or while a later question or db_catch_up waits; never when the transaction fails before. */
#define db_later(db_, sql, on_row, arg, ...)                                                                 \
    (db_)->driver->later(db_, sql, DB_VALUES(__VA_ARGS__), on_row, arg)
/* The same; how many rows it has changed. */
#define db_change(db_, sql, ...) (db_)->driver->change(db_, sql, DB_VALUES(__VA_ARGS__))
/* Its first row, or NULL when it has none: go on with db_next, or db_end. A statement is not begun again
 * before it has ended. */
#define db_query(db_, sql, ...) (db_)->driver->query(db_, sql, DB_VALUES(__VA_ARGS__))
/* The first column of its first row, or `none` without a row. */
#define db_number(db_, sql, none, ...) db_number_of(db_query(db_, sql, __VA_ARGS__), none)

/* Until every on_row was called, those too that they defer. */
static inline void db_catch_up(struct db *db)
{
    db->driver->catch_up(db);
}

/* On its next row, or NULL after the last (then it has ended). */
static inline struct db_row *db_next(struct db_row *row)
{
    return row->db->driver->next(row);
}

static inline void db_end(struct db_row *row) /* NULL is allowed */
{
    if (row)
        row->db->driver->end(row);
}

/* Whole numbers of any width, and truth as 0 or 1; NULL is 0. */
static inline int64_t db_col_i64(const struct db_row *row, int column)
{
    return row->db->driver->i64(row, column);
}

/* Valid until the next row. */
static inline struct str db_col_str(const struct db_row *row, int column)
{
    return row->db->driver->bytes(row, column);
}

static inline int64_t db_number_of(struct db_row *row, int64_t none)
{
    int64_t number = row ? db_col_i64(row, 0) : none;
    db_end(row);
    return number;
}

#endif
