/* The body store: bodies of messages as rows of chunks. */
#include "base/crc32c.h"
#include "base/mem.h"
#include "store/body_op.h"
#include "store/sql/queue.h"
#include "store/sql/queue_sql.h"

static int64_t chunk_id(int64_t body_id, uint32_t seq)
{
    return body_id << BODY_CHUNK_BITS | seq;
}

static int64_t add_body(struct sql_tx *tx, int64_t refs, int64_t writer, uint64_t size_bytes)
{
    if (tx->who.next_body != 0 && tx->who.next_body == tx->who.bodies_end)
        queue_bodies_reserve(tx);
    if (tx->who.next_body == 0)
        return db_number(tx->db, SQL_BODY_ADD, 0, INT(refs), INT(writer), INT(size_bytes),
                         INT(BODY_CHUNK_BYTES));
    db_run(tx->db, SQL_BODY_PUT, INT(tx->who.next_body), INT(refs), INT(writer), INT(size_bytes),
           INT(BODY_CHUNK_BYTES));
    return tx->who.next_body++;
}

static void add_chunk(struct sql_tx *tx, int64_t body_id, uint32_t seq, const char *data, size_t len)
{
    /* Signed, it takes four bytes in the row. */
    int32_t crc = (int32_t)crc32c(0, data, len);
    db_run(tx->db, SQL_CHUNK_ADD, INT(chunk_id(body_id, seq)), INT(crc), BLOB(data, len));
}

/* ---- writing ---- */

int sql_body_chunk(struct sql_tx *tx, struct store_op *op)
{
    struct op_body_chunk *o = (struct op_body_chunk *)op;
    if (o->core->err != 0)
        return o->core->err;
    if (tx->special->chunk)
        return tx->special->chunk(tx, o);
    if (o->core->id == 0) {
        o->core->id = add_body(tx, 0, tx->who.writer, 0);
        o->core->generation = tx->generation;
        o->began = true;
    } else if (o->core->generation != tx->generation) {
        return o->core->err = ERR_UNAVAILABLE; /* what came before may not be there */
    }
    add_chunk(tx, o->core->id, o->seq, o->data, o->len);
    return 0;
}

static void drop_body(struct sql_tx *tx, const struct body_core *core)
{
    if (core->id == 0 || core->generation != tx->generation)
        return;
    db_run(tx->db, SQL_BODY_DROP, INT(core->id));
    tx->garbage = true;
}

int sql_body_drop(struct sql_tx *tx, struct store_op *op)
{
    struct body_core *core = ((struct op_body_drop *)op)->core;
    if (tx->special->drop)
        tx->special->drop(tx, core);
    else
        drop_body(tx, core);
    return 0;
}

int sql_body_finish(struct sql_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id)
{
    int64_t id = tail->core->id;
    if (tail->core->err != 0) {
        drop_body(tx, tail->core);
        return tail->core->err;
    }
    if (id != 0 && tail->core->generation != tx->generation)
        return ERR_UNAVAILABLE;
    if (id == 0)
        id = add_body(tx, refs, 0, tail->size_bytes);
    else if (db_change(tx->db, SQL_BODY_USE, INT(id), INT(refs), INT(tail->size_bytes)) != 1)
        return db_failed(tx->db) ? tx->db->err : ERR_UNAVAILABLE; /* another has taken over, and removed it */
    if (tail->len > 0)
        add_chunk(tx, id, tail->seq, tail->data, tail->len);
    *ret_id = id;
    return 0;
}

int64_t sql_body_make(struct sql_tx *tx, struct str text)
{
    int64_t id = add_body(tx, 1, 0, text.len);
    for (uint32_t seq = 0; (size_t)seq * BODY_CHUNK_BYTES < text.len; seq++) {
        struct str piece = str_sub(text, (size_t)seq * BODY_CHUNK_BYTES, BODY_CHUNK_BYTES);
        add_chunk(tx, id, seq, piece.ptr, piece.len);
    }
    return id;
}

void sql_body_discard(struct sql_tx *tx, struct body_tail *tail)
{
    drop_body(tx, tail->core);
}

/* ---- references ---- */

void sql_body_ref(struct sql_tx *tx, int64_t id, int64_t count)
{
    db_run(tx->db, SQL_BODY_REF, INT(id), INT(count));
}

void sql_body_unref_known(struct sql_tx *tx, const struct sql_body *b)
{
    if (b->refs == 1 && b->size_bytes <= b->chunk_bytes) {
        /* The usual small one goes at once. */
        db_run(tx->db, SQL_CHUNK_REMOVE, INT(chunk_id(b->id, 0)));
        db_run(tx->db, SQL_BODY_REMOVE, INT(b->id));
        return;
    }
    db_run(tx->db, SQL_BODY_REF, INT(b->id), INT(-1));
    tx->garbage |= b->refs == 1;
}

void sql_body_unref(struct sql_tx *tx, int64_t id)
{
    struct db_row *row = db_query(tx->db, SQL_BODY_GET, INT(id));
    if (!row)
        return;
    const struct sql_body body = {id, db_col_i64(row, 0), db_col_i64(row, 1), db_col_i64(row, 2)};
    db_end(row);
    sql_body_unref_known(tx, &body);
}

void sql_body_orphan(struct sql_tx *tx, int64_t first_writer, int64_t last_writer)
{
    db_run(tx->db, SQL_BODY_ORPHAN, INT(first_writer), INT(last_writer));
    tx->garbage = true; /* what a killed process did not come to remove, too */
}

static void purge_bodies(struct sql_tx *tx, int rows)
{
    while (rows-- > 0 && tx->garbage) {
        int64_t body_id = db_number(tx->db, SQL_BODY_GARBAGE, 0);
        int64_t last = body_id ? db_number(tx->db, SQL_CHUNK_LAST, 0, INT(body_id)) : 0;
        if (last != 0)
            db_run(tx->db, SQL_CHUNK_REMOVE, INT(last));
        else if (body_id != 0)
            db_run(tx->db, SQL_BODY_REMOVE, INT(body_id));
        else
            tx->garbage = false;
    }
}

void sql_purge(struct sql_tx *tx, int rows)
{
    bool more_mail = tx->part == PART_MAIL && sql_mail_purge(tx, rows);
    purge_bodies(tx, rows);
    tx->garbage |= more_mail;
}

/* ---- reading ---- */

/* row: of SQL_BODY_PIECE. */
static int read_piece(struct op_body_read *o, struct db_row *row)
{
    int64_t chunk_bytes = db_col_i64(row, 2);
    if (db_col_i64(row, 0) <= 0 || chunk_bytes <= 0)
        return ERR_NOT_FOUND;
    o->ret_size_bytes = (uint64_t)db_col_i64(row, 1);
    if (o->offset >= o->ret_size_bytes)
        return 0;
    struct str data = db_col_str(row, 5);
    if (db_col_i64(row, 3) == 0 || (int32_t)crc32c(0, data.ptr, data.len) != db_col_i64(row, 4))
        return ERR_CORRUPT;
    o->ret_offset = o->offset / (uint64_t)chunk_bytes * (uint64_t)chunk_bytes;
    o->ret_data = mem_strndup(data.ptr, data.len);
    o->ret_len = data.len;
    return 0;
}

static int read_of_message(struct sql_tx *tx, struct op_body_read *o)
{
    struct db_row *row = db_query(tx->db, SQL_MESSAGE_PIECE, INT(o->message_id), INT(o->offset));
    if (!row)
        return ERR_NOT_FOUND;
    bool is_row = db_col_i64(row, 6) != 0;
    int err = is_row ? read_piece(o, row) : 0;
    if (!is_row)
        o->ret_size_bytes = (uint64_t)db_col_i64(row, 7);
    db_end(row);
    if (is_row)
        return err;
    return tx->special->read ? tx->special->read(tx, o) : ERR_CORRUPT;
}

int sql_body_read(struct sql_tx *tx, struct store_op *op)
{
    struct op_body_read *o = (struct op_body_read *)op;
    if (o->message_id)
        return read_of_message(tx, o);
    struct db_row *row = db_query(tx->db, SQL_BODY_PIECE, INT(o->body_id), INT(o->offset));
    int err = row ? read_piece(o, row) : ERR_NOT_FOUND;
    db_end(row);
    return err;
}
