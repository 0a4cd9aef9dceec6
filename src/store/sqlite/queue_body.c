/* Bodies of a queue's messages: pieces that lie in the journal's segments. */
#include <sys/statvfs.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/sql/queue.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/queue_sql.h"
#include "store/sqlite/segment_io.h"

/* ---- on their way in ---- */

/* What is there of a body will not be used. */
static void drop(struct sql_tx *sql, struct body_core *core)
{
    struct sqlite_tx *tx = sqlite_tx_of(sql);
    const struct record_piece *pieces = core->pieces;
    if (core->id == tx->journal->generation)
        for (uint32_t i = 0; i < core->piece_count; i++)
            space_drop(&tx->journal->space, &pieces[i]);
    core->piece_count = 0;
}

static void keep_piece(struct body_core *core, const struct record_piece *piece)
{
    struct record_piece *pieces = mem_grow(core->pieces, core->piece_count, sizeof(*pieces));
    core->pieces = pieces;
    pieces[core->piece_count++] = *piece;
}

/* ERR_FULL: there was no room to begin a segment, or to make rows. ERR_SYNC: what is there of the body may be
 * lost. */
static int can_append(const struct sqlite_tx *tx, const struct body_core *core)
{
    if (core->id != 0 && core->id != tx->journal->generation)
        return ERR_SYNC;
    return journal_is_open(tx->journal) && !journal_is_stuck(tx->journal) ? 0 : ERR_FULL;
}

static int chunk(struct sql_tx *sql, struct op_body_chunk *o)
{
    struct sqlite_tx *tx = sqlite_tx_of(sql);
    struct body_core *core = o->core;
    struct record_piece piece;
    if (core->id == 0) {
        core->id = tx->journal->generation;
        o->began = true;
    }
    int err = can_append(tx, core);
    if (err != 0)
        return err;
    err = journal_append(tx->journal, RECORD_CHUNK, STR_EMPTY, (struct str){o->data, o->len}, &piece);
    if (err == 0)
        keep_piece(core, &piece);
    return err;
}

/* ---- accepting ---- */

static int is_new(struct sqlite_tx *tx, const struct custody_id *id)
{
    if (journal_has(tx->journal, id) ||
        db_number(tx->sql.db, SQL_MESSAGE_BY_CUSTODY, 0, BLOB(id->bytes, CUSTODY_ID_BYTES)) != 0)
        return ERR_EXISTS;
    return tx->sql.db->err;
}

static int append_accept(struct sqlite_tx *tx, const struct op_queue_accept *o)
{
    const struct body_core *core = o->body.core;
    struct record_piece own;
    struct buf meta;
    struct record_accept a = {.message_id = tx->sql.who.next_message,
                              .first_delivery = tx->sql.who.next_delivery,
                              .size_bytes = o->body.size_bytes,
                              .message = o->message,
                              .piece_count = core->piece_count,
                              .recipient_count = (uint32_t)o->recipient_count};
    buf_init(&meta, SIZE_MAX / 2);
    record_accept_encode(&meta, &a, core->pieces, o->recipients);
    int err = journal_append(tx->journal, RECORD_ACCEPT, buf_str(&meta),
                             (struct str){o->body.data, o->body.len}, &own);
    if (err == 0)
        journal_note_accept(tx->journal, &o->message.custody_id, buf_str(&meta), &own);
    if (err == 0 && own.bytes == 0 && core->piece_count > 0)
        space_drop(&tx->journal->space, &own);
    buf_fini(&meta);
    return err;
}

static int accept_message(struct sql_tx *sql, struct op_queue_accept *o)
{
    struct sqlite_tx *tx = sqlite_tx_of(sql);
    struct body_core *core = o->body.core;
    int err = core->err;
    if (err == 0)
        err = can_append(tx, core);
    if (err == 0 && !o->message.id_is_drawn)
        err = is_new(tx, &o->message.custody_id);
    if (err == 0)
        err = append_accept(tx, o);
    if (err != 0) {
        drop(sql, core);
        return err;
    }
    o->ret_message_id = tx->sql.who.next_message++;
    tx->sql.who.next_delivery += (int64_t)o->recipient_count;
    return 0;
}

/* ---- reading ---- */

static struct record_piece piece_of(struct db_row *row)
{
    return (struct record_piece){.segment = (uint32_t)db_col_i64(row, 0),
                                 .at = (uint64_t)db_col_i64(row, 1),
                                 .lead = (uint32_t)db_col_i64(row, 2),
                                 .bytes = (uint32_t)db_col_i64(row, 3),
                                 .crc = (uint32_t)db_col_i64(row, 4)};
}

static bool find_piece(struct sqlite_tx *tx, int64_t message_id, uint32_t seq, struct record_piece *ret_piece)
{
    struct db_row *row = db_query(tx->sql.db, SQL_PIECE_GET, INT(message_id << BODY_CHUNK_BITS | seq));
    if (row)
        *ret_piece = piece_of(row);
    db_end(row);
    return row;
}

static int read_piece(struct sqlite_tx *tx, const struct record_piece *p, struct op_body_read *o)
{
    char *data = mem_alloc(p->bytes + 1);
    int err = p->bytes > BODY_CHUNK_BYTES
                  ? ERR_CORRUPT
                  : segment_read_once(tx->path, p->segment, p->at + p->lead, data, p->bytes);
    if (err == 0 && crc32c(0, data, p->bytes) != p->crc)
        err = ERR_CORRUPT;
    if (err != 0) {
        free(data);
        return err;
    }
    o->ret_data = data;
    o->ret_len = p->bytes;
    return 0;
}

static int read_body(struct sql_tx *sql, struct op_body_read *o)
{
    struct sqlite_tx *tx = sqlite_tx_of(sql);
    struct record_piece p, first;
    uint64_t seq = o->offset / BODY_CHUNK_BYTES;
    if (!find_piece(tx, o->message_id, 0, &first))
        return ERR_NOT_FOUND;
    if (o->offset >= o->ret_size_bytes)
        return 0;
    if (!find_piece(tx, o->message_id, (uint32_t)seq, &p))
        return ERR_CORRUPT;
    o->ret_offset = seq * BODY_CHUNK_BYTES;
    return read_piece(tx, &p, o);
}

/* ---- giving back ---- */

static void release(struct sql_tx *sql, int64_t message_id)
{
    struct sqlite_tx *tx = sqlite_tx_of(sql);
    for (struct db_row *row = db_query(tx->sql.db, SQL_PIECE_LIST, INT(message_id)); row;
         row = db_next(row)) {
        struct record_piece p = piece_of(row);
        space_free(&tx->space, &p);
    }
    db_run(tx->sql.db, SQL_PIECE_REMOVE, INT(message_id));
}

/* ---- owning, and room ---- */

static int own(struct sql_tx *sql, int64_t epoch)
{
    struct sqlite_tx *tx = sqlite_tx_of(sql);
    int err = apply_files(tx);
    if (err == 0)
        err = lock_note_owner(tx->lock);
    tx->journal->at_rest = false; /* there may have been another owner since */
    return err == 0 ? apply_begin(tx, tx->journal, epoch) : err;
}

static int room(struct sql_tx *sql, size_t bytes)
{
    return segment_io()->room(sqlite_tx_of(sql)->path, bytes);
}

static uint64_t free_bytes(struct sql_tx *sql)
{
    struct statvfs s;
    return statvfs(sqlite_tx_of(sql)->path, &s) == 0 ? (uint64_t)s.f_bavail * s.f_frsize : UINT64_MAX;
}

const struct sql_special sqlite_special = {
    .read = read_body, .release = release, .room = room, .free_bytes = free_bytes};
const struct sql_special sqlite_owner_special = {.own = own,
                                                 .chunk = chunk,
                                                 .drop = drop,
                                                 .accept = accept_message,
                                                 .read = read_body,
                                                 .release = release,
                                                 .room = room,
                                                 .free_bytes = free_bytes};
