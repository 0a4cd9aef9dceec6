/* Inside the PostgreSQL engine: one part of the store as one process uses it. The
 * loop's thread gives operations; the writer executes them, everything pending in
 * one transaction; the reader reads beside it with a connection of its own. Both
 * hand operations back to the loop.
 *
 * A transaction whose commit has no answer is settled before its operations are
 * answered: it has a mark of its own, a row with a unique number that nobody
 * guesses. After connecting again the writer writes that row itself: written, the
 * transaction has not committed and never can; there already, it has. The same
 * tells, of what has committed and waits for a copy in another site, whether the
 * server that is connected now has it. */
#ifndef HOLDFAST_STORE_POSTGRES_PART_H
#define HOLDFAST_STORE_POSTGRES_PART_H

#include "store/postgres/pg.h"
#include "store/postgres/untold.h"
#include "store/sql/tx.h"
#include "store/sql/work.h"

/* Random ones of the writer, and a number of eight. */
#define MARK_BYTES      24
#define MARK_BYTES_TEXT "24"

struct writer {
    pthread_t thread;
    struct pg pg;
    struct sql_tx tx;
    struct sql_who before;    /* the transaction at hand */
    uint8_t mark[MARK_BYTES]; /* of the transaction at hand */
    uint64_t marks;           /* given so far */
    uint64_t unmarked;        /* up to here they were removed, but for tombstones */
    bool connected_anew;      /* numbers that were reserved before may be reserved by nobody here */
    struct untold untold;
    struct list answered;      /* what has waited for copies, to be handed back */
    struct mono_time retry_at; /* without a connection: the next try */
    int64_t retry_delay_ms;
    int obstacle; /* why it could not be used at the last of these; 0: none */
};

struct reader {
    pthread_t thread;
    struct pg pg;
    struct sql_tx tx;
    int64_t changes;           /* what it saw last, for the watch */
    bool refused;              /* at the last try, though the writer was connected */
    struct mono_time retry_at; /* without a connection: the next try */
};

struct part {
    struct port port;
    struct list node; /* in its engine_store's parts, or closing ones */
    enum part_kind kind;
    enum port_mode mode;
    bool may_be_away; /* of the store, whatever part this is */
    char *name;       /* of its schema in the database */
    struct work work;
    atomic_bool stop;
    atomic_bool reader_must_reopen; /* the writer has found another server, perhaps */
    atomic_int sick;                /* ERR_UNAVAILABLE: no connection to a server that takes writes */
    atomic_bool fenced;             /* a newer owner or instance has taken over; or none began yet */
    atomic_bool full;
    atomic_bool degraded;          /* new mail is not taken for want of copies */
    const atomic_uint *lost_sites; /* bits: the store's */
    pthread_mutex_t copies_mutex;  /* guards what the writer tells of copies: */
    struct store_copies_told copies;
    struct writer w;
    struct reader r;
};

struct part_options {
    const char *uri, *password_file; /* outlive the part */
    enum part_kind kind;
    struct str name; /* of a queue */
    enum port_mode mode;
    bool look;                                 /* the store was opened read-only */
    bool may_be_away;                          /* it is opened also when it cannot be reached */
    const struct store_durability *durability; /* outlive the part */
    const atomic_uint *lost_sites;
};

/* Connects (the network's and the mail's at once, a queue's owner by its thread) and starts the threads. */
int part_open(struct store *s, struct loop *l, const struct part_options *options, struct part **ret_part,
              struct err_buf *eb) MUST_USE;
/* After port_close: waits for its threads, or, unless `wait`, says false when
 * they have not ended; then frees it. */
bool part_reap(struct part *p, bool wait);

/* ---- for the threads ---- */

int writer_open(struct part *p) MUST_USE; /* the reason is in w.pg.detail */
/* The same, when it was not connected before: in a store that may be away a server that lets nobody in, one
 * host of several perhaps, or for a moment, counts as one that cannot be reached. */
int writer_open_first(struct part *p) MUST_USE;
void writer_begin_away(struct part *p); /* instead of that: its thread goes on to try */
void *part_writer_main(void *part);
void *part_reader_main(void *part);

#endif
