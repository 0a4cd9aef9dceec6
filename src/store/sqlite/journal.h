/* Inside the SQL engines: the journal of a queue, which is also where the
 * bodies of its messages lie for good. Accepting appends a record and syncs it:
 * one write and one sync for all that is pending. The rows in SQLite come later,
 * many at once, without a sync of their own (apply.h): until a synced commit has
 * them, the journal does. The format is docs/formats.md's.
 *
 * Used by the owner's committer, under the file's lock. After a failed write or
 * sync nothing is appended any more: where the journal was durable is noted in the
 * lock file, and whoever recovers replays up to there and begins a new segment. */
#ifndef HOLDFAST_STORE_SQLITE_JOURNAL_H
#define HOLDFAST_STORE_SQLITE_JOURNAL_H

#include "store/sqlite/segment.h"
#include "store/sqlite/space.h"

/* What was accepted and is not applied. */
struct journal_accept {
    uint64_t sequence;
    struct custody_id custody_id;
    struct record_piece own; /* its own body */
    size_t meta_at, meta_len;
};

struct journal_staged {
    size_t text_at, text_len; /* header and meta */
    const char *body;
    size_t body_len;
};

struct journal {
    const char *path;
    struct segment current; /* not open: there is none, or it was given up */
    int64_t epoch;
    uint64_t at;       /* behind what was written or staged */
    uint64_t sequence; /* of the next record */
    /* Bodies whose pieces are of an earlier generation may have lost some. */
    int64_t generation;
    bool begun; /* by the transaction at hand */
    /* While it is not open: a synced commit has applied all, so spare segments may be used again. */
    bool at_rest;
    struct space space;

    struct buf texts; /* staged, not written yet */
    struct journal_staged *staged;
    size_t staged_count;
    bool unsynced;
    int failed; /* the batch at hand */
    struct {
        uint64_t salt, at; /* where it began: up to there the journal is durable */
    } batch;

    struct buf metas;
    struct journal_accept *accepts;
    size_t accept_count;
    uint64_t applied_bytes; /* of `written_bytes`, when it was applied last */
    uint64_t written_bytes;
};

void journal_init(struct journal *j, const char *path);
void journal_fini(struct journal *j);
bool journal_is_open(const struct journal *j);

/* Stages a record; body must stay until journal_end. ERR_FULL: nothing was
 * staged, what was staged before is good. ERR_LIMIT: too long for a segment.
 * ERR_SYNC: the batch has failed. */
int journal_append(struct journal *j, enum record_kind kind, struct str meta, struct str body,
                   struct record_piece *ret_piece) MUST_USE;
/* The record just appended is an accept, to be applied. */
void journal_note_accept(struct journal *j, const struct custody_id *id, struct str meta,
                         const struct record_piece *own);
bool journal_has(const struct journal *j, const struct custody_id *id);

void journal_batch(struct journal *j); /* begins one */
/* Writes what is staged, and syncs it. ERR_SYNC: the journal was closed, and the place noted. */
int journal_end(struct journal *j, struct lock *lock, bool sync) MUST_USE;

/* Something has to be applied; so much that it should not wait. */
bool journal_is_behind(const struct journal *j);
bool journal_is_far_behind(const struct journal *j);
/* So far that the rows cannot be made for some reason: it takes no more. */
bool journal_is_stuck(const struct journal *j);
void journal_applied(struct journal *j);

/* Forgets all but the files. */
void journal_close(struct journal *j);

#endif
