/* The writer's thread of a part. */
#include <endian.h>
#include <string.h>

#include "base/log.h"
#include "store/postgres/history.h"
#include "store/postgres/part.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/tables.h"

#define BATCH_MAX 256 /* operations a transaction: 16 MiB of bodies */

#define PURGE_BUSY_ROWS 16  /* in each batch */
#define PURGE_IDLE_ROWS 256 /* a transaction, when nothing else is to be done */

#define RETRY_DELAY_MIN_MS 50
#define RETRY_DELAY_MAX_MS 1000 /* between two tries: see STORE_RETURN_MS */
#define MEETINGS_MAX       6 /* with other transactions, until it is told; each time it waits twice as long */

/* Older marks, tombstones too, are removed: no connection outlives its peer for so long. */
#define MARKS_END "DELETE FROM mark WHERE at_ms < " CLOCK_MS " - 7 * CAST(86400000 AS BIGINT)"

/* ---- marks ---- */

/* The number makes it another one's, and keeps them in order. */
static void mark_of(const struct writer *w, uint64_t number, uint8_t mark[MARK_BYTES])
{
    uint64_t big = htobe64(number);
    memcpy(mark, w->mark, MARK_BYTES - sizeof(big));
    memcpy(mark + MARK_BYTES - sizeof(big), &big, sizeof(big));
}

/* Marks of ours before this one are needed no more: what they tell of was told. */
static uint64_t needed_mark(const struct writer *w)
{
    return untold_oldest_mark(&w->untold, w->marks);
}

/* In the transaction: its mark, instead of those whose outcome everybody knows. */
static void mark(struct writer *w)
{
    uint8_t range[2 * MARK_BYTES];
    mark_of(w, ++w->marks, w->mark);
    pg_exec_bytes(&w->pg, "INSERT INTO mark(id, at_ms, tombstone) VALUES($1, " CLOCK_MS ", 0)", w->mark,
                  MARK_BYTES);
    if (needed_mark(w) <= w->unmarked)
        return;
    mark_of(w, w->unmarked, range);
    mark_of(w, needed_mark(w), range + MARK_BYTES);
    pg_exec_bytes(&w->pg,
                  "DELETE FROM mark WHERE id >= substring(CAST($1 AS BYTEA) FROM 1 FOR " MARK_BYTES_TEXT
                  ") AND id < substring(CAST($1 AS BYTEA) FROM " MARK_BYTES_TEXT " + 1) AND tombstone = 0",
                  range, sizeof(range));
}

/* The mark as a tombstone, in a transaction of its own, unless it is there: then the row says which it is (an
 * earlier try to write the tombstone may have had no answer either), and is written again, so that this
 * commit is durable no earlier than the one that it tells of. False: no answer. */
static bool bury(void *writer, uint64_t number, bool *ret_committed)
{
    struct writer *w = writer;
    uint8_t id[MARK_BYTES];
    mark_of(w, number, id);
    pg_begin(&w->pg);
    int64_t tombstone =
        pg_number_bytes(&w->pg,
                        "INSERT INTO mark(id, at_ms, tombstone) VALUES($1, " CLOCK_MS ", 1)"
                        " ON CONFLICT(id) DO UPDATE SET at_ms = excluded.at_ms RETURNING tombstone",
                        id, MARK_BYTES, 1);
    pg_commit(&w->pg);
    bool known = w->pg.failure == PG_WELL;
    if (!known)
        pg_rollback(&w->pg);
    *ret_committed = tombstone == 0;
    return known;
}

/* ---- life ---- */

static void tell_of_copies(struct part *p)
{
    const struct copies *c = &p->w.untold.copies;
    pthread_mutex_lock(&p->copies_mutex);
    enum store_copies before = p->copies.state;
    copies_tell(c, &p->copies);
    pthread_mutex_unlock(&p->copies_mutex);
    atomic_store(&p->degraded, c->state == STORE_COPIES_MISSING && !c->wanted->accept_degraded);
    if (before == c->state)
        return;
    if (c->state == STORE_COPIES_MISSING)
        log_event(LOG_ERROR, "no copies in another site", LOG_TEXT("part", p->name), LOG_TEXT("why", c->why));
    else
        log_event(LOG_INFO, "copies as asked for", LOG_TEXT("part", p->name), LOG_TEXT("detail", c->why));
}

static void look(struct part *p)
{
    struct writer *w = &p->w;
    if (!w->pg.conn)
        return;
    untold_look(&w->untold, &w->pg, atomic_load(p->lost_sites), loop_now(p->port.loop), &w->answered);
    tell_of_copies(p);
    if (w->pg.failure == PG_LOST) {
        pg_close(&w->pg);
        atomic_store(&p->sick, ERR_UNAVAILABLE);
    }
}

static void note_begin(struct part *p)
{
    struct pg *pg = &p->w.pg;
    pg_begin(pg);
    pg_exec(pg, MARKS_END);
    if (p->kind == PART_MAIL || p->kind == PART_NETWORK)
        history_note(pg, p->kind);
    pg_commit(pg);
    bool more = p->kind == PART_MAIL;
    while (more && pg->failure == PG_WELL && !atomic_load(&p->stop)) {
        pg_begin(pg);
        more = history_jump(pg);
        pg_commit(pg);
    }
    if (more && pg->failure == PG_WELL)
        pg_fail(pg, PG_LOST, ERR_UNAVAILABLE, "it is to stop before all UIDs have jumped");
}

int writer_open(struct part *p)
{
    struct writer *w = &p->w;
    int err = pg_open(&w->pg);
    if (err != 0)
        return err;
    w->tx.garbage = p->kind != PART_NETWORK;
    w->connected_anew = true;
    w->tx.generation++;
    note_begin(p);
    if (w->pg.failure == PG_WELL && untold_reconnected(&w->untold, &w->pg, bury, w, &w->answered)) {
        look(p);
        return w->pg.conn ? 0 : ERR_UNAVAILABLE;
    }
    err = w->pg.db.err;
    if (w->pg.failure != PG_WELL)
        pg_rollback(&w->pg); /* who is in the way is to be gone at the next try */
    pg_close(&w->pg);
    return err;
}

/* ---- one transaction ---- */

enum outcome {
    COMMITTED,
    REFUSED, /* rolled back; pg.db.err says why */
    MET,     /* rolled back: another transaction was in the way */
    LOST,    /* nothing of it is there, and the connection is gone */
    BURIED,  /* nothing of it is there, and never will be; we are connected again */
    UNKNOWN, /* the connection is gone, and it may have committed */
};

static void begin(struct part *p)
{
    struct writer *w = &p->w;
    pg_begin(&w->pg);
    if (w->connected_anew)
        w->tx.who.next_body = w->tx.who.bodies_end;
    w->connected_anew = false;
    w->before = w->tx.who;
    sql_begin(&w->tx);
    mark(w);
    if (p->kind == PART_NETWORK)
        w->tx.now_ms = history_clock(&w->pg);
}

static enum outcome end(struct part *p)
{
    struct pg *pg = &p->w.pg;
    sql_finish(&p->w.tx);
    pg_commit(pg);
    if (pg->failure == PG_WELL) {
        p->w.unmarked = needed_mark(&p->w);
        return COMMITTED;
    }
    enum pg_failure failure = pg->failure;
    bool unknown = pg->committing;
    pg_rollback(pg);
    if (unknown)
        return UNKNOWN;
    p->w.tx.who = p->w.before;
    return failure == PG_LOST || !pg->conn ? LOST : failure == PG_AGAIN ? MET : REFUSED;
}

/* By who may write only: another may have begun to use what is to be removed. */
static void purge(struct writer *w, int rows)
{
    if (w->tx.garbage && w->pg.failure == PG_WELL && sql_epoch_is_current(&w->tx) && w->pg.failure == PG_WELL)
        sql_purge(&w->tx, rows);
    else
        w->tx.garbage = false;
}

static enum outcome transact(struct part *p, struct list *ops)
{
    struct writer *w = &p->w;
    begin(p);
    LIST_FOREACH (it, ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        int err = w->pg.failure == PG_WELL ? sql_execute(&w->tx, op) : 0;
        if (w->pg.failure == PG_WELL)
            sql_answer(op, err);
    }
    purge(w, PURGE_BUSY_ROWS);
    return end(p);
}

/* ---- what is not known ---- */

static void try_less_often(struct writer *w)
{
    int64_t delay_ms = 2 * w->retry_delay_ms;
    w->retry_delay_ms = delay_ms < RETRY_DELAY_MAX_MS ? delay_ms : RETRY_DELAY_MAX_MS;
}

static void wait_to_retry(struct part *p)
{
    wake_wait(&p->work.to_writer, (int)p->w.retry_delay_ms);
    try_less_often(&p->w);
}

/* Whether it has committed. While the part is to end, nobody waits for the answer. */
static enum outcome settle(struct part *p)
{
    bool committed, known = false;
    p->w.retry_delay_ms = RETRY_DELAY_MIN_MS;
    atomic_store(&p->sick, ERR_UNAVAILABLE); /* meanwhile nothing more is taken */
    while (!known && !atomic_load(&p->stop)) {
        known = (p->w.pg.conn || writer_open(p) == 0) && bury(&p->w, p->w.marks, &committed);
        if (!known)
            wait_to_retry(p);
    }
    if (known) {
        atomic_store(&p->reader_must_reopen, true);
        atomic_store(&p->sick, 0);
    }
    if (!known || !committed)
        p->w.tx.who = p->w.before;
    return !known ? UNKNOWN : committed ? COMMITTED : BURIED;
}

/* ---- a batch ---- */

static void answer_all(struct list *ops, int err)
{
    LIST_FOREACH (it, ops)
        sql_answer(LIST_ENTRY(it, struct store_op, node), err);
}

static void note_identity(struct part *p, const struct store_op *op)
{
    if (op->err == ERR_FENCED && (op->type->flags & OP_GUARDED))
        atomic_store(&p->fenced, true);
    if (op->err == 0 && (op->type->kind == OP_mail_begin || op->type->kind == OP_queue_own))
        atomic_store(&p->fenced, false);
}

static void run_batch(struct part *p, struct list *ops);

/* One operation's failure must not be the others': each alone. */
static void run_each(struct part *p, struct list *ops)
{
    struct list done, one;
    list_init(&done);
    LIST_FOREACH (it, ops) {
        list_init(&one);
        list_remove(it);
        list_append(&one, it);
        if (atomic_load(&p->sick) != 0)
            answer_all(&one, ERR_UNAVAILABLE);
        else
            run_batch(p, &one);
        list_splice(&done, &one);
    }
    list_splice(ops, &done);
}

static enum outcome transact_until_known(struct part *p, struct list *ops)
{
    enum outcome outcome = MET;
    for (int i = 0; i < MEETINGS_MAX && outcome == MET; i++) {
        if (i > 0)
            wake_wait(&p->work.to_writer, 1 << i);
        outcome = transact(p, ops);
        if (outcome == UNKNOWN)
            outcome = settle(p);
        LIST_FOREACH (it, ops) {
            if (outcome != COMMITTED)
                sql_roll_back(LIST_ENTRY(it, struct store_op, node));
        }
    }
    return outcome;
}

static void refuse_one(struct part *p, struct list *ops)
{
    int err = p->w.pg.db.err;
    if (err != ERR_FULL)
        log_event(LOG_ERROR, "the database refuses", LOG_TEXT("part", p->name),
                  LOG_TEXT("error", p->w.pg.detail.text));
    answer_all(ops, err);
}

static void run_batch(struct part *p, struct list *ops)
{
    bool single = ops->next == ops->prev;
    switch (transact_until_known(p, ops)) {
    case COMMITTED:
        atomic_store(&p->full, false);
        LIST_FOREACH (it, ops)
            note_identity(p, LIST_ENTRY(it, struct store_op, node));
        untold_add(&p->w.untold, ops, p->w.marks, loop_now(p->port.loop));
        break;
    case REFUSED:
        atomic_store(&p->full, p->w.pg.db.err == ERR_FULL);
        if (single)
            refuse_one(p, ops);
        else
            run_each(p, ops);
        break;
    case MET:
        if (single || p->w.pg.blocked) /* each alone would wait as long as all did */
            answer_all(ops, ERR_UNAVAILABLE);
        else
            run_each(p, ops);
        break;
    case LOST:
        atomic_store(&p->sick, ERR_UNAVAILABLE);
        answer_all(ops, ERR_UNAVAILABLE);
        break;
    case BURIED:
        answer_all(ops, ERR_UNAVAILABLE);
        break;
    case UNKNOWN:
        answer_all(ops, ERR_UNKNOWN);
        break;
    }
}

/* ---- without a connection ---- */

static void fall_sick(struct part *p)
{
    log_event(LOG_ERROR, "store not reachable", LOG_TEXT("part", p->name),
              LOG_TEXT("error", p->w.pg.detail.text));
    p->w.retry_delay_ms = RETRY_DELAY_MIN_MS;
    p->w.retry_at = mono_add_ms(loop_now(p->port.loop), p->w.retry_delay_ms);
}

int writer_open_first(struct part *p)
{
    int err = writer_open(p);
    return err == ERR_DENIED && p->may_be_away ? ERR_UNAVAILABLE : err;
}

void writer_begin_away(struct part *p)
{
    atomic_store(&p->sick, ERR_UNAVAILABLE);
    fall_sick(p);
}

/* It is there, and not as it should be: made by a newer program, say. */
static void note_obstacle(struct part *p, int err)
{
    if (err != p->w.obstacle && err != 0 && err != ERR_UNAVAILABLE)
        log_event(LOG_ERROR, "store not usable", LOG_TEXT("part", p->name),
                  LOG_TEXT("error", p->w.pg.detail.text),
                  LOG_TEXT("todo", "mend it; it is tried again by itself"));
    p->w.obstacle = err;
}

static void try_to_recover(struct part *p)
{
    struct writer *w = &p->w;
    if (mono_before(loop_now(p->port.loop), w->retry_at))
        return;
    pg_close(&w->pg);
    int err = writer_open(p);
    note_obstacle(p, err);
    if (err == 0) {
        log_event(LOG_INFO, "store reached again", LOG_TEXT("part", p->name));
        atomic_store(&p->reader_must_reopen, true);
        atomic_store(&p->sick, 0);
        return;
    }
    try_less_often(w);
    w->retry_at = mono_add_ms(loop_now(p->port.loop), w->retry_delay_ms);
}

/* ---- the thread ---- */

/* How long nothing has to be done without a new operation; -1: for ever. */
static int idle_ms(struct part *p)
{
    if (atomic_load(&p->sick) != 0) {
        int64_t ms = mono_diff_ms(p->w.retry_at, loop_now(p->port.loop)) + 1;
        return ms < 0 ? 0 : (int)ms;
    }
    return p->w.pg.conn && p->w.tx.garbage ? 0
                                           : untold_idle_ms(&p->w.untold, &p->w.pg, loop_now(p->port.loop));
}

static void keep_house(struct part *p)
{
    begin(p);
    purge(&p->w, PURGE_IDLE_ROWS);
    enum outcome outcome = end(p);
    if (outcome != COMMITTED)
        p->w.tx.garbage = false; /* until the next one */
    if (outcome == LOST || outcome == UNKNOWN)
        atomic_store(&p->sick, ERR_UNAVAILABLE);
}

/* Who wants to own a queue learns why it cannot be opened. */
static void tell_why(struct list *ops, const struct err_buf *eb)
{
    LIST_FOREACH (it, ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        if (op->type->kind == OP_queue_own)
            ((struct op_queue_own *)op)->ret_detail = *eb;
    }
}

static void work_on(struct part *p, struct list *ops)
{
    int err = 0;
    if (atomic_load(&p->sick) != 0) {
        answer_all(ops, ERR_UNAVAILABLE);
        try_to_recover(p);
        untold_expire(&p->w.untold, loop_now(p->port.loop), &p->w.answered);
        return;
    }
    if (!p->w.pg.conn && !list_empty(ops))
        err = writer_open_first(p);
    if (err != 0) {
        tell_why(ops, &p->w.pg.detail);
        answer_all(ops, err);
    } else if (!list_empty(ops)) {
        run_batch(p, ops);
    } else if (p->w.pg.conn && p->w.tx.garbage) {
        keep_house(p);
    }
    look(p);
    if (atomic_load(&p->sick) != 0)
        fall_sick(p);
}

void *part_writer_main(void *arg)
{
    struct part *p = arg;
    struct list ops;
    work_name_thread(p->kind, "commit");
    list_init(&ops);
    while (work_take_writes(&p->work, &ops, BATCH_MAX, idle_ms(p))) {
        work_on(p, &ops);
        list_splice(&ops, &p->w.answered);
        if (!list_empty(&ops))
            work_hand_back(&p->work, &ops, false);
    }
    untold_end(&p->w.untold, &p->w.answered);
    list_splice(&ops, &p->w.answered);
    if (!list_empty(&ops))
        work_hand_back(&p->work, &ops, false);
    pg_close(&p->w.pg);
    return NULL;
}
