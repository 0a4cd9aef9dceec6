/* Inside the SQL engines: which space of the segments is in use, and giving
 * back what is not.
 *
 * How many pieces of bodies a segment holds is in SQLite (table `segment`) and
 * changes in the transaction that accepts or ends a message. The owner knows
 * besides which pieces are on their way in. A segment that holds none is used
 * again, or removed, but only after a sync of the database: until then a loss of
 * power could bring back the time when its records were still to be applied. In
 * a segment that lags behind because some of its messages wait for long, pages
 * that nothing uses are punched out.
 *
 * What was free in part when the owner ended, is given back with its segment. */
#ifndef HOLDFAST_STORE_SQLITE_SPACE_H
#define HOLDFAST_STORE_SQLITE_SPACE_H

#include "store/sqlite/record.h"

struct lock;
struct sqlite_tx;

/* ---- of one transaction ---- */

struct space_delta {
    uint32_t segment;
    int64_t pieces;
};

struct space_change {
    struct space_delta *deltas;
    size_t delta_count;
    struct record_piece *freed;
    size_t freed_count;
};

/* In the transaction: these many pieces more; this one is not used any more. */
void space_add(struct space_change *c, uint32_t segment, int64_t pieces);
void space_free(struct space_change *c, const struct record_piece *piece);
void space_store(struct sqlite_tx *tx); /* before the commit */
void space_change_clear(struct space_change *c);

/* ---- the owner's ---- */

struct space_segment {
    bool exists;
    bool holes;          /* or it is small: not to be used again */
    int64_t pieces;      /* in SQLite, to be applied, or on their way in */
    uint64_t life;       /* the order in which they were begun */
    uint16_t *dead;      /* bytes of each page that nothing uses; NULL: not counted yet */
    uint32_t dead_pages; /* that can be punched out */
};

struct space {
    const char *path; /* the database's */
    struct space_segment *segments;
    uint32_t count;              /* by number; 0 is none */
    uint64_t lives, prepared_in; /* the life in which a spare was last made, or tried to */
    uint64_t segment_bytes;
};

void space_init(struct space *s, const char *path);
void space_fini(struct space *s);
/* From the files and the database; forgets what it knew. */
void space_load(struct space *s, struct sqlite_tx *tx);
void space_hold(struct space *s, uint32_t segment);
void space_drop(struct space *s, const struct record_piece *piece);
void space_committed(struct space *s, const struct space_change *c);
/* A segment for the next life, full of zeroes or of what was: one that is spare
 * unless it must be a new one, else a new one, down to a 16th of the usual size when
 * the disk has no room for more. ERR_FULL, ... */
int space_take(struct space *s, bool new_one, uint32_t *ret_number) MUST_USE;
/* Makes one spare, so that the room is there when it is needed; tried once in each
 * segment's life. */
void space_prepare(struct space *s);
bool space_wants_spare(const struct space *s);
/* Removes what is spare: the disk is full, and the database needs room. */
void space_shed(struct space *s);
/* After a commit that was synced, and that applied all there was. */
void space_give_back(struct space *s, uint32_t current, struct lock *lock);

#endif
