/* Inside the SQL engines: a connection with its prepared statements: a db
 * (store/sql/db.h) on a file. */
#ifndef HOLDFAST_STORE_SQLITE_DB_H
#define HOLDFAST_STORE_SQLITE_DB_H

#include <sqlite3.h>

#include "store/sql/db.h"

/* The SQL of one part: its statements by number, and what made its file. */
struct sqlite_schema {
    int32_t application_id;        /* 'HFnw', ...: what `file` shows */
    const char *const *migrations; /* [v - 1] leads from version v - 1 to v; each is a transaction */
    int version;                   /* how many */
    const char *const *statements;
    unsigned statement_count;
};

struct sqlite_statement {
    struct db_row row;
    sqlite3_stmt *handle; /* prepared at its first use */
};

struct sqlite_db {
    struct db db;
    sqlite3 *handle; /* NULL when closed */
    const struct sqlite_schema *schema;
    struct sqlite_statement *statements;
    sqlite3_stmt *begin, *commit;
    int rc; /* extended result code of the first failure */
};

enum sqlite_mode { SQLITE_TO_LOOK, SQLITE_TO_READ, SQLITE_TO_WRITE };

/* Makes an empty file, unless it is there, that nobody else may read: SQLite would let everybody. The log and
 * the index beside it take over its mode. */
void sqlite_make_private(const char *path);

/* Opens with the pragmas of docs/formats.md. SQLITE_TO_WRITE makes the file when it is
 * missing, and migrates it; the caller holds the file's lock. SQLITE_TO_READ is the
 * reader beside a writer; SQLITE_TO_LOOK changes nothing on the disk. ERR_NOT_FOUND,
 * ERR_DENIED, ERR_VERSION, ERR_CORRUPT, ... */
int sqlite_open(struct sqlite_db *db, const char *path, const struct sqlite_schema *schema,
                enum sqlite_mode mode, struct err_buf *eb) MUST_USE;
void sqlite_close(struct sqlite_db *db);

/* A transaction: SQLITE_TO_WRITE connections begin IMMEDIATE. After a failure only
 * sqlite_rollback ends it (rc stays). */
void sqlite_begin(struct sqlite_db *db);
void sqlite_commit(struct sqlite_db *db);
void sqlite_rollback(struct sqlite_db *db);

/* SQL without values, outside of the statements. */
void sqlite_exec(struct sqlite_db *db, const char *sql);
int64_t sqlite_pragma(struct sqlite_db *db, const char *sql); /* the number that it tells */

/* ---- failures ---- */

void sqlite_clear(struct sqlite_db *db);
/* The nearest of our codes for a result code; 0 for none. */
int sqlite_err(int rc);
bool sqlite_is_full(int rc); /* no room: nothing else is wrong */
bool sqlite_is_io(int rc);   /* reading, writing or syncing failed */

#endif
