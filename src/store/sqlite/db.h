/* Inside the SQLite engine: one connection, with its statements prepared once
 * and SQLite's results as errors of ours. One thread at a time. */
#ifndef HOLDFAST_STORE_SQLITE_DB_H
#define HOLDFAST_STORE_SQLITE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/err.h"
#include "base/str.h"
#include "store/engine.h"

#define SQLITE_STATEMENTS_MAX 128 /* different texts of one part */

struct sqlite_db {
    sqlite3 *handle;
    struct {
        const char *sql; /* compared as a pointer: each text is a static string used at one place */
        sqlite3_stmt *stmt;
    } statements[SQLITE_STATEMENTS_MAX];
    size_t statement_count;
};

/* Takes the open connection. */
void db_init(struct sqlite_db *db, sqlite3 *handle);
/* Finalises the statements and closes the connection. */
void db_fini(struct sqlite_db *db);

/* SQLITE_FULL -> ERR_FULL, a failed sync -> ERR_SYNC, other I/O -> ERR_IO, ... */
int db_error(const struct sqlite_db *db, int code);

/* kinds says what follows: i int64_t, t struct str as text, T as t but
 * NULL when it has no ptr, b struct str as blob, u uint64_t as int64, n NULL. Runs to the end without
 * results. */
int db_run(struct sqlite_db *db, const char *sql, const char *kinds, ...) MUST_USE;
/* As db_run, but a statement that may give rows, for db_step. Never NULL: an
 * error of preparing or binding comes from db_step. */
sqlite3_stmt *db_query(struct sqlite_db *db, const char *sql, const char *kinds, ...);
/* 1: a row is there; 0: no more (the statement is reset); or an error (reset). */
int db_step(struct sqlite_db *db, sqlite3_stmt *stmt) MUST_USE;
/* Before the last row was seen. */
void db_end(sqlite3_stmt *stmt);
/* One integer of the first row. ERR_NOT_FOUND. */
int db_get(struct sqlite_db *db, int64_t *ret_value, const char *sql, const char *kinds, ...) MUST_USE;

struct str db_text(sqlite3_stmt *stmt, int column); /* text or blob, valid until the next step */
/* The same, copied into the operation's arena. */
struct str db_op_text(struct store_op *op, sqlite3_stmt *stmt, int column);
/* rows changed by the last statement; id of the last insertion */
int64_t db_changes(const struct sqlite_db *db);
int64_t db_last_id(const struct sqlite_db *db);

#endif
