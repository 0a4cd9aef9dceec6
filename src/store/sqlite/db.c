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

static void fail(struct sqlite_db *db, int rc)
{
    if (db->rc != SQLITE_OK || rc == SQLITE_OK)
        return;
    db->rc = rc;
    db->db.err = sqlite_err(rc);
}

void sqlite_clear(struct sqlite_db *db)
{
    db->rc = SQLITE_OK;
    db->db.err = 0;
}

bool sqlite_is_full(int rc)
{
    return (rc & 0xff) == SQLITE_FULL;
}

bool sqlite_is_io(int rc)
{
    return (rc & 0xff) == SQLITE_IOERR;
}

int sqlite_err(int rc)
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

static sqlite3_stmt *prepare(struct sqlite_db *db, const char *text)
{
    sqlite3_stmt *st = NULL;
    if (db->rc != SQLITE_OK)
        return NULL;
    int rc = sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
    CHECK((rc & 0xff) != SQLITE_ERROR); /* our own SQL */
    fail(db, rc);
    return st;
}

/* ---- statements ---- */

static struct sqlite_db *db_of(struct db *db)
{
    return CONTAINER_OF(db, struct sqlite_db, db);
}

static struct sqlite_statement *statement_of(const struct db_row *row)
{
    return CONTAINER_OF((struct db_row *)(uintptr_t)row, struct sqlite_statement, row);
}

static struct sqlite_statement *prepared(struct sqlite_db *db, unsigned sql)
{
    CHECK(sql < db->schema->statement_count);
    struct sqlite_statement *st = &db->statements[sql];
    if (db->rc == SQLITE_OK && !st->handle) {
        st->row.db = &db->db;
        st->handle = prepare(db, db->schema->statements[sql]);
    }
    return db->rc == SQLITE_OK ? st : NULL;
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

/* Whether it is on a row; it has ended otherwise. */
static bool step(struct sqlite_db *db, sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        return true;
    sqlite3_reset(st);
    if (rc != SQLITE_DONE)
        fail(db, rc);
    return false;
}

static void step_whole(struct sqlite_db *db, sqlite3_stmt *st)
{
    if (step(db, st))
        sqlite3_reset(st);
}

static struct db_row *query(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    struct sqlite_statement *st = prepared(db_of(db), sql);
    if (!st)
        return NULL;
    for (size_t i = 0; i < count; i++)
        bind(st->handle, (int)i + 1, &values[i]);
    return step(db_of(db), st->handle) ? &st->row : NULL;
}

static void run(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    db_end(query(db, sql, values, count));
}

static void later(struct db *db, unsigned sql, const struct db_value *values, size_t count, db_on_row on_row,
                  void *arg)
{
    struct db_row *row = query(db, sql, values, count);
    if (!db_failed(db))
        on_row(arg, row);
    db_end(row);
}

/* Nothing is deferred. */
static void catch_up(struct db *db)
{
    (void)db;
}

static int64_t change(struct db *db, unsigned sql, const struct db_value *values, size_t count)
{
    run(db, sql, values, count);
    return db_failed(db) ? 0 : sqlite3_changes64(db_of(db)->handle);
}

static struct db_row *next(struct db_row *row)
{
    return step(db_of(row->db), statement_of(row)->handle) ? row : NULL;
}

static void end(struct db_row *row)
{
    sqlite3_reset(statement_of(row)->handle);
}

static int64_t col_i64(const struct db_row *row, int column)
{
    return sqlite3_column_int64(statement_of(row)->handle, column);
}

static struct str col_bytes(const struct db_row *row, int column)
{
    sqlite3_stmt *st = statement_of(row)->handle;
    const void *ptr = sqlite3_column_blob(st, column);
    return (struct str){ptr ? ptr : "", (size_t)sqlite3_column_bytes(st, column)};
}

static const struct db_driver driver = {run, later, catch_up, change, query, next, end, col_i64, col_bytes};

/* ---- opening ---- */

static int open_failed(struct sqlite_db *db, const char *path, struct err_buf *eb)
{
    int err = err_set(eb, sqlite_err(db->rc), "%s: %s", path,
                      db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(db->rc));
    sqlite_close(db);
    return err;
}

int64_t sqlite_pragma(struct sqlite_db *db, const char *sql)
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

static void set_pragmas(struct sqlite_db *db, enum sqlite_mode mode)
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
    sqlite_exec(db, sql);
    if (mode != SQLITE_TO_WRITE)
        sqlite_exec(db, "PRAGMA query_only=ON");
}

void sqlite_make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static int open_handle(struct sqlite_db *db, const char *path, enum sqlite_mode mode, struct err_buf *eb)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= mode == SQLITE_TO_LOOK ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (mode == SQLITE_TO_WRITE) {
        flags |= SQLITE_OPEN_CREATE;
        sqlite_make_private(path);
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
static int check_identity(struct sqlite_db *db, const char *path, int version, enum sqlite_mode mode,
                          struct err_buf *eb)
{
    const struct sqlite_schema *schema = db->schema;
    int64_t id = sqlite_pragma(db, "PRAGMA application_id");
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
    if (mode != SQLITE_TO_WRITE && version < schema->version)
        return err_set(eb, ERR_VERSION,
                       "%s has the older schema version %d: start a node on it, which migrates it", path,
                       version);
    return 0;
}

static void make_file(struct sqlite_db *db)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "PRAGMA journal_mode=WAL; PRAGMA application_id=%d",
             (int)db->schema->application_id);
    sqlite_exec(db, sql);
}

static void migrate(struct sqlite_db *db, int version)
{
    char sql[64];
    for (; version < db->schema->version && db->rc == SQLITE_OK; version++) {
        snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", version + 1);
        sqlite_exec(db, "BEGIN IMMEDIATE");
        sqlite_exec(db, db->schema->migrations[version]);
        sqlite_exec(db, sql);
        sqlite_exec(db, "COMMIT");
    }
}

int sqlite_open(struct sqlite_db *db, const char *path, const struct sqlite_schema *schema,
                enum sqlite_mode mode, struct err_buf *eb)
{
    *db = (struct sqlite_db){.db.driver = &driver, .schema = schema};
    int err = open_handle(db, path, mode, eb);
    if (err != 0)
        return err;
    int version = (int)sqlite_pragma(db, "PRAGMA user_version");
    err = check_identity(db, path, version, mode, eb);
    if (err != 0) {
        sqlite_close(db);
        return err;
    }
    if (mode == SQLITE_TO_WRITE && version == 0)
        make_file(db);
    if (mode == SQLITE_TO_WRITE)
        migrate(db, version);
    db->begin = prepare(db, mode == SQLITE_TO_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
    db->commit = prepare(db, "COMMIT");
    if (db->rc != SQLITE_OK)
        return open_failed(db, path, eb);
    db->statements = mem_calloc(schema->statement_count, sizeof(*db->statements));
    return 0;
}

void sqlite_close(struct sqlite_db *db)
{
    for (unsigned i = 0; db->statements && i < db->schema->statement_count; i++)
        sqlite3_finalize(db->statements[i].handle);
    free(db->statements);
    sqlite3_finalize(db->begin);
    sqlite3_finalize(db->commit);
    CHECK(sqlite3_close(db->handle) == SQLITE_OK); /* all statements were ours */
    *db = (struct sqlite_db){0};
}

/* ---- transactions ---- */

void sqlite_begin(struct sqlite_db *db)
{
    if (db->rc == SQLITE_OK)
        step_whole(db, db->begin);
}

void sqlite_commit(struct sqlite_db *db)
{
    if (db->rc == SQLITE_OK)
        step_whole(db, db->commit);
}

void sqlite_rollback(struct sqlite_db *db)
{
    /* Some failures have rolled back already. */
    if (!sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

void sqlite_exec(struct sqlite_db *db, const char *sql)
{
    if (db->rc == SQLITE_OK)
        fail(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}
