#include "store/sqlite/journal.h"

#include <sqlite3.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite/lock.h"

/* A record's meta is at most this part of a segment: 4 MiB are some 10,000
 * recipients, or the pieces of a body of 10 GiB. */
#define META_PART 4

/* Waiting to be applied: 3 ms of work, so that nobody waits longer for it. */
#define ACCEPTS_MAX 256
/* More than two batches: they were not applied though it was tried between them. */
#define STUCK_ACCEPTS (16 * ACCEPTS_MAX)
/* To be read again after a crash. */
#define BEHIND_MAX_BYTES (32 << 20)

void journal_init(struct journal *j, const char *path)
{
    *j = (struct journal){.path = path, .current.fd = -1, .generation = 1};
    buf_init(&j->texts, SIZE_MAX / 2);
    buf_init(&j->metas, SIZE_MAX / 2);
    space_init(&j->space, path);
}

static void forget_staged(struct journal *j)
{
    buf_clear(&j->texts);
    j->staged_count = 0;
}

void journal_close(struct journal *j)
{
    segment_close(&j->current);
    forget_staged(j);
    buf_clear(&j->metas);
    j->accept_count = 0;
    j->unsynced = j->begun = false;
    j->generation++;
}

void journal_fini(struct journal *j)
{
    journal_close(j);
    buf_fini(&j->texts);
    buf_fini(&j->metas);
    free(j->staged);
    free(j->accepts);
    space_fini(&j->space);
}

bool journal_is_open(const struct journal *j)
{
    return j->current.fd >= 0;
}

/* ---- writing ---- */

static int write_staged(struct journal *j)
{
    struct iovec *pieces = mem_calloc(2 * j->staged_count + 1, sizeof(*pieces));
    uint64_t bytes = 0;
    int count = 0;
    for (size_t i = 0; i < j->staged_count; i++) {
        const struct journal_staged *s = &j->staged[i];
        pieces[count++] = (struct iovec){(char *)(uintptr_t)buf_data(&j->texts) + s->text_at, s->text_len};
        if (s->body_len > 0)
            pieces[count++] = (struct iovec){(char *)(uintptr_t)s->body, s->body_len};
        bytes += s->text_len + s->body_len;
    }
    int err = count > 0 ? segment_io()->write(j->current.fd, pieces, count, j->at - bytes) : 0;
    free(pieces);
    forget_staged(j);
    j->unsynced |= count > 0;
    j->written_bytes += bytes;
    return err;
}

static int sync_current(struct journal *j)
{
    int err = j->unsynced ? segment_io()->sync(j->current.fd) : 0;
    if (err == 0)
        j->unsynced = false;
    return err;
}

/* ---- staging ---- */

static void stage(struct journal *j, enum record_kind kind, struct str meta, struct str body,
                  struct record_piece *ret_piece)
{
    char header[RECORD_HEADER_BYTES];
    struct record_header h = {.salt = j->current.header.salt,
                              .sequence = j->sequence++,
                              .epoch = j->epoch,
                              .kind = kind,
                              .meta_bytes = (uint32_t)meta.len,
                              .body_bytes = (uint32_t)body.len,
                              .body_crc = crc32c(0, body.ptr, body.len)};
    j->staged = mem_grow(j->staged, j->staged_count, sizeof(*j->staged));
    j->staged[j->staged_count++] =
        (struct journal_staged){j->texts.len, sizeof(header) + meta.len, body.ptr, body.len};
    record_header_encode(&h, meta, header);
    CHECK(buf_append(&j->texts, header, sizeof(header)) == 0 && buf_append_str(&j->texts, meta) == 0);
    if (ret_piece)
        *ret_piece = record_own_piece(&h, j->current.header.number, j->at);
    j->at += record_bytes(&h);
}

static void stage_next(struct journal *j, const struct segment_header *next)
{
    struct buf meta;
    buf_init(&meta, RECORD_NEXT_BYTES);
    record_next_encode(&meta, &(struct record_next){next->number, next->salt});
    stage(j, RECORD_NEXT, buf_str(&meta), STR_EMPTY, NULL);
    buf_fini(&meta);
}

/* The segment is full: the next one. */
static int roll_over(struct journal *j)
{
    struct segment next = {.fd = -1};
    struct segment_header h = {.epoch = j->epoch, .sequence = j->sequence + 1};
    int err = space_take(&j->space, false, &h.number);
    if (err != 0)
        return err == ERR_FULL ? ERR_FULL : ERR_SYNC;
    sqlite3_randomness(sizeof(h.salt), &h.salt);
    err = segment_begin(j->path, &h, &next);
    if (err != 0)
        return ERR_SYNC;
    stage_next(j, &next.header);
    err = write_staged(j);
    if (err == 0)
        err = sync_current(j);
    segment_close(&j->current);
    j->current = next;
    j->at = SEGMENT_HEADER_BYTES;
    j->unsynced = true; /* its header */
    return err == 0 ? 0 : ERR_SYNC;
}

int journal_append(struct journal *j, enum record_kind kind, struct str meta, struct str body,
                   struct record_piece *ret_piece)
{
    uint64_t usual = j->space.segment_bytes;
    uint64_t need = RECORD_HEADER_BYTES + meta.len + body.len + RECORD_NEXT_BYTES;
    if (meta.len > usual / META_PART || need > usual - SEGMENT_HEADER_BYTES)
        return ERR_LIMIT;
    if (j->failed != 0)
        return ERR_SYNC;
    int err = j->at + need > j->current.header.size_bytes ? roll_over(j) : 0;
    if (err == ERR_SYNC)
        j->failed = ERR_SYNC;
    if (err == 0 && j->at + need > j->current.header.size_bytes)
        err = ERR_FULL; /* that is a small one */
    if (err != 0)
        return err;
    stage(j, kind, meta, body, ret_piece);
    space_hold(&j->space, j->current.header.number);
    return 0;
}

/* ---- batches ---- */

void journal_batch(struct journal *j)
{
    j->batch.salt = j->current.header.salt;
    j->batch.at = j->at;
    j->failed = 0;
}

int journal_end(struct journal *j, struct lock *lock, bool sync)
{
    int err = j->failed;
    if (err == 0)
        err = write_staged(j);
    if (err == 0 && sync)
        err = sync_current(j);
    if (err == 0)
        return 0;
    /* Going on without the note could make what we answer untrue. */
    CHECK(lock_set_cut(lock, j->batch.salt, j->batch.at) == 0);
    journal_close(j);
    return ERR_SYNC;
}

/* ---- what is to be applied ---- */

void journal_note_accept(struct journal *j, const struct custody_id *id, struct str meta,
                         const struct record_piece *own)
{
    j->accepts = mem_grow(j->accepts, j->accept_count, sizeof(*j->accepts));
    j->accepts[j->accept_count++] =
        (struct journal_accept){j->sequence - 1, *id, *own, j->metas.len, meta.len};
    CHECK(buf_append_str(&j->metas, meta) == 0);
}

bool journal_has(const struct journal *j, const struct custody_id *id)
{
    for (size_t i = 0; i < j->accept_count; i++)
        if (custody_id_eq(&j->accepts[i].custody_id, id))
            return true;
    return false;
}

bool journal_is_behind(const struct journal *j)
{
    return j->accept_count > 0;
}

bool journal_is_far_behind(const struct journal *j)
{
    return j->accept_count >= ACCEPTS_MAX || j->written_bytes - j->applied_bytes >= BEHIND_MAX_BYTES;
}

bool journal_is_stuck(const struct journal *j)
{
    return j->accept_count >= STUCK_ACCEPTS;
}

void journal_applied(struct journal *j)
{
    buf_clear(&j->metas);
    j->accept_count = 0;
    j->applied_bytes = j->written_bytes;
}
