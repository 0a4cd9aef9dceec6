/* Inside the SQLite engine: a connection with its prepared statements. Belongs
 * to one thread at a time.
 *
 * Failures stick: after the first one every call does nothing and finds no row,
 * until db_clear. So an execution runs to its end and its caller asks once. */
#ifndef HOLDFAST_STORE_SQLITE_DB_H
#define HOLDFAST_STORE_SQLITE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* The SQL of one part: its statements by number, and what made its file. */
struct db_schema {
    int32_t application_id;        /* 'HFnw', ...: what `file` shows */
    const char *const *migrations; /* [v - 1] leads from version v - 1 to v; each is a transaction */
    int version;                   /* how many */
    const char *const *statements;
    unsigned statement_count;
};

struct db {
    sqlite3 *handle; /* NULL when closed */
    const struct db_schema *schema;
    sqlite3_stmt **statements; /* prepared at their first use */
    sqlite3_stmt *begin, *commit;
    int rc; /* extended result code of the first failure */
};

enum db_mode { DB_LOOK, DB_READ, DB_WRITE };

/* Makes an empty file, unless it is there, that nobody else may read: SQLite would let everybody. The log and
 * the index beside it take over its mode. */
void db_make_private(const char *path);

/* Opens with the pragmas of docs/formats.md. DB_WRITE makes the file when it is
 * missing, and migrates it; the caller holds the file's lock. DB_READ is the
 * reader beside a writer; DB_LOOK changes nothing on the disk. ERR_NOT_FOUND,
 * ERR_DENIED, ERR_VERSION, ERR_CORRUPT, ... */
int db_open(struct db *db, const char *path, const struct db_schema *schema, enum db_mode mode,
            struct err_buf *eb) MUST_USE;
void db_close(struct db *db);

/* ---- statements ---- */

struct db_value {
    enum { DB_I64, DB_TEXT, DB_BLOB, DB_NULL } type;
    int64_t number;
    struct str bytes; /* valid until the statement has ended */
};

#define INT(n)     ((struct db_value){.type = DB_I64, .number = (int64_t)(n)})
#define TEXT(s)    ((struct db_value){.type = DB_TEXT, .bytes = (s)})
#define BLOB(p, n) ((struct db_value){.type = DB_BLOB, .bytes = {(const char *)(p), (n)}})

#define DB_ARRAY(...)  ((const struct db_value[]){{.type = DB_NULL}, ##__VA_ARGS__})
#define DB_VALUES(...) DB_ARRAY(__VA_ARGS__) + 1, ARRAY_LEN(DB_ARRAY(__VA_ARGS__)) - 1

/* Runs it to its end: db_run(db, SQL_X, INT(1), TEXT(name)). */
#define db_run(db, sql, ...) db_run_values(db, sql, DB_VALUES(__VA_ARGS__))
/* Its first row, or NULL when it has none: go on with db_next, or db_end. */
#define db_query(db, sql, ...) db_query_values(db, sql, DB_VALUES(__VA_ARGS__))
/* The first column of its first row, or `none` without a row. */
#define db_number(db, sql, none, ...) db_number_values(db, sql, none, DB_VALUES(__VA_ARGS__))

void db_run_values(struct db *db, unsigned sql, const struct db_value *values, size_t count);
sqlite3_stmt *db_query_values(struct db *db, unsigned sql, const struct db_value *values, size_t count);
int64_t db_number_values(struct db *db, unsigned sql, int64_t none, const struct db_value *values,
                         size_t count);
/* The statement on its next row, or NULL after the last (then it has ended). */
sqlite3_stmt *db_next(struct db *db, sqlite3_stmt *row);
void db_end(sqlite3_stmt *row); /* NULL is allowed */

int64_t db_col_i64(sqlite3_stmt *row, int column);
struct str db_col_str(sqlite3_stmt *row, int column); /* valid until the next row */

/* A transaction: DB_WRITE connections begin IMMEDIATE. After a failure only
 * db_rollback ends it (db->rc stays). */
void db_begin(struct db *db);
void db_commit(struct db *db);
void db_rollback(struct db *db);

/* SQL without values, outside of the statements. */
void db_exec(struct db *db, const char *sql);
int64_t db_pragma(struct db *db, const char *sql); /* the number that it tells */
int64_t db_last_id(const struct db *db);
int64_t db_changes(const struct db *db);

/* ---- failures ---- */

void db_clear(struct db *db);
/* The nearest of our codes for a result code; 0 for none. */
int db_err(int rc);
bool db_is_full(int rc); /* no room: nothing else is wrong */
bool db_is_io(int rc);   /* reading, writing or syncing failed */

#endif
