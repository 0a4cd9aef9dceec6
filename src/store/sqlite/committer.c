/* The committer's thread of a file. */
#include "base/log.h"
#include "store/body_op.h"
#include "store/queue_op.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/file.h"
#include "store/sqlite/heal.h"

#define BATCH_MAX 1000 /* operations a transaction */

#define PURGE_BUSY_ROWS 16  /* in each batch */
#define PURGE_IDLE_ROWS 256 /* a transaction, when nothing else is to be done */

#define RETRY_DELAY_MIN_MS 50
#define RETRY_DELAY_MAX_MS 5000
#define FULL_PAUSE_MS      1000 /* then somebody may try again */

/* What was accepted gets its rows when nobody has asked for anything for so long. */
#define APPLY_IDLE_MS 50

/* ---- opening ---- */

int committer_open(struct sqlite_file *f, struct err_buf *eb)
{
    struct committer *c = &f->c;
    int err = c->lock.fd < 0 ? lock_open(&c->lock, f->path, eb) : 0;
    if (err == 0)
        err = file_connect(f, &c->lock, &c->db, SQLITE_TO_WRITE, eb);
    if (err != 0)
        return err;
    c->lazy_sync = false;
    c->tx.sql.garbage = f->part != PART_NETWORK;
    wal_init(&c->wal, c->db.handle);
    return 0;
}

/* ---- one operation ---- */

/* A stale owner's memory has no say: what it accepted, the next one has taken from the files. */
static bool journal_is_ours(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    if (!journal_is_open(&c->journal) || c->db.rc != SQLITE_OK)
        return false;
    if (lock_owners(&c->lock) != c->owners_seen && sql_epoch_is_current(&f->c.tx.sql))
        c->owners_seen = lock_owners(&c->lock);
    return lock_owners(&c->lock) == c->owners_seen;
}

static void answer_all(struct list *ops, int err)
{
    LIST_FOREACH (it, ops)
        sql_answer(LIST_ENTRY(it, struct store_op, node), err);
}

/* ---- one transaction ---- */

enum outcome {
    COMMITTED,
    REFUSED, /* rolled back; c.failed_rc says why */
    BROKEN,  /* writing or syncing failed: the file must be opened anew */
};

static void set_sync(struct committer *c, bool lazy)
{
    if (c->lazy_sync != lazy)
        sqlite_exec(&c->db, lazy ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL");
    c->lazy_sync = lazy;
}

bool committer_lock(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    struct err_buf eb;
    sqlite_clear(&c->db);
    c->failed_rc = SQLITE_IOERR_LOCK;
    return file_lock(f, &c->lock, &eb) == 0;
}

static bool begin(struct sqlite_file *f, bool lazy)
{
    struct committer *c = &f->c;
    if (!committer_lock(f))
        return false;
    set_sync(c, lazy);
    c->tx.sql.now_ms = loop_now(f->port.loop).ns / NS_PER_MS;
    sql_begin(&c->tx.sql);
    sqlite_begin(&c->db);
    if (journal_is_ours(f))
        apply_pending(&c->tx, &c->journal);
    return true;
}

/* False when writing or syncing failed. */
static bool checkpoint(struct committer *c)
{
    int rc = wal_checkpoint(&c->wal, c->db.handle);
    if (rc != SQLITE_OK)
        c->failed_rc = rc;
    return rc == SQLITE_OK;
}

/* Ends the transaction and gives the lock back. */
static enum outcome end(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    enum outcome outcome = COMMITTED;
    sql_finish(&c->tx.sql);
    space_store(&c->tx);
    sqlite_commit(&c->db);
    c->failed_rc = c->db.rc;
    if (c->failed_rc != SQLITE_OK) {
        sqlite_rollback(&c->db);
        outcome = sqlite_is_io(c->failed_rc) ? BROKEN : REFUSED;
    }
    bool whole = outcome == REFUSED || (outcome == COMMITTED && checkpoint(c));
    /* Going on without the note could make what we answer untrue. */
    if (!whole)
        CHECK(heal_note_wound(c->db.handle, &c->lock) == 0);
    if (f->part == PART_QUEUE)
        intake_after_commit(f, outcome == COMMITTED, !c->lazy_sync);
    lock_release(&c->lock);
    if (!whole)
        atomic_store(&f->sick, ERR_SYNC);
    return outcome;
}

static bool all_lazy(const struct list *ops)
{
    LIST_FOREACH (it, ops) {
        if (!(LIST_ENTRY(it, struct store_op, node)->type->flags & OP_LAZY))
            return false;
    }
    return true;
}

static enum outcome transact(struct sqlite_file *f, struct list *ops)
{
    struct committer *c = &f->c;
    enum outcome outcome = BROKEN;
    bool begun = begin(f, all_lazy(ops));
    LIST_FOREACH (it, ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        if (begun && c->db.rc == SQLITE_OK)
            sql_answer(op, sql_execute(&c->tx.sql, op));
    }
    if (begun && c->tx.sql.garbage)
        sql_purge(&c->tx.sql, PURGE_BUSY_ROWS);
    if (begun)
        outcome = end(f);
    else
        atomic_store(&f->sick, ERR_SYNC);
    LIST_FOREACH (it, ops) {
        if (outcome != COMMITTED)
            sql_roll_back(LIST_ENTRY(it, struct store_op, node));
    }
    return outcome;
}

/* ---- a batch ---- */

void committer_note_full(struct sqlite_file *f, bool full)
{
    if (full) {
        f->c.full_until = mono_add_ms(loop_now(f->port.loop), FULL_PAUSE_MS);
        wal_hurry(&f->c.wal);
    }
    if (atomic_load(&f->full) != full)
        atomic_store(&f->full, full);
}

static void note_identity(struct sqlite_file *f, const struct store_op *op)
{
    if (op->err == ERR_FENCED && (op->type->flags & OP_GUARDED))
        atomic_store(&f->fenced, true);
    if (op->err == 0 && op->type->kind == OP_mail_begin)
        atomic_store(&f->fenced, false);
}

static void run_batch(struct sqlite_file *f, struct list *ops);

/* One operation's failure must not be the others': each alone. */
static void run_each(struct sqlite_file *f, struct list *ops)
{
    struct list done, one;
    list_init(&done);
    LIST_FOREACH (it, ops) {
        list_init(&one);
        list_remove(it);
        list_append(&one, it);
        if (atomic_load(&f->sick) != 0)
            answer_all(&one, ERR_SYNC);
        else
            run_batch(f, &one);
        list_splice(&done, &one);
    }
    list_splice(ops, &done);
}

static void run_batch(struct sqlite_file *f, struct list *ops)
{
    bool single = ops->next == ops->prev;
    switch (transact(f, ops)) {
    case COMMITTED:
        committer_note_full(f, false);
        LIST_FOREACH (it, ops)
            note_identity(f, LIST_ENTRY(it, struct store_op, node));
        break;
    case REFUSED:
        committer_note_full(f, sqlite_is_full(f->c.failed_rc));
        if (single || (f->c.failed_rc & 0xff) == SQLITE_BUSY)
            answer_all(ops, sqlite_err(f->c.failed_rc));
        else
            run_each(f, ops);
        break;
    case BROKEN:
        answer_all(ops, ERR_SYNC);
        break;
    }
}

bool committer_recover_journal(struct sqlite_file *f)
{
    if (f->part != PART_QUEUE || f->c.tx.sql.who.epoch == 0)
        return true;
    if (!begin(f, false))
        return false;
    int err = sql_epoch_is_current(&f->c.tx.sql) ? intake_recover(f) : 0;
    if (end(f) != COMMITTED)
        return false;
    if (err != 0)
        f->c.failed_rc = SQLITE_IOERR_READ; /* of a segment */
    return err == 0;
}

/* What a queue's journal takes goes there first, the rest into a transaction. */
static void run_queue_batch(struct sqlite_file *f, struct list *ops)
{
    struct list intake;
    list_init(&intake);
    intake_split(ops, &intake);
    if (!list_empty(&intake))
        intake_run(f, &intake);
    if (atomic_load(&f->sick) != 0)
        answer_all(ops, ERR_SYNC);
    else if (!list_empty(ops))
        run_batch(f, ops);
    list_splice(ops, &intake);
}

/* ---- falling sick and recovering ---- */

static void fall_sick(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    log_event(LOG_ERROR, "store file failed", LOG_TEXT("file", f->path),
              LOG_TEXT("error", sqlite3_errstr(c->failed_rc)), LOG_I64("code", c->failed_rc));
    sqlite_close(&c->db);
    journal_close(&c->journal);
    c->journal.at_rest = false;
    c->retry_delay_ms = RETRY_DELAY_MIN_MS;
    c->retry_at = mono_add_ms(loop_now(f->port.loop), c->retry_delay_ms);
    atomic_store(&f->reader_must_reopen, true);
    wake_signal(&f->work.to_reader);
}

static void try_to_recover(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    struct err_buf eb;
    if (mono_before(loop_now(f->port.loop), c->retry_at))
        return;
    bool open = committer_open(f, &eb) == 0;
    if (open && committer_recover_journal(f)) {
        log_event(LOG_INFO, "store file recovered", LOG_TEXT("file", f->path));
        atomic_store(&f->sick, 0);
        return;
    }
    if (open)
        sqlite_close(&c->db);
    if (c->retry_delay_ms < RETRY_DELAY_MAX_MS)
        c->retry_delay_ms *= 2;
    c->retry_at = mono_add_ms(loop_now(f->port.loop), c->retry_delay_ms);
}

/* ---- the thread ---- */

/* Its room should be there before it is needed. */
static bool wants_spare(const struct sqlite_file *f)
{
    const struct journal *j = &f->c.journal;
    return journal_is_open(j) && j->at > j->current.header.size_bytes / 2 && space_wants_spare(&j->space);
}

/* How long nothing has to be done without a new operation; -1: for ever. */
static int idle_ms(const struct sqlite_file *f)
{
    struct mono_time now = loop_now(f->port.loop);
    int64_t ms = -1;
    if (!f->c.db.handle)
        ms = atomic_load(&f->sick) != 0 ? mono_diff_ms(f->c.retry_at, now) + 1 : -1;
    else if (f->c.tx.sql.garbage)
        ms = 0;
    else if (atomic_load(&f->full))
        ms = mono_diff_ms(f->c.full_until, now) + 1;
    else if (journal_is_behind(&f->c.journal) || wants_spare(f))
        ms = APPLY_IDLE_MS;
    return ms < -1 ? 0 : (int)ms;
}

/* The rows of what was accepted, and what garbage there is. */
static void apply_and_purge(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    if (!begin(f, true)) {
        atomic_store(&f->sick, ERR_SYNC);
        return;
    }
    if (c->tx.sql.garbage)
        sql_purge(&c->tx.sql, PURGE_IDLE_ROWS);
    if (end(f) != REFUSED)
        return;
    c->tx.sql.garbage = false; /* until the next one; a full disk has room for it then */
    if (journal_is_behind(&c->journal))
        committer_note_full(f, true);
}

static void keep_house(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    if (atomic_load(&f->full) && !mono_before(loop_now(f->port.loop), c->full_until))
        committer_note_full(f, false);
    if (c->tx.sql.garbage || journal_is_behind(&c->journal))
        apply_and_purge(f);
    else if (wants_spare(f))
        space_prepare(&c->journal.space);
}

/* After the answers: so much waits that it should not wait for quiet, or the
 * reader waits for it. */
static void catch_up(struct sqlite_file *f)
{
    pthread_mutex_lock(&f->work.mutex);
    bool wanted = f->work.writer_wanted;
    f->work.writer_wanted = false;
    pthread_mutex_unlock(&f->work.mutex);
    if (f->c.db.handle && journal_is_behind(&f->c.journal) &&
        (wanted || journal_is_far_behind(&f->c.journal)))
        apply_and_purge(f);
    if (atomic_load(&f->sick) != 0 && f->c.db.handle)
        fall_sick(f);
    if (!wanted)
        return;
    pthread_mutex_lock(&f->work.mutex);
    f->apply_rounds++;
    bool to_reader = f->work.reader_sleeps;
    f->work.reader_sleeps = false;
    pthread_mutex_unlock(&f->work.mutex);
    if (to_reader)
        wake_signal(&f->work.to_reader);
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

static void work(struct sqlite_file *f, struct list *ops)
{
    struct err_buf eb = {""};
    int err = 0;
    if (atomic_load(&f->sick) != 0) {
        answer_all(ops, ERR_SYNC);
        try_to_recover(f);
        return;
    }
    if (!f->c.db.handle)
        err = list_empty(ops) ? 0 : committer_open(f, &eb);
    if (err != 0) {
        tell_why(ops, &eb);
        answer_all(ops, err);
    } else if (!list_empty(ops) && f->part == PART_QUEUE)
        run_queue_batch(f, ops);
    else if (!list_empty(ops))
        run_batch(f, ops);
    else if (f->c.db.handle)
        keep_house(f);
    if (atomic_load(&f->sick) != 0)
        fall_sick(f);
}

void *committer_main(void *arg)
{
    struct sqlite_file *f = arg;
    struct list ops;
    work_name_thread(f->part, "commit");
    list_init(&ops);
    while (work_take_writes(&f->work, &ops, BATCH_MAX, idle_ms(f))) {
        work(f, &ops);
        if (!list_empty(&ops))
            work_hand_back(&f->work, &ops, false);
        catch_up(f);
    }
    if (f->c.db.handle && journal_is_behind(&f->c.journal))
        apply_and_purge(f);
    if (f->c.db.handle)
        sqlite_close(&f->c.db);
    journal_close(&f->c.journal);
    return NULL;
}
