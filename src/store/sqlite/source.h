/* A folder of SQLite files that a transfer reads (store/transfer.h): all of it at once, and nobody writes it
 * meanwhile. Each file is held by a transaction that could write and does not: a node that is started on the
 * folder says that it is in use. Blocking; one thread.
 *
 * What a queue's journal holds gets its rows first, as the next owner would make them. Nothing else is
 * changed, but for leading a file of an older version on. */
#ifndef HOLDFAST_STORE_SQLITE_SOURCE_H
#define HOLDFAST_STORE_SQLITE_SOURCE_H

#include "store/sql/db.h"
#include "store/transfer/stream.h"

struct source;      /* a folder */
struct source_part; /* a file of it */
struct source_rows; /* a walk through a stream */

/* ERR_BUSY: something lives on it, or another writes; ERR_NOT_FOUND: it holds no store. eb says what to do.
 */
int source_open(const char *folder, struct loop *l, struct source **ret_source, struct err_buf *eb) MUST_USE;
void source_close(struct source *s); /* NULL is allowed */

/* The network's is the first. */
size_t source_part_count(const struct source *s);
struct source_part *source_part(struct source *s, size_t index);
enum part_kind source_part_kind(const struct source_part *p);
struct str source_part_name(const struct source_part *p); /* of a queue */
/* The highest number that a body in rows ever had: `bodies` of stream.h. */
int64_t source_part_bodies(const struct source_part *p);

/* Whether all messages have their bodies whole. ERR_CORRUPT. */
int source_part_check(struct source_part *p, struct err_buf *eb) MUST_USE;
/* The highest number that a table ever gave out, with or without a row. */
int source_part_highest(struct source_part *p, const char *table, int64_t *ret_id,
                        struct err_buf *eb) MUST_USE;
int source_part_count_rows(struct source_part *p, const struct stream *s, int64_t *ret_count,
                           struct err_buf *eb) MUST_USE;
/* Whether somebody has taken mail into a journal since, past the transaction. ERR_BUSY. */
int source_is_unchanged(struct source *s, struct err_buf *eb) MUST_USE;

/* Passes over `skip` rows. */
int source_rows_open(struct source_part *p, const struct stream *s, int64_t skip,
                     struct source_rows **ret_rows, struct err_buf *eb) MUST_USE;
/* The next row: a value for each column, valid until the next call. 1, 0 behind the last, or an error;
 * ERR_CORRUPT: it is not what its checksum says. */
int source_rows_next(struct source_rows *r, struct db_value *ret_values, struct err_buf *eb) MUST_USE;
void source_rows_close(struct source_rows *r); /* NULL is allowed */

#endif
