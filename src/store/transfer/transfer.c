#include "store/transfer.h"

#include <stdatomic.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "store/postgres/target.h"
#include "store/postgres/text.h"
#include "store/sqlite/source.h"
#include "store/transfer/row_sum.h"

/* A transaction; the bytes are what libpq holds until the server has taken them. */
#define BATCH_ROWS  2000
#define BATCH_BYTES (4 << 20)

#define PROGRESS_ROWS 2000 /* between two reports while reading */

struct transfer {
    bool (*on_progress)(void *arg, const struct store_transfer_progress *progress);
    void *arg;
    struct source *source;
    struct target_options target;
    struct store_transferred done;
    struct err_buf *eb;
    /* Of the part and the stream at hand: */
    struct source_part *from;
    struct target_part *to;
    char *title;
    const struct stream *stream;
    struct store_transfer_progress progress;
    char *fit[STREAM_COLUMNS_MAX]; /* owned: texts of the row at hand */
};

/* ---- one row ---- */

/* As the database will have it. */
static void make_fit(struct transfer *t, struct db_value *row, bool count)
{
    for (size_t i = 0; t->stream->types[i]; i++) {
        free(t->fit[i]);
        t->fit[i] = NULL;
        if (row[i].type != DB_TEXT || utf8_is_text(row[i].bytes))
            continue;
        row[i].bytes.ptr = t->fit[i] = text_made_fit(row[i].bytes);
        t->done.texts_made_fit += count;
    }
}

static void forget_fit(struct transfer *t)
{
    for (size_t i = 0; i < STREAM_COLUMNS_MAX; i++)
        free(t->fit[i]);
    memset(t->fit, 0, sizeof(t->fit));
}

static size_t bytes_of(const struct db_value *row, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += row[i].type == DB_I64 ? sizeof(int64_t) : row[i].bytes.len;
    return bytes;
}

static int tell(struct transfer *t, const char *doing, int64_t done_rows)
{
    t->progress.doing = doing;
    t->progress.done_rows = done_rows;
    return t->on_progress(t->arg, &t->progress)
               ? 0
               : err_set(t->eb, ERR_CANCELLED, "stopped; the same command again goes on where it was");
}

/* ---- copying ---- */

/* Up to a batch of rows into the transaction; 1: there may be more. */
static int put_rows(struct transfer *t, struct source_rows *rows, int64_t *done)
{
    struct db_value row[STREAM_COLUMNS_MAX];
    size_t bytes = 0, columns = strlen(t->stream->types);
    int more = 1;
    for (int i = 0; i < BATCH_ROWS && bytes < BATCH_BYTES; i++) {
        more = source_rows_next(rows, row, t->eb);
        if (more <= 0)
            break;
        make_fit(t, row, true);
        target_put(t->to, t->stream, row);
        bytes += bytes_of(row, columns);
        ++*done;
    }
    return more;
}

static int copy_batch(struct transfer *t, struct source_rows *rows, int64_t *done, bool *ret_more)
{
    int64_t then = *done;
    target_begin(t->to, t->stream, *done);
    int more = put_rows(t, rows, &then);
    int err = more < 0 ? more : target_commit(t->to, t->stream, *done, then, t->eb);
    if (err != 0)
        return err;
    *done = then;
    *ret_more = more > 0;
    return tell(t, "copied", then);
}

static int copy_stream(struct transfer *t)
{
    struct source_rows *rows = NULL;
    int64_t done = 0;
    bool more = true;
    int err = target_done(t->to, t->stream, &done, t->eb);
    t->done.resumed_rows += done;
    if (err == 0)
        err = source_rows_open(t->from, t->stream, done, &rows, t->eb);
    while (err == 0 && more)
        err = copy_batch(t, rows, &done, &more);
    source_rows_close(rows);
    return err;
}

static int number_on(struct transfer *t)
{
    int err = 0;
    int64_t highest = 0;
    for (const char *const *table = stream_part(source_part_kind(t->from))->numbered; err == 0 && *table;
         table++) {
        err = source_part_highest(t->from, *table, &highest, t->eb);
        if (err == 0)
            err = target_number(t->to, *table, highest, t->eb);
    }
    return err;
}

/* ---- verifying ---- */

static int add_row(struct transfer *t, struct db_value *row, struct row_sum *sum)
{
    row_sum_add(sum, row, strlen(t->stream->types));
    return sum->rows % PROGRESS_ROWS == 0 ? tell(t, "verified", sum->rows) : 0;
}

static int sum_source(struct transfer *t, struct row_sum *sum)
{
    struct source_rows *rows = NULL;
    struct db_value row[STREAM_COLUMNS_MAX];
    int err = source_rows_open(t->from, t->stream, 0, &rows, t->eb);
    while (err == 0 && (err = source_rows_next(rows, row, t->eb)) > 0) {
        make_fit(t, row, false);
        err = add_row(t, row, sum);
    }
    source_rows_close(rows);
    return err;
}

static int check_chunk(struct transfer *t, const struct db_value *row)
{
    t->done.body_bytes += (int64_t)row[2].bytes.len;
    if ((int32_t)crc32c(0, row[2].bytes.ptr, row[2].bytes.len) == row[1].number)
        return 0;
    return err_set(
        t->eb, ERR_CORRUPT,
        "%s: piece %lld of message body %lld was read back from the database otherwise than it was "
        "written",
        t->title, (long long)(row[0].number & 0xffff), (long long)(row[0].number >> 16));
}

static int sum_target(struct transfer *t, struct row_sum *sum)
{
    struct target_rows *rows = NULL;
    struct db_value row[STREAM_COLUMNS_MAX];
    int err = target_rows_open(t->to, t->stream, source_part_bodies(t->from), &rows, t->eb);
    while (err == 0 && (err = target_rows_next(rows, row, t->eb)) > 0) {
        err = stream_is_of_chunks(t->stream) ? check_chunk(t, row) : 0;
        if (err == 0)
            err = add_row(t, row, sum);
    }
    target_rows_close(rows);
    return err;
}

static void note(struct transfer *t, const struct row_sum *sum)
{
    struct store_transferred *d = &t->done;
    d->tables = mem_grow(d->tables, d->count, sizeof(*d->tables));
    d->tables[d->count++] = (struct store_transferred_table){
        mem_strdup(t->title), t->stream->name, sum->rows, {sum->hash[0], sum->hash[1]}};
    d->rows += sum->rows;
}

static int verify_stream(struct transfer *t)
{
    struct row_sum here = {0}, there = {0};
    int err = sum_target(t, &there);
    if (err == 0)
        err = sum_source(t, &here);
    if (err != 0)
        return err;
    if (!row_sum_equal(&here, &there))
        return err_set(t->eb, ERR_CORRUPT,
                       "%s, %s: the database has %lld rows, the folder %lld, and they are not the same: "
                       "somebody changed one of them since the copy was begun. Begin anew, into an empty "
                       "database",
                       t->title, t->stream->name, (long long)there.rows, (long long)here.rows);
    note(t, &there);
    return tell(t, "verified", here.rows);
}

/* ---- parts ---- */

static int each_stream(struct transfer *t, int (*act)(struct transfer *t))
{
    const struct stream_part *part = stream_part(source_part_kind(t->from));
    int err = 0;
    for (size_t i = 0; err == 0 && i < part->count; i++) {
        t->stream = &part->streams[i];
        t->progress.table = t->stream->name;
        err = source_part_count_rows(t->from, t->stream, &t->progress.total_rows, t->eb);
        if (err == 0)
            err = act(t);
        forget_fit(t);
    }
    return err;
}

static int copy_part(struct transfer *t)
{
    int err = source_part_check(t->from, t->eb);
    if (err == 0)
        err = each_stream(t, copy_stream);
    return err == 0 ? number_on(t) : err;
}

static int verify_part(struct transfer *t)
{
    return each_stream(t, verify_stream);
}

static char *title_of(const struct source_part *p)
{
    if (source_part_kind(p) == PART_QUEUE)
        return mem_asprintf("queue %.*s", STR_ARG(source_part_name(p)));
    return mem_strdup(source_part_kind(p) == PART_MAIL ? "mail" : "network");
}

static int each_part(struct transfer *t, int (*act)(struct transfer *t))
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < source_part_count(t->source); i++) {
        t->from = source_part(t->source, i);
        t->to = NULL;
        t->progress.part = t->title = title_of(t->from);
        err =
            target_part_open(&t->target, source_part_kind(t->from), source_part_name(t->from), &t->to, t->eb);
        if (err == 0)
            err = act(t);
        target_part_close(t->to);
        free(t->title);
    }
    return err;
}

int store_transfer(const struct store_transfer *what,
                   bool (*on_progress)(void *arg, const struct store_transfer_progress *progress), void *arg,
                   struct store_transferred *ret_transferred, struct err_buf *eb)
{
    static const atomic_bool never;
    struct transfer t = {.on_progress = on_progress,
                         .arg = arg,
                         .eb = eb,
                         .target = {what->uri, what->password_file, what->folder, &never}};
    int err = source_open(what->folder, what->loop, &t.source, eb);
    if (err == 0)
        err = target_mark(&t.target, eb);
    if (err == 0)
        err = each_part(&t, copy_part);
    if (err == 0)
        err = each_part(&t, verify_part);
    if (err == 0)
        err = source_is_unchanged(t.source, eb);
    if (err == 0)
        err = target_unmark(&t.target, eb);
    source_close(t.source);
    if (err == 0)
        *ret_transferred = t.done;
    else
        store_transferred_fini(&t.done);
    return err;
}

void store_transferred_fini(struct store_transferred *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->tables[i].part);
    free(t->tables);
    *t = (struct store_transferred){0};
}
