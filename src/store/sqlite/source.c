#include "store/sqlite/source.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/body_op.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/copy_mark.h"
#include "store/sqlite/copy_verify.h"
#include "store/sqlite/heal.h"

struct source_part {
    enum part_kind kind;
    char *path, *name; /* of its database; of a queue */
    struct lock lock;
    struct sqlite_db db;
    struct position end; /* of a queue's journal */
    int64_t bodies;
};

struct source {
    char *folder;
    struct source_part **parts;
    size_t count;
};

static int failed(struct source_part *p, struct err_buf *eb)
{
    int rc = p->db.rc != SQLITE_OK ? p->db.rc : sqlite3_extended_errcode(p->db.handle);
    bool busy = (rc & 0xff) == SQLITE_BUSY;
    return err_set(eb, busy ? ERR_BUSY : sqlite_err(rc), "%s: %s%s", p->path, sqlite3_errstr(rc),
                   busy ? ": somebody writes it, stop the network first" : "");
}

/* ---- numbers ---- */

static int number(struct source_part *p, const char *sql, int64_t *ret_number, struct err_buf *eb)
{
    sqlite3_stmt *st = NULL;
    int64_t value = 0;
    int rc = sqlite3_prepare_v2(p->db.handle, sql, -1, &st, NULL);
    if (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
        value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return failed(p, eb);
    *ret_number = value;
    return 0;
}

int source_part_highest(struct source_part *p, const char *table, int64_t *ret_id, struct err_buf *eb)
{
    struct buf sql;
    bool quoted = *table == '"';
    buf_init(&sql, 1024);
    buf_append_fmt(&sql,
                   "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = '%.*s'), 0),"
                   " coalesce((SELECT max(id) FROM %s), 0))",
                   (int)strlen(table) - 2 * quoted, table + quoted, table);
    int err = number(p, buf_data(&sql), ret_id, eb);
    buf_fini(&sql);
    return err;
}

int source_part_count_rows(struct source_part *p, const struct stream *s, int64_t *ret_count,
                           struct err_buf *eb)
{
    struct buf sql;
    buf_init(&sql, 1024);
    buf_append_fmt(&sql, "SELECT count(*) FROM %s %s", s->source, s->source_where);
    int err = number(p, buf_data(&sql), ret_count, eb);
    buf_fini(&sql);
    return err;
}

int source_part_check(struct source_part *p, struct err_buf *eb)
{
    return p->kind == PART_NETWORK ? 0 : copy_verify_whole(p->db.handle, p->path, p->kind == PART_QUEUE, eb);
}

/* ---- opening ---- */

static int take_in_journal(struct source_part *p)
{
    int err = p->kind == PART_QUEUE ? apply_as_guest(&p->db, p->path, &p->lock) : 0;
    return err == 0 ? p->db.db.err : err;
}

static void note_end(struct source_part *p)
{
    struct sqlite_tx tx = {.sql = {.db = &p->db.db, .part = p->kind}, .path = p->path, .lock = &p->lock};
    if (p->kind == PART_QUEUE)
        p->end = apply_position(&tx);
}

/* Under its lock. The transaction stays. */
static int part_begin(struct source_part *p, struct err_buf *eb)
{
    static const struct sqlite_schema *const schemas[] = {[PART_NETWORK] = &sqlite_network_schema,
                                                          [PART_MAIL] = &sqlite_mail_schema,
                                                          [PART_QUEUE] = &sqlite_queue_schema};
    int err = heal_if_due(p->path, &p->lock, eb);
    if (err == 0)
        err = sqlite_open(&p->db, p->path, schemas[p->kind], SQLITE_TO_WRITE, eb);
    if (err != 0)
        return err;
    if (take_in_journal(p) != 0 && p->db.rc == SQLITE_OK)
        return err_set(eb, ERR_IO, "%s: its journal cannot be read", p->path);
    sqlite_exec(&p->db, "PRAGMA temp_store=FILE");
    sqlite_begin(&p->db);
    note_end(p);
    return p->db.rc == SQLITE_OK ? 0 : failed(p, eb);
}

static int part_open(struct source_part *p, struct err_buf *eb)
{
    int err = lock_open(&p->lock, p->path, eb);
    if (err != 0)
        return err;
    if (lock_take(&p->lock) != 0)
        return err_set(eb, ERR_IO, "%s-lock: cannot be locked", p->path);
    err = part_begin(p, eb);
    lock_release(&p->lock);
    if (err == 0 && p->kind == PART_QUEUE)
        err = source_part_highest(p, "body", &p->bodies, eb);
    return err;
}

static void part_free(struct source_part *p)
{
    if (p->db.handle) {
        sqlite_rollback(&p->db);
        sqlite_close(&p->db);
    }
    lock_close(&p->lock);
    free(p->path);
    free(p->name);
    free(p);
}

/* ---- who lives ---- */

/* On the clock of this boot; of another one all have run out. */
static int nobody_lives(struct source_part *network, struct mono_time now, struct err_buf *eb)
{
    struct buf sql;
    int64_t left_ms = 0;
    buf_init(&sql, 1024);
    buf_append_fmt(&sql,
                   "SELECT max(expires_ms) - %lld FROM lease WHERE EXISTS(SELECT 1 FROM device"
                   " WHERE boot_id = '%.*s')",
                   (long long)(now.ns / NS_PER_MS), LOCK_BOOT_ID_BYTES, network->lock.boot_id);
    int err = number(network, buf_data(&sql), &left_ms, eb);
    buf_fini(&sql);
    if (err != 0 || left_ms <= 0)
        return err;
    return err_set(eb, ERR_BUSY,
                   "the network runs on %s, or did %lld s ago at most: stop it on all nodes, and try again",
                   network->path, (long long)(left_ms / 1000) + 1);
}

/* ---- the folder ---- */

static int add_part(struct source *s, enum part_kind kind, const char *file, struct err_buf *eb)
{
    struct source_part *p = mem_zalloc(sizeof(*p));
    size_t prefix = strlen("queue-"), suffix = strlen(".db");
    p->kind = kind;
    p->lock.fd = -1;
    p->path = mem_asprintf("%s/%s", s->folder, file);
    p->name =
        kind == PART_QUEUE ? mem_strndup(file + prefix, strlen(file) - prefix - suffix) : mem_strdup("");
    s->parts = mem_grow(s->parts, s->count, sizeof(*s->parts));
    s->parts[s->count++] = p;
    return part_open(p, eb);
}

static int add_queues(struct source *s, DIR *dir, struct err_buf *eb)
{
    const struct dirent *entry;
    int err = 0;
    while (err == 0 && (entry = readdir(dir))) {
        struct str name = str_from(entry->d_name);
        if (str_starts(name, STR("queue-")) && str_ends(name, STR(".db")))
            err = add_part(s, PART_QUEUE, entry->d_name, eb);
    }
    return err;
}

/* The mail may not be there yet; the network is, wherever a node has run. */
static int add_all(struct source *s, DIR *dir, struct loop *l, struct err_buf *eb)
{
    if (faccessat(dirfd(dir), "network.db", F_OK, 0) != 0)
        return err_set(eb, ERR_NOT_FOUND, "%s holds no store", s->folder);
    int err = add_part(s, PART_NETWORK, "network.db", eb);
    if (err == 0)
        err = nobody_lives(s->parts[0], loop_now(l), eb);
    if (err == 0 && faccessat(dirfd(dir), "mail.db", F_OK, 0) == 0)
        err = add_part(s, PART_MAIL, "mail.db", eb);
    return err == 0 ? add_queues(s, dir, eb) : err;
}

int source_open(const char *folder, struct loop *l, struct source **ret_source, struct err_buf *eb)
{
    DIR *dir = opendir(folder);
    int err = dir ? copy_mark_refuse(folder, eb) : 0;
    if (err != 0) {
        closedir(dir);
        return err;
    }
    if (!dir)
        return err_set(eb, err_from_errno(errno), "%s: %s", folder, strerror(errno));
    struct source *s = mem_zalloc(sizeof(*s));
    s->folder = mem_strdup(folder);
    err = add_all(s, dir, l, eb);
    closedir(dir);
    if (err != 0) {
        source_close(s);
        return err;
    }
    *ret_source = s;
    return 0;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        part_free(s->parts[i]);
    free(s->parts);
    free(s->folder);
    free(s);
}

size_t source_part_count(const struct source *s)
{
    return s->count;
}

struct source_part *source_part(struct source *s, size_t index)
{
    return s->parts[index];
}

enum part_kind source_part_kind(const struct source_part *p)
{
    return p->kind;
}

struct str source_part_name(const struct source_part *p)
{
    return str_from(p->name);
}

int64_t source_part_bodies(const struct source_part *p)
{
    return p->bodies;
}

int source_is_unchanged(struct source *s, struct err_buf *eb)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct source_part *p = s->parts[i];
        if (apply_is_due(p->path, &p->end))
            return err_set(eb, ERR_BUSY, "%s: somebody has taken mail meanwhile: stop the network first",
                           p->path);
    }
    return 0;
}

/* ---- rows ---- */

struct source_rows {
    struct source_part *part;
    const struct stream *stream;
    sqlite3_stmt *st;
    char data[BODY_CHUNK_BYTES]; /* of a piece */
};

int source_rows_open(struct source_part *p, const struct stream *s, int64_t skip,
                     struct source_rows **ret_rows, struct err_buf *eb)
{
    struct source_rows *r = mem_zalloc(sizeof(*r));
    struct buf sql;
    r->part = p;
    r->stream = s;
    buf_init(&sql, 4096);
    stream_select_source(s, p->bodies, &sql);
    buf_append_fmt(&sql, " LIMIT -1 OFFSET %lld", (long long)skip);
    int rc = sqlite3_prepare_v2(p->db.handle, buf_data(&sql), -1, &r->st, NULL);
    buf_fini(&sql);
    if (rc != SQLITE_OK) {
        free(r);
        return failed(p, eb);
    }
    *ret_rows = r;
    return 0;
}

static int damaged(const struct source_rows *r, int64_t id, struct err_buf *eb)
{
    return err_set(eb, ERR_CORRUPT, "%s: piece %lld of message body %lld is not what its checksum says",
                   r->part->path, (long long)(id & 0xffff), (long long)(id >> 16));
}

/* From its segment; the numbers are those behind id and checksum. */
static int read_piece(struct source_rows *r, struct db_value *ret_data, struct err_buf *eb)
{
    int64_t id = sqlite3_column_int64(r->st, 0), bytes = sqlite3_column_int64(r->st, 4);
    uint64_t at = (uint64_t)sqlite3_column_int64(r->st, 3);
    if (bytes < 0 || bytes > BODY_CHUNK_BYTES ||
        segment_read_once(r->part->path, (uint32_t)sqlite3_column_int64(r->st, 2), at, r->data,
                          (size_t)bytes) != 0)
        return damaged(r, id, eb);
    *ret_data = BLOB(r->data, (size_t)bytes);
    return 0;
}

static struct db_value value_of(sqlite3_stmt *st, int column, char type)
{
    if (type == 'i' || type == 'n')
        return INT(sqlite3_column_int64(st, column));
    const char *ptr = sqlite3_column_blob(st, column);
    size_t len = (size_t)sqlite3_column_bytes(st, column);
    return (struct db_value){.type = type == 't' ? DB_TEXT : DB_BLOB, .bytes = {ptr ? ptr : "", len}};
}

/* Of a row of `chunk`: its bytes are what its checksum says. */
static int check_chunk(const struct source_rows *r, const struct db_value *row, struct err_buf *eb)
{
    bool holds = (int32_t)crc32c(0, row[2].bytes.ptr, row[2].bytes.len) == row[1].number;
    return holds ? 0 : damaged(r, row[0].number, eb);
}

int source_rows_next(struct source_rows *r, struct db_value *ret_values, struct err_buf *eb)
{
    int rc = sqlite3_step(r->st), err = 0;
    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? 0 : failed(r->part, eb);
    size_t count = strlen(r->stream->types), own = count - r->stream->in_segments;
    for (size_t i = 0; i < own; i++)
        ret_values[i] = value_of(r->st, (int)i, r->stream->types[i]);
    if (r->stream->in_segments)
        err = read_piece(r, &ret_values[own], eb);
    if (err == 0 && stream_is_of_chunks(r->stream))
        err = check_chunk(r, ret_values, eb);
    return err == 0 ? 1 : err;
}

void source_rows_close(struct source_rows *r)
{
    if (!r)
        return;
    sqlite3_finalize(r->st);
    free(r);
}
