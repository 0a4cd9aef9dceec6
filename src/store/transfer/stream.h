/* Inside src/store: what a store holds, as streams of rows that a folder of SQLite gives and a database of
 * PostgreSQL takes, for store/transfer.h. A stream is a table, or a part of one. A folder gives its rows in
 * an order that is the same each time, so that "how many" says how far one has come. Pure.
 *
 * Bodies of a queue lie in a journal's segments in a folder (message.body_id is 0) and in rows in a database:
 * there the body of message M has number `bodies` + M, where `bodies` is the highest number that a body in
 * rows of the folder ever had. */
#ifndef HOLDFAST_STORE_TRANSFER_STREAM_H
#define HOLDFAST_STORE_TRANSFER_STREAM_H

#include "base/buf.h"
#include "store/engine.h"

#define STREAM_COLUMNS_MAX 16

struct stream {
    const char *name, *table; /* the name is unique in its part; the table is that of the database */
    const char *columns;      /* of the database, with commas between */
    /* One letter for each: `i` a number, `n` a number or NULL (then it is given as 0), `t` a text, `b` bytes.
     */
    const char *types;
    const char *from; /* what a folder gives for them; NULL: the columns of that name */
    /* A folder's table; which of its rows, and which of the database's table. `?` is the number `bodies`. */
    const char *source, *source_where, *where;
    const char *order; /* of a folder's */
    bool seeded;       /* a part has a row of it from its beginning, which goes */
    /* Its last column, `b`, is given as three numbers: the segment that it is to be read from, its place
     * there, its length. */
    bool in_segments;
};

struct stream_part {
    const struct stream *streams;
    size_t count;
    const char *const *numbered; /* tables whose `id` the database gives out; ends with NULL */
    const char *const *apart;    /* tables of a folder, and of a database, that are in no stream; NULL ends */
};

const struct stream_part *stream_part(enum part_kind kind);

bool stream_is_of_chunks(const struct stream *s); /* id, checksum and bytes of a piece of a body */

/* Texts of SQL. Columns that are NULL where they may be are 0. */
void stream_select_source(const struct stream *s, int64_t bodies, struct buf *out);
void stream_select(const struct stream *s, int64_t bodies, struct buf *out);
void stream_insert(const struct stream *s, struct buf *out); /* with `?` for each column */

#endif
