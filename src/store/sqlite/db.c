#include "store/sqlite/db.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

/* A message of usual size has its body in one page, a chunk of 64 KiB in eight. */
#define PAGE_BYTES 8192
/* Each connection's own; a larger transaction spills into the write-ahead log. */
#define CACHE_KIB 2048
/* Nothing of ours holds SQLite's own locks for long; an operator's shell may. */
#define BUSY_TIMEOUT_MS 5000

/* ---- failures ---- */

static void fail(struct db *db, int rc)
{
    if (db->rc == SQLITE_OK)
        db->rc = rc;
}

void db_clear(struct db *db)
{
    db->rc = SQLITE_OK;
}

bool db_is_full(int rc)
{
    return (rc & 0xff) == SQLITE_FULL;
}

bool db_is_io(int rc)
{
    return (rc & 0xff) == SQLITE_IOERR;
}

int db_err(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_UNAVAILABLE;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

static sqlite3_stmt *prepare(struct db *db, const char *text)
{
    sqlite3_stmt *st = NULL;
    if (db->rc != SQLITE_OK)
        return NULL;
    int rc = sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    CHECK((rc & 0xff) != SQLITE_ERROR); /* our own SQL */
    fail(db, rc);
    return st;
}

/* ---- opening ---- */

static int open_failed(struct db *db, const char *path, struct err_buf *eb)
{
    int err = err_set(eb, db_err(db->rc), "%s: %s", path,
                      db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(db->rc));
    db_close(db);
    return err;
}

int64_t db_pragma(struct db *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t value = 0;
    int rc = db->rc;
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL);
    if (rc == SQLITE_OK) {
        if (sqlite3_step(st) == SQLITE_ROW)
            value = sqlite3_column_int64(st, 0);
        rc = sqlite3_finalize(st);
    }
    if (rc != SQLITE_OK)
        fail(db, rc);
    return value;
}

static void set_pragmas(struct db *db, enum db_mode mode)
{
    char sql[512];
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    /* Checkpoints are the committer's, under the file's lock. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    snprintf(sql, sizeof(sql),
             "PRAGMA page_size=%d; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
             "PRAGMA foreign_keys=OFF; PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=0;"
             "PRAGMA synchronous=FULL;",
             PAGE_BYTES, CACHE_KIB);
    db_exec(db, sql);
    if (mode != DB_WRITE)
        db_exec(db, "PRAGMA query_only=ON");
}

void db_make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static int open_handle(struct db *db, const char *path, enum db_mode mode, struct err_buf *eb)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= mode == DB_LOOK ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == DB_WRITE) {
        flags |= SQLITE_OPEN_CREATE;
        db_make_private(path);
    } else if (access(path, F_OK) != 0) {
        return err_set(eb, ERR_NOT_FOUND, "%s does not exist", path);
    }
    db->rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (db->rc != SQLITE_OK)
        return open_failed(db, path, eb);
    set_pragmas(db, mode);
    return 0;
}

/* Whether the file is one of ours that we may touch. */
static int check_identity(struct db *db, const char *path, int version, enum db_mode mode, struct err_buf *eb)
{
    const struct db_schema *schema = db->schema;
    int64_t id = db_pragma(db, "PRAGMA application_id");
    if (db->rc != SQLITE_OK)
        return open_failed(db, path, eb);
    if (version > 0 && id != schema->application_id)
        return err_set(eb, ERR_CORRUPT, "%s is not a file of this kind (application id %lld, not %d)", path,
                       (long long)id, (int)schema->application_id);
    if (version > schema->version)
        return err_set(
            eb, ERR_VERSION,
            "%s has schema version %d, this program knows up to %d: run the newer program that made it", path,
            version, schema->version);
    if (mode != DB_WRITE && version < schema->version)
        return err_set(eb, ERR_VERSION,
                       "%s has the older schema version %d: start a node on it, which migrates it", path,
                       version);
    return 0;
}

static void make_file(struct db *db)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "PRAGMA journal_mode=WAL; PRAGMA application_id=%d",
             (int)db->schema->application_id);
    db_exec(db, sql);
}

static void migrate(struct db *db, int version)
{
    char sql[64];
    for (; version < db->schema->version && db->rc == SQLITE_OK; version++) {
        snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version + 1);
        db_exec(db, "BEGIN IMMEDIATE");
        db_exec(db, db->schema->migrations[version]);
        db_exec(db, sql);
        db_exec(db, "COMMIT");
    }
}

int db_open(struct db *db, const char *path, const struct db_schema *schema, enum db_mode mode,
            struct err_buf *eb)
{
    *db = (struct db){.schema = schema};
    int err = open_handle(db, path, mode, eb);
    if (err != 0)
        return err;
    int version = (int)db_pragma(db, "PRAGMA user_version");
    err = check_identity(db, path, version, mode, eb);
    if (err != 0) {
        db_close(db);
        return err;
    }
    if (mode == DB_WRITE && version == 0)
        make_file(db);
    if (mode == DB_WRITE)
        migrate(db, version);
    db->begin = prepare(db, mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
    db->commit = prepare(db, "COMMIT");
    if (db->rc != SQLITE_OK)
        return open_failed(db, path, eb);
    db->statements = mem_calloc(schema->statement_count, sizeof(sqlite3_stmt *));
    return 0;
}

void db_close(struct db *db)
{
    for (unsigned i = 0; db->statements && i < db->schema->statement_count; i++)
        sqlite3_finalize(db->statements[i]);
    free(db->statements);
    sqlite3_finalize(db->begin);
    sqlite3_finalize(db->commit);
    CHECK(sqlite3_close(db->handle) == SQLITE_OK); /* all statements were ours */
    *db = (struct db){0};
}

/* ---- statements ---- */

static sqlite3_stmt *prepared(struct db *db, unsigned sql)
{
    CHECK(sql < db->schema->statement_count);
    if (db->rc == SQLITE_OK && !db->statements[sql])
        db->statements[sql] = prepare(db, db->schema->statements[sql]);
    return db->rc == SQLITE_OK ? db->statements[sql] : NULL;
}

static void bind(sqlite3_stmt *st, int index, const struct db_value *v)
{
    const char *ptr = v->bytes.ptr ? v->bytes.ptr : "";
    switch (v->type) {
    case DB_I64:
        sqlite3_bind_int64(st, index, v->number);
        break;
    case DB_TEXT:
        sqlite3_bind_text(st, index, ptr, (int)v->bytes.len, SQLITE_STATIC);
        break;
    case DB_BLOB:
        sqlite3_bind_blob(st, index, ptr, (int)v->bytes.len, SQLITE_STATIC);
        break;
    case DB_NULL:
        sqlite3_bind_null(st, index);
        break;
    }
}

sqlite3_stmt *db_next(struct db *db, sqlite3_stmt *row)
{
    int rc = sqlite3_step(row);
    if (rc == SQLITE_ROW)
        return row;
    sqlite3_reset(row);
    if (rc != SQLITE_DONE)
        fail(db, rc);
    return NULL;
}

void db_end(sqlite3_stmt *row)
{
    if (row)
        sqlite3_reset(row);
}

sqlite3_stmt *db_query_values(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    sqlite3_stmt *st = prepared(db, sql);
    if (!st)
        return NULL;
    for (size_t i = 0; i < count; i++)
        bind(st, (int)i + 1, &values[i]);
    return db_next(db, st);
}

void db_run_values(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    db_end(db_query_values(db, sql, values, count));
}

int64_t db_number_values(struct db *db, unsigned sql, int64_t none, const struct db_value *values,
                         size_t count)
{
    sqlite3_stmt *row = db_query_values(db, sql, values, count);
    int64_t number = row ? sqlite3_column_int64(row, 0) : none;
    db_end(row);
    return number;
}

int64_t db_col_i64(sqlite3_stmt *row, int column)
{
    return sqlite3_column_int64(row, column);
}

struct str db_col_str(sqlite3_stmt *row, int column)
{
    const void *ptr = sqlite3_column_blob(row, column);
    return (struct str){ptr ? ptr : "", (size_t)sqlite3_column_bytes(row, column)};
}

void db_begin(struct db *db)
{
    if (db->rc == SQLITE_OK)
        db_end(db_next(db, db->begin));
}

void db_commit(struct db *db)
{
    if (db->rc == SQLITE_OK)
        db_end(db_next(db, db->commit));
}

void db_rollback(struct db *db)
{
    /* Some failures have rolled back already. */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

void db_exec(struct db *db, const char *sql)
{
    if (db->rc == SQLITE_OK)
        fail(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int64_t db_last_id(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}
