/* A store moves in: from a folder of SQLite files into a database of PostgreSQL. For `holdfast store copy`.
 * Blocking: for a command of its own.
 *
 * Nobody runs on the folder meanwhile: what lives there is refused, and what starts is told that it is in
 * use. All that custody, reading and routing rest on moves as it is, by the same numbers: messages,
 * deliveries, attempts, acts, what is owed and kept, epochs; mailboxes, UIDs, MODSEQ, flags, subscriptions,
 * what each user ever got; users and all other records, events. Bodies in a journal's segments become rows.
 * Two kinds of times mean nothing elsewhere: leases move as run out, with the tokens that they count; records
 * are of unknown age until they are written again.
 *
 * What a database does not take as a text (bytes that are no UTF-8, NUL) is made fit, and counted.
 *
 * It survives a crash at any moment: rows are written in transactions that also say how far it has come. The
 * same transfer again goes on there. Until all was read back and compared, the database is marked, and no
 * node runs on it. */
#ifndef HOLDFAST_STORE_TRANSFER_H
#define HOLDFAST_STORE_TRANSFER_H

#include "base/err.h"
#include "loop/loop.h"

struct store_transfer {
    struct loop *loop;         /* for its clock */
    const char *folder;        /* the source; absolute, so that it is known again */
    const char *uri;           /* the database; checked by who gives it */
    const char *password_file; /* its first line; NULL: none is needed */
};

struct store_transfer_progress {
    const char *part, *table; /* "queue relay1", "live" */
    const char *doing;        /* "copied" or "verified": what is counted */
    int64_t done_rows, total_rows;
};

/* One stream of rows: a table, or a part of it. */
struct store_transferred_table {
    char *part;       /* owned by the result */
    const char *name; /* static */
    int64_t rows;
    uint64_t hash[2]; /* over all its values; the order of rows does not count */
};

struct store_transferred {
    struct store_transferred_table *tables;
    size_t count;
    int64_t rows, resumed_rows; /* all; those that an earlier try had copied */
    int64_t body_bytes;
    int64_t texts_made_fit;
};

void store_transferred_fini(struct store_transferred *t);

/* on_progress is called now and then; false stops with ERR_CANCELLED, to go on by another call.
 * ERR_BUSY: the network runs on the folder. ERR_NOT_FOUND: it holds no store. ERR_EXISTS: the database holds
 * another. ERR_UNAVAILABLE: it cannot be reached, or not any more. ERR_CORRUPT: the folder is damaged, or
 * what was read back is not what was copied: then the database stays marked. Others; each with eb. */
int store_transfer(const struct store_transfer *what,
                   bool (*on_progress)(void *arg, const struct store_transfer_progress *progress), void *arg,
                   struct store_transferred *ret_transferred, struct err_buf *eb) MUST_USE;

#endif
