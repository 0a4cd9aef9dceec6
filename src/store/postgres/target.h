/* A database that a transfer writes (store/transfer.h). While it does, the table `copy` of the network's part
 * marks it: every node refuses it, and the rows of `copy` say how many rows of each stream are there, each
 * written in the transaction that wrote those. So a transfer that was killed, or whose commit had no answer,
 * goes on where it was; two at once do not both write, as each checks where the other is. The mark goes in
 * one transaction, after all was read back: that commit is what makes the copy a store, and is durable as the
 * database's own settings say; those before it need not be.
 *
 * Blocking; one thread. After an error a part or the target is only to be closed. */
#ifndef HOLDFAST_STORE_POSTGRES_TARGET_H
#define HOLDFAST_STORE_POSTGRES_TARGET_H

#include <stdatomic.h>

#include "store/sql/db.h"
#include "store/transfer/stream.h"

struct target_options {
    const char *uri, *password_file; /* the latter may be NULL */
    const char *from;                /* names the source; half a copy of another is refused */
    const atomic_bool *stop;         /* of waits for the server */
};

struct target_part;
struct target_rows;

/* Looks whether the database is empty, or holds half a copy of the same source; marks it. ERR_EXISTS: it
 * holds another store. ERR_UNAVAILABLE, ERR_DENIED. o outlives all parts. */
int target_mark(const struct target_options *o, struct err_buf *eb) MUST_USE;
/* Removes the mark. ERR_UNAVAILABLE, or another: perhaps it is gone. */
int target_unmark(const struct target_options *o, struct err_buf *eb) MUST_USE;

/* Made when missing. name: of a queue. */
int target_part_open(const struct target_options *o, enum part_kind kind, struct str name,
                     struct target_part **ret_part, struct err_buf *eb) MUST_USE;
void target_part_close(struct target_part *p); /* NULL is allowed */

/* How many rows of a stream are there. */
int target_done(struct target_part *p, const struct stream *s, int64_t *ret_rows,
                struct err_buf *eb) MUST_USE;
/* A batch: rows in one transaction, which are behind the first `done` ones. ERR_CONFLICT: another transfer
 * has gone on meanwhile. Texts are to fit (text.h). */
void target_begin(struct target_part *p, const struct stream *s, int64_t done);
void target_put(struct target_part *p, const struct stream *s, const struct db_value *row);
int target_commit(struct target_part *p, const struct stream *s, int64_t done, int64_t done_then,
                  struct err_buf *eb) MUST_USE;
/* From here on the table gives out numbers above `highest`. */
int target_number(struct target_part *p, const char *table, int64_t highest, struct err_buf *eb) MUST_USE;

/* All rows of a stream, in any order. `bodies` as in stream.h. */
int target_rows_open(struct target_part *p, const struct stream *s, int64_t bodies,
                     struct target_rows **ret_rows, struct err_buf *eb) MUST_USE;
/* The next row; the values are valid until the next call. 1, 0 behind the last, or an error. */
int target_rows_next(struct target_rows *r, struct db_value *ret_values, struct err_buf *eb) MUST_USE;
void target_rows_close(struct target_rows *r); /* NULL is allowed */

#endif
