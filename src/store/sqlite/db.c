#include "store/sqlite/db.h"

#include <stdarg.h>
#include <string.h>

void db_init(struct sqlite_db *db, sqlite3 *handle)
{
    memset(db, 0, sizeof(*db));
    db->handle = handle;
}

void db_fini(struct sqlite_db *db)
{
    for (size_t i = 0; i < db->statement_count; i++)
        sqlite3_finalize(db->statements[i].stmt);
    sqlite3_close(db->handle);
    memset(db, 0, sizeof(*db));
}

static int io_error(int extended)
{
    switch (extended) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
        return ERR_SYNC;
    default:
        return ERR_IO;
    }
}

int db_error(const struct sqlite_db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_IOERR:
        return io_error(db->handle ? sqlite3_extended_errcode(db->handle) : code);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_DENIED;
    case SQLITE_CANTOPEN:
        return ERR_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

static sqlite3_stmt *statement(struct sqlite_db *db, const char *sql)
{
    for (size_t i = 0; i < db->statement_count; i++)
        if (db->statements[i].sql == sql)
            return db->statements[i].stmt;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
        return NULL;
    CHECK(db->statement_count < SQLITE_STATEMENTS_MAX);
    db->statements[db->statement_count].sql = sql;
    db->statements[db->statement_count++].stmt = stmt;
    return stmt;
}

static void bind_all(sqlite3_stmt *stmt, const char *kinds, va_list args)
{
    for (int at = 1; *kinds; kinds++, at++) {
        struct str s;
        switch (*kinds) {
        case 'i':
        case 'u':
            sqlite3_bind_int64(stmt, at, va_arg(args, int64_t));
            break;
        case 'T':
        case 't':
            s = va_arg(args, struct str);
            if (*kinds == 't' || s.ptr)
                sqlite3_bind_text(stmt, at, s.ptr ? s.ptr : "", (int)s.len, SQLITE_STATIC);
            break;
        case 'b':
            s = va_arg(args, struct str);
            sqlite3_bind_blob(stmt, at, s.ptr ? s.ptr : "", (int)s.len, SQLITE_STATIC);
            break;
        default:
            sqlite3_bind_null(stmt, at);
        }
    }
}

static sqlite3_stmt *vquery(struct sqlite_db *db, const char *sql, const char *kinds, va_list args)
{
    sqlite3_stmt *stmt = statement(db, sql);
    if (stmt)
        bind_all(stmt, kinds, args);
    return stmt;
}

sqlite3_stmt *db_query(struct sqlite_db *db, const char *sql, const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    sqlite3_stmt *stmt = vquery(db, sql, kinds, args);
    va_end(args);
    return stmt;
}

int db_step(struct sqlite_db *db, sqlite3_stmt *stmt)
{
    if (!stmt) {
        int err = db_error(db, sqlite3_errcode(db->handle));
        return err ? err : ERR_IO;
    }
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        return 1;
    int err = db_error(db, code);
    db_end(stmt);
    return err;
}

void db_end(sqlite3_stmt *stmt)
{
    if (!stmt)
        return;
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt); /* they point into the operation */
}

int db_run(struct sqlite_db *db, const char *sql, const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    sqlite3_stmt *stmt = vquery(db, sql, kinds, args);
    va_end(args);
    int rc = db_step(db, stmt);
    if (rc == 1)
        db_end(stmt);
    return rc == 1 ? 0 : rc;
}

int db_get(struct sqlite_db *db, int64_t *ret_value, const char *sql, const char *kinds, ...)
{
    va_list args;
    va_start(args, kinds);
    sqlite3_stmt *stmt = vquery(db, sql, kinds, args);
    va_end(args);
    int rc = db_step(db, stmt);
    if (rc <= 0)
        return rc < 0 ? rc : ERR_NOT_FOUND;
    *ret_value = sqlite3_column_int64(stmt, 0);
    db_end(stmt);
    return 0;
}

struct str db_text(sqlite3_stmt *stmt, int column)
{
    const void *ptr = sqlite3_column_blob(stmt, column);
    return (struct str){ptr ? ptr : "", (size_t)sqlite3_column_bytes(stmt, column)};
}

struct str db_op_text(struct store_op *op, sqlite3_stmt *stmt, int column)
{
    return op_str(op, db_text(stmt, column));
}

int64_t db_changes(const struct sqlite_db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_last_id(const struct sqlite_db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}
