/* Bodies in SQLite: a row for each, a row for each chunk. References are
 * counted; a body without any is garbage and is removed in slices, so that the
 * removal of a large one does not hold up commits. */
#include "base/crc32c.h"
#include "base/mem.h"
#include "store/sqlite/tx.h"

#define BODY_WRITING 0
#define BODY_GARBAGE (-1)
#define SMALL_CHUNKS 1 /* removed at once */

const char sqlite_schema_body[] =
    "CREATE TABLE body(id INTEGER PRIMARY KEY AUTOINCREMENT, refs INTEGER NOT NULL, size INTEGER NOT NULL,"
    " chunks INTEGER NOT NULL, writer TEXT NOT NULL);"
    "CREATE INDEX body_loose ON body(refs) WHERE refs <= 0;"
    "CREATE TABLE chunk(key INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);";

static int64_t chunk_key(int64_t body_id, uint64_t seq)
{
    return body_id * BODY_CHUNKS_MAX + (int64_t)seq;
}

static int add_chunk(struct sqlite_tx *tx, int64_t body_id, uint32_t seq, const char *data, size_t len)
{
    static const char sql[] = "INSERT INTO chunk(key, crc, data) VALUES(?1, ?2, ?3)";
    if (seq >= BODY_CHUNKS_MAX)
        return ERR_LIMIT;
    return db_run(tx->db, sql, "iib", chunk_key(body_id, seq), (int64_t)crc32c(0, data, len),
                  (struct str){data, len});
}

static int begin_body(struct sqlite_tx *tx, int64_t refs, uint64_t size, uint32_t chunks, int64_t *ret_id)
{
    static const char sql[] = "INSERT INTO body(refs, size, chunks, writer) VALUES(?1, ?2, ?3, ?4)";
    struct str writer = refs == BODY_WRITING ? str_from(tx->writer) : STR_EMPTY;
    int err = db_run(tx->db, sql, "iuit", refs, size, (int64_t)chunks, writer);
    if (err == 0)
        *ret_id = db_last_id(tx->db);
    return err;
}

int sqlite_body_chunk(struct sqlite_tx *tx, struct store_op *op)
{
    struct op_body_chunk *o = (struct op_body_chunk *)op;
    if (o->core->err != 0)
        return o->core->err;
    if (o->core->id == 0) {
        int err = begin_body(tx, BODY_WRITING, 0, 0, &o->core->id);
        if (err != 0)
            return err;
        o->began = true;
    }
    return add_chunk(tx, o->core->id, o->seq, o->data, o->len);
}

static int make_garbage(struct sqlite_tx *tx, int64_t id)
{
    static const char sql[] = "UPDATE body SET refs = -1 WHERE id = ?1 AND refs <= 0";
    return db_run(tx->db, sql, "i", id);
}

int sqlite_body_drop(struct sqlite_tx *tx, struct store_op *op)
{
    const struct body_core *core = ((struct op_body_drop *)op)->core;
    return core->id != 0 ? make_garbage(tx, core->id) : 0;
}

int sqlite_body_finish(struct sqlite_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id)
{
    static const char sql[] = "UPDATE body SET refs = ?2, size = ?3, chunks = ?4, writer = '' WHERE id = ?1";
    uint32_t chunks = tail->seq + (tail->len > 0);
    int64_t id = tail->core->id;
    if (tail->core->err != 0)
        return tail->core->err;
    int err = id == 0 ? begin_body(tx, refs, tail->size_bytes, chunks, &id)
                      : db_run(tx->db, sql, "iiui", id, refs, tail->size_bytes, (int64_t)chunks);
    if (err == 0 && tail->len > 0)
        err = add_chunk(tx, id, tail->seq, tail->data, tail->len);
    if (err == 0)
        *ret_id = id;
    return err;
}

int sqlite_body_ref(struct sqlite_tx *tx, int64_t id, int64_t by)
{
    static const char sql[] = "UPDATE body SET refs = refs + ?2 WHERE id = ?1";
    return db_run(tx->db, sql, "ii", id, by);
}

static int remove_chunks(struct sqlite_tx *tx, int64_t id, int64_t first, int64_t count)
{
    static const char sql[] = "DELETE FROM chunk WHERE key >= ?1 AND key < ?2";
    return db_run(tx->db, sql, "ii", chunk_key(id, (uint64_t)first),
                  chunk_key(id, (uint64_t)(first + count)));
}

static int remove_body(struct sqlite_tx *tx, int64_t id)
{
    static const char sql[] = "DELETE FROM body WHERE id = ?1";
    return db_run(tx->db, sql, "i", id);
}

int sqlite_body_unref(struct sqlite_tx *tx, int64_t id)
{
    static const char look[] = "SELECT refs, chunks FROM body WHERE id = ?1";
    static const char less[] =
        "UPDATE body SET refs = CASE WHEN refs > 1 THEN refs - 1 ELSE -1 END WHERE id = ?1";
    sqlite3_stmt *stmt = db_query(tx->db, look, "i", id);
    int rc = db_step(tx->db, stmt);
    if (rc <= 0)
        return rc;
    int64_t refs = sqlite3_column_int64(stmt, 0), chunks = sqlite3_column_int64(stmt, 1);
    db_end(stmt);
    if (refs > 1 || chunks > SMALL_CHUNKS)
        return db_run(tx->db, less, "i", id);
    int err = remove_chunks(tx, id, 0, chunks);
    return err == 0 ? remove_body(tx, id) : err;
}

int sqlite_bodies_abandon(struct sqlite_tx *tx)
{
    static const char sql[] = "UPDATE body SET refs = -1 WHERE refs = 0 AND writer = ?1";
    return db_run(tx->db, sql, "t", str_from(tx->writer));
}

int sqlite_bodies_sweep(struct sqlite_tx *tx, int64_t chunks_max, bool *ret_more)
{
    static const char pick[] = "SELECT id FROM body WHERE refs = -1 LIMIT 1";
    static const char remove[] = "DELETE FROM chunk WHERE key IN"
                                 " (SELECT key FROM chunk WHERE key >= ?1 AND key < ?2 LIMIT ?3)";
    int64_t id;
    *ret_more = true;
    while (chunks_max > 0) {
        int err = db_get(tx->db, &id, pick, "");
        if (err != 0) {
            *ret_more = false;
            return err == ERR_NOT_FOUND ? 0 : err;
        }
        err = db_run(tx->db, remove, "iii", chunk_key(id, 0), chunk_key(id + 1, 0), chunks_max);
        if (err != 0)
            return err;
        int64_t removed = db_changes(tx->db);
        if (removed < chunks_max && (err = remove_body(tx, id)) != 0)
            return err;
        chunks_max -= removed + 1;
    }
    return 0;
}

static int find_body(struct sqlite_tx *tx, const struct op_body_read *o, int64_t *ret_id, uint64_t *ret_size)
{
    static const char by_id[] = "SELECT id, size FROM body WHERE id = ?1 AND refs > 0";
    static const char by_message[] = "SELECT b.id, b.size FROM message m JOIN body b ON b.id = m.body_id"
                                     " WHERE m.id = ?1 AND b.refs > 0";
    sqlite3_stmt *stmt = o->message_id != 0 ? db_query(tx->db, by_message, "i", o->message_id)
                                            : db_query(tx->db, by_id, "i", o->body_id);
    int rc = db_step(tx->db, stmt);
    if (rc <= 0)
        return rc < 0 ? rc : ERR_NOT_FOUND;
    *ret_id = sqlite3_column_int64(stmt, 0);
    *ret_size = (uint64_t)sqlite3_column_int64(stmt, 1);
    db_end(stmt);
    return 0;
}

int sqlite_body_read(struct sqlite_tx *tx, struct store_op *op)
{
    static const char sql[] = "SELECT crc, data FROM chunk WHERE key = ?1";
    struct op_body_read *o = (struct op_body_read *)op;
    uint64_t seq = o->offset / BODY_CHUNK_BYTES;
    int64_t id;
    int err = find_body(tx, o, &id, &o->ret_size_bytes);
    if (err != 0 || o->offset >= o->ret_size_bytes)
        return err;
    sqlite3_stmt *stmt = db_query(tx->db, sql, "i", chunk_key(id, seq));
    int rc = db_step(tx->db, stmt);
    if (rc <= 0)
        return rc < 0 ? rc : ERR_CORRUPT;
    struct str data = db_text(stmt, 1);
    bool whole = crc32c(0, data.ptr, data.len) == (uint32_t)sqlite3_column_int64(stmt, 0) &&
                 (data.len == BODY_CHUNK_BYTES || seq * BODY_CHUNK_BYTES + data.len == o->ret_size_bytes);
    if (whole) {
        o->ret_data = mem_strndup(data.ptr, data.len);
        o->ret_len = data.len;
        o->ret_offset = seq * BODY_CHUNK_BYTES;
    }
    db_end(stmt);
    return whole ? 0 : ERR_CORRUPT;
}
