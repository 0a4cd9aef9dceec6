#include "store/sqlite/apply.h"

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/sql/queue.h"
#include "store/sqlite/heal.h"
#include "store/sqlite/queue_sql.h"

/* ---- one message ---- */

static void add_piece(struct sqlite_tx *tx, int64_t message_id, uint32_t seq, const struct record_piece *p)
{
    db_run(tx->sql.db, SQL_PIECE_ADD, INT(message_id << BODY_CHUNK_BITS | seq), INT(p->segment), INT(p->at),
           INT(p->lead), INT(p->bytes), INT((int32_t)p->crc));
    space_add(&tx->space, p->segment, 1);
}

static void add_pieces(struct sqlite_tx *tx, const struct record_accept *m, const struct record_piece *own)
{
    struct str pieces = m->pieces;
    for (uint32_t i = 0; i < m->piece_count; i++) {
        struct record_piece p = record_next_piece(&pieces);
        add_piece(tx, m->message_id, i, &p);
    }
    if (own->bytes > 0 || m->piece_count == 0)
        add_piece(tx, m->message_id, m->piece_count, own);
}

static void add_message(struct sqlite_tx *tx, const struct record_accept *m, const struct record_piece *own)
{
    const struct queue_message_in *in = &m->message;
    struct record_accept left = *m;
    const struct queue_row row = {.message_id = m->message_id,
                                  .first_delivery = m->first_delivery,
                                  .size_bytes = m->size_bytes,
                                  .recipient_count = m->recipient_count};
    if (!queue_message_add(&tx->sql, &row, in))
        return;
    add_pieces(tx, m, own);
    for (uint32_t i = 0; i < m->recipient_count; i++) {
        struct queue_recipient_in to = record_next_recipient(&left);
        int64_t place_id = queue_place_take(&tx->sql, to.domain, to.home);
        queue_delivery_add(&tx->sql, m->first_delivery + i, m->message_id, place_id, &to, in->received_at);
        if (in->stopped.len > 0)
            queue_delivery_stop(&tx->sql, m->first_delivery + i, place_id, in, i == 0);
    }
}

/* ---- the position ---- */

struct position apply_position(struct sqlite_tx *tx)
{
    struct position p = {0};
    struct db_row *row = db_query(tx->sql.db, SQL_POSITION_GET);
    if (row)
        p = (struct position){(uint32_t)db_col_i64(row, 0), (uint64_t)db_col_i64(row, 1),
                              (uint64_t)db_col_i64(row, 2), (uint64_t)db_col_i64(row, 3)};
    db_end(row);
    return p;
}

static void set_position(struct sqlite_tx *tx, const struct position *p)
{
    db_run(tx->sql.db, SQL_POSITION_PUT, INT(p->segment), INT(p->at), INT(p->sequence), INT(p->salt));
}

/* ---- from memory ---- */

void apply_pending(struct sqlite_tx *tx, struct journal *j)
{
    struct position p = apply_position(tx);
    if (p.sequence >= j->sequence)
        return;
    for (size_t i = 0; i < j->accept_count; i++) {
        const struct journal_accept *accept = &j->accepts[i];
        struct record_accept m;
        struct str meta = {buf_data(&j->metas) + accept->meta_at, accept->meta_len};
        if (accept->sequence < p.sequence)
            continue; /* a reader was faster */
        CHECK(record_accept_decode(meta, &m) == 0);
        add_message(tx, &m, &accept->own);
    }
    set_position(tx,
                 &(struct position){j->current.header.number, j->at, j->sequence, j->current.header.salt});
}

/* ---- from the files ---- */

struct walk {
    struct sqlite_tx *tx;
    struct position p;
    struct segment segment;
    struct str meta, body; /* of the record at hand */
    char *mem;
    size_t capacity;
    uint64_t cut_salt, cut_at;
    bool cut;
};

/* The segment that the position names, in the same life; durable, as far as it goes. */
static int walk_open(struct walk *w, const char *path)
{
    segment_close(&w->segment);
    int err = segment_open(path, w->p.segment, &w->segment);
    if (err == 0 && w->segment.header.salt != w->p.salt)
        return ERR_CORRUPT;
    return err == 0 ? segment_io()->sync(w->segment.fd) : err;
}

static bool has_room(const struct walk *w, uint64_t bytes)
{
    uint64_t end = w->cut && w->p.salt == w->cut_salt ? w->cut_at : w->segment.header.size_bytes;
    return w->p.at <= end && bytes <= end - w->p.at;
}

static int walk_header(const struct walk *w, char *bytes, struct record_header *ret_header)
{
    int err = has_room(w, RECORD_HEADER_BYTES) ? 0 : ERR_CORRUPT;
    if (err == 0)
        err = segment_read(&w->segment, w->p.at, bytes, RECORD_HEADER_BYTES);
    if (err == 0)
        err = record_header_decode((struct str){bytes, RECORD_HEADER_BYTES}, ret_header);
    if (err != 0)
        return err;
    bool next = ret_header->salt == w->p.salt && ret_header->sequence == w->p.sequence &&
                has_room(w, record_bytes(ret_header));
    return next ? 0 : ERR_CORRUPT;
}

/* ERR_CORRUPT: the journal ends here. */
static int walk_record(struct walk *w, struct record_header *ret_header)
{
    char header[RECORD_HEADER_BYTES];
    int err = walk_header(w, header, ret_header);
    if (err != 0)
        return err;
    size_t len = (size_t)ret_header->meta_bytes + ret_header->body_bytes;
    if (len > w->capacity)
        w->mem = mem_realloc(w->mem, w->capacity = len);
    err = segment_read(&w->segment, w->p.at + sizeof(header), w->mem, len);
    if (err != 0)
        return err;
    w->meta = (struct str){w->mem, ret_header->meta_bytes};
    w->body = (struct str){w->mem + ret_header->meta_bytes, ret_header->body_bytes};
    bool holds = record_holds((struct str){header, sizeof(header)}, w->meta) &&
                 crc32c(0, w->body.ptr, w->body.len) == ret_header->body_crc;
    return holds ? 0 : ERR_CORRUPT;
}

static bool walk_accept(struct walk *w, const struct record_header *h)
{
    struct record_accept m;
    struct record_piece own = record_own_piece(h, w->p.segment, w->p.at);
    if (record_accept_decode(w->meta, &m) != 0)
        return false;
    add_message(w->tx, &m, &own);
    return true;
}

/* Goes one record on; false at the end, or where it cannot be read. */
static bool walk_step(struct walk *w, const char *path, int *err)
{
    struct record_header h;
    struct record_next next;
    *err = walk_record(w, &h);
    if (*err != 0)
        return false;
    if (h.kind == RECORD_NEXT) {
        if (record_next_decode(w->meta, &next) != 0)
            return false;
        w->p = (struct position){next.segment, SEGMENT_HEADER_BYTES, h.sequence + 1, next.salt};
        *err = walk_open(w, path);
        return *err == 0;
    }
    if (h.kind == RECORD_ACCEPT && !walk_accept(w, &h))
        return false;
    w->p.at += record_bytes(&h);
    w->p.sequence++;
    return !db_failed(w->tx->sql.db);
}

/* A segment that is not there, or in another life, holds nothing of ours. */
static bool is_end(int err)
{
    return err == ERR_NOT_FOUND || err == ERR_CORRUPT;
}

int apply_files(struct sqlite_tx *tx)
{
    struct walk w = {.tx = tx, .p = apply_position(tx), .segment.fd = -1};
    uint64_t first = w.p.sequence;
    if (w.p.segment == 0)
        return 0;
    w.cut = lock_cut(tx->lock, &w.cut_salt, &w.cut_at);
    int err = walk_open(&w, tx->path);
    while (err == 0 && walk_step(&w, tx->path, &err))
        ;
    if (w.p.sequence != first)
        set_position(tx, &w.p);
    segment_close(&w.segment);
    free(w.mem);
    return is_end(err) ? 0 : err;
}

int apply_as_guest(struct sqlite_db *db, const char *path, struct lock *lock)
{
    struct sqlite_tx tx = {
        .sql = {.db = &db->db, .special = &sqlite_special, .part = PART_QUEUE, .writable = true},
        .path = path,
        .lock = lock};
    sqlite_exec(db, "PRAGMA synchronous=NORMAL"); /* the journal is durable */
    sqlite_begin(db);
    int err = db->rc == SQLITE_OK ? apply_files(&tx) : db->db.err;
    sql_finish(&tx.sql);
    space_store(&tx);
    if (err == 0)
        sqlite_commit(db);
    sqlite_rollback(db);
    if (sqlite_is_io(db->rc))
        CHECK(heal_note_wound(db->handle, lock) == 0);
    space_change_clear(&tx.space);
    sql_fini(&tx.sql);
    return err == 0 ? db->db.err : err;
}

bool apply_is_due(const char *path, const struct position *p)
{
    char bytes[RECORD_HEADER_BYTES];
    struct record_header h;
    return p->segment != 0 && segment_read_once(path, p->segment, p->at, bytes, sizeof(bytes)) == 0 &&
           record_header_decode((struct str){bytes, sizeof(bytes)}, &h) == 0 && h.salt == p->salt &&
           h.sequence == p->sequence;
}

/* ---- a new segment ---- */

int apply_begin(struct sqlite_tx *tx, struct journal *j, int64_t epoch)
{
    struct segment_header h = {.epoch = epoch, .sequence = apply_position(tx).sequence};
    journal_close(j);
    space_load(&j->space, tx);
    int err = space_take(&j->space, !j->at_rest, &h.number);
    if (err == 0) {
        sqlite3_randomness(sizeof(h.salt), &h.salt);
        err = segment_begin(j->path, &h, &j->current);
    }
    if (err != 0 && err != ERR_FULL)
        return err;
    if (err == 0)
        set_position(tx, &(struct position){h.number, SEGMENT_HEADER_BYTES, h.sequence, h.salt});
    else
        set_position(tx, &(struct position){.sequence = h.sequence});
    j->epoch = epoch;
    j->sequence = h.sequence;
    j->at = SEGMENT_HEADER_BYTES;
    j->unsynced = j->begun = true;
    return 0;
}
