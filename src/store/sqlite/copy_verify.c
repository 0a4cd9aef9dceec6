#include "store/sqlite/copy_verify.h"

#include <sqlite3.h>
#include <string.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/mem.h"
#include "store/body_op.h"
#include "store/sqlite/segment.h"

#define PROGRESS_BYTES (2 << 20) /* between two reports */

struct verify {
    const char *path, *name;
    bool (*on_progress)(void *arg, const struct store_copy_progress *progress);
    void *arg;
    sqlite3 *db;
    int64_t done_bytes, told_bytes, total_bytes;
    uint64_t pieces;
    struct err_buf *eb;
};

static int failed(struct verify *v)
{
    return err_set(v->eb, ERR_CORRUPT, "%s: the copy cannot be read: %s", v->path, sqlite3_errmsg(v->db));
}

/* Nothing is to appear beside the copy: no log, no index of it. */
static int open_copy(struct verify *v)
{
    struct buf uri;
    buf_init(&uri, SIZE_MAX / 2);
    buf_append_text(&uri, "file:");
    for (const char *at = v->path; *at; at++)
        buf_append_fmt(&uri, strchr("%?#", *at) ? "%%%02x" : "%c", (unsigned char)*at);
    buf_append_text(&uri, "?immutable=1");
    int rc = sqlite3_open_v2(buf_data(&uri), &v->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    buf_fini(&uri);
    return rc == SQLITE_OK ? 0 : failed(v);
}

/* The number that a statement says; `none` without a row. */
static int number(struct verify *v, const char *sql, int64_t none, int64_t *ret_number)
{
    sqlite3_stmt *st = NULL;
    int64_t value = none;
    int rc = sqlite3_prepare_v2(v->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    rc = sqlite3_finalize(st);
    if (rc != SQLITE_OK)
        return failed(v);
    *ret_number = value;
    return 0;
}

static int has_table(struct verify *v, const char *asks, bool *ret_has)
{
    int64_t count = 0;
    int err = number(v, asks, 0, &count);
    if (err == 0)
        *ret_has = count > 0;
    return err;
}

static int tell(struct verify *v, size_t bytes)
{
    v->pieces++;
    v->done_bytes += (int64_t)bytes;
    if (v->done_bytes - v->told_bytes < PROGRESS_BYTES)
        return 0;
    v->told_bytes = v->done_bytes;
    const struct store_copy_progress p = {v->name, "verified", v->done_bytes, v->total_bytes};
    return v->on_progress(v->arg, &p)
               ? 0
               : err_set(v->eb, ERR_CANCELLED, "stopped; the copy of %s was removed", v->name);
}

static int damaged(struct verify *v, int64_t id, const char *what)
{
    return err_set(v->eb, ERR_CORRUPT, "%s: piece %lld of message body %lld %s: what was copied is damaged",
                   v->path, (long long)(id & 0xffff), (long long)(id >> 16), what);
}

/* ---- in rows ---- */

static int chunk_holds(struct verify *v, sqlite3_stmt *row)
{
    const void *data = sqlite3_column_blob(row, 2);
    size_t len = (size_t)sqlite3_column_bytes(row, 2);
    if ((int32_t)crc32c(0, data, len) != sqlite3_column_int64(row, 1))
        return damaged(v, sqlite3_column_int64(row, 0), "does not match its checksum");
    return tell(v, len);
}

/* ---- in segments ---- */

static int piece_holds(struct verify *v, sqlite3_stmt *row)
{
    static _Thread_local char data[BODY_CHUNK_BYTES];
    int64_t id = sqlite3_column_int64(row, 0), bytes = sqlite3_column_int64(row, 4);
    uint64_t at = (uint64_t)sqlite3_column_int64(row, 2) + (uint64_t)sqlite3_column_int64(row, 3);
    if (bytes < 0 || bytes > BODY_CHUNK_BYTES)
        return damaged(v, id, "has no possible length");
    if (segment_read_once(v->path, (uint32_t)sqlite3_column_int64(row, 1), at, data, (size_t)bytes) != 0)
        return damaged(v, id, "is not in its segment");
    if ((int32_t)crc32c(0, data, (size_t)bytes) != sqlite3_column_int64(row, 5))
        return damaged(v, id, "does not match its checksum");
    return tell(v, (size_t)bytes);
}

/* ---- all of a kind ---- */

static int each_row(struct verify *v, const char *sql, int (*holds)(struct verify *v, sqlite3_stmt *row))
{
    sqlite3_stmt *st = NULL;
    int err = 0, rc = sqlite3_prepare_v2(v->db, sql, -1, &st, NULL);
    while (rc == SQLITE_OK && err == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        err = holds(v, st);
        rc = SQLITE_OK;
    }
    if (err == 0 && rc != SQLITE_DONE)
        err = failed(v);
    sqlite3_finalize(st);
    return err;
}

/* sql names a message or body that lacks something, if there is one. */
static int none_lacks(struct verify *v, const char *sql)
{
    int64_t id = 0;
    int err = number(v, sql, 0, &id);
    if (err == 0 && id != 0)
        err = err_set(v->eb, ERR_CORRUPT, "%s: message body %lld is not whole: what was copied is damaged",
                      v->path, (long long)id);
    return err;
}

static int whole_chunks(struct verify *v)
{
    return none_lacks(v, "SELECT b.id FROM body b WHERE b.refs > 0 AND b.size_bytes <> (SELECT"
                         " coalesce(sum(length(c.data)), 0) FROM chunk c WHERE c.id >= b.id << 16 AND c.id <"
                         " (b.id + 1) << 16) LIMIT 1");
}

static int whole_pieces(struct verify *v)
{
    return none_lacks(v, "SELECT m.id FROM message m WHERE m.body_id = 0 AND EXISTS (SELECT 1 FROM live l"
                         " WHERE l.id >= m.first_delivery AND l.id < m.first_delivery + m.deliveries)"
                         " AND m.size_bytes IS NOT (SELECT sum(p.bytes) FROM piece p WHERE p.id >= m.id << 16"
                         " AND p.id < (m.id + 1) << 16) LIMIT 1");
}

/* Of the safety net, in files that have one already. */
static int whole_kept(struct verify *v)
{
    return none_lacks(
        v, "SELECT k.message_id FROM kept k JOIN message m ON m.id = k.message_id WHERE m.body_id = 0"
           " AND m.size_bytes IS NOT (SELECT sum(p.bytes) FROM piece p WHERE p.id >= m.id << 16"
           " AND p.id < (m.id + 1) << 16) LIMIT 1");
}

int copy_verify_whole(sqlite3 *db, const char *path, bool queue, struct err_buf *eb)
{
    struct verify v = {.path = path, .db = db, .eb = eb};
    int err = whole_chunks(&v);
    if (err == 0 && queue)
        err = whole_pieces(&v);
    if (err == 0 && queue)
        err = whole_kept(&v);
    return err;
}

static int verify_chunks(struct verify *v)
{
    int err = number(v, "SELECT coalesce(sum(size_bytes), 0) FROM body", 0, &v->total_bytes);
    if (err == 0)
        err = each_row(v, "SELECT id, crc, data FROM chunk", chunk_holds);
    return err == 0 ? whole_chunks(v) : err;
}

static int verify_pieces(struct verify *v)
{
    int64_t bytes = 0;
    int err = number(v, "SELECT coalesce(sum(bytes), 0) FROM piece", 0, &bytes);
    v->total_bytes += bytes;
    if (err == 0)
        err = each_row(v, "SELECT id, segment, at, lead, bytes, crc FROM piece ORDER BY segment, at",
                       piece_holds);
    return err == 0 ? whole_pieces(v) : err;
}

static int verify_tables(struct verify *v)
{
    bool chunks = false, pieces = false, kept = false;
    int err = has_table(v, "SELECT count(*) FROM sqlite_master WHERE name = 'chunk'", &chunks);
    if (err == 0)
        err = has_table(v, "SELECT count(*) FROM sqlite_master WHERE name = 'piece'", &pieces);
    if (err == 0)
        err = has_table(v, "SELECT count(*) FROM sqlite_master WHERE name = 'kept'", &kept);
    if (err == 0 && chunks)
        err = verify_chunks(v);
    if (err == 0 && pieces)
        err = verify_pieces(v);
    if (err == 0 && kept)
        err = whole_kept(v);
    return err;
}

int copy_verify(const char *path, const char *name,
                bool (*on_progress)(void *arg, const struct store_copy_progress *progress), void *arg,
                uint64_t *ret_pieces, struct err_buf *eb)
{
    struct verify v = {.path = path, .name = name, .on_progress = on_progress, .arg = arg, .eb = eb};
    int err = open_copy(&v);
    if (err == 0)
        err = verify_tables(&v);
    sqlite3_close(v.db);
    if (err == 0)
        *ret_pieces += v.pieces;
    return err;
}
