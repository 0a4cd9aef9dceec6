/* The committer of a queue: accepting by the journal, and what of its
 * transactions concerns the journal. */
#include "store/queue_op.h"
#include "store/sql/queue.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/file.h"

/* ---- what is applied ---- */

/* For the reader's thread. */
static void publish(struct sqlite_file *f, bool applied)
{
    const struct committer *c = &f->c;
    if (applied) {
        atomic_store(&f->applied_message, c->tx.sql.who.next_message);
        atomic_store(&f->applied, c->journal.sequence);
    }
    atomic_store(&f->accepted, c->journal.sequence);
}

void intake_after_commit(struct sqlite_file *f, bool committed, bool synced)
{
    struct committer *c = &f->c;
    struct journal *j = &c->journal;
    if (committed && j->begun) {
        lock_clear_cut(&c->lock);
        c->owners_seen = lock_owners(&c->lock);
    }
    if (!committed && j->begun)
        journal_close(j);
    bool ours = lock_owners(&c->lock) == c->owners_seen; /* else the files are another owner's */
    if (!committed && ours && sqlite_is_full(c->failed_rc))
        space_shed(&j->space);
    if (committed && (journal_is_open(j) || j->begun || j->at_rest)) {
        bool give_back = synced && ours;
        j->begun = false;
        journal_applied(j);
        space_committed(&j->space, &c->tx.space);
        publish(f, true);
        j->at_rest = !journal_is_open(j) && (j->at_rest || give_back);
        if (give_back)
            space_give_back(&j->space, journal_is_open(j) ? j->current.header.number : 0, &c->lock);
    }
    space_change_clear(&c->tx.space);
}

int intake_recover(struct sqlite_file *f)
{
    struct sqlite_tx *tx = &f->c.tx;
    int err = apply_files(tx);
    if (err != 0)
        return err;
    queue_count_on(&tx->sql);
    return apply_begin(tx, tx->journal, tx->sql.who.epoch);
}

/* ---- accepting ---- */

void intake_split(struct list *ops, struct list *ret_intake)
{
    LIST_FOREACH (it, ops) {
        enum op_kind kind = LIST_ENTRY(it, struct store_op, node)->type->kind;
        if (kind != OP_body_chunk && kind != OP_body_drop && kind != OP_queue_accept)
            continue;
        list_remove(it);
        list_append(ret_intake, it);
    }
}

static bool begin(struct sqlite_file *f)
{
    struct committer *c = &f->c;
    if (!committer_lock(f))
        return false;
    /* Reading the epoch costs more than the rest; it can have changed only when this has. */
    c->tx.sql.stored_epoch = lock_owners(&c->lock) == c->owners_seen ? c->tx.sql.who.epoch : -1;
    journal_batch(&c->journal);
    return true;
}

/* Writes and syncs; false: it has failed. */
static bool end(struct sqlite_file *f, bool sync)
{
    struct committer *c = &f->c;
    int err = journal_is_open(&c->journal) ? journal_end(&c->journal, &c->lock, sync) : 0;
    if (err == 0 && c->tx.sql.who.epoch > 0 && c->tx.sql.stored_epoch == c->tx.sql.who.epoch)
        c->owners_seen = lock_owners(&c->lock);
    lock_release(&c->lock);
    c->failed_rc = err != 0 ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    return err == 0;
}

static void refuse_all(struct list *ops, int err)
{
    LIST_FOREACH (it, ops) {
        sql_roll_back(LIST_ENTRY(it, struct store_op, node));
        sql_answer(LIST_ENTRY(it, struct store_op, node), err);
    }
}

static void fail_all(struct sqlite_file *f, struct list *ops)
{
    atomic_store(&f->sick, ERR_SYNC);
    refuse_all(ops, ERR_SYNC);
}

/* There was no room for a journal: there may be now. False: all are answered. */
static bool reopen(struct sqlite_file *f, struct list *ops)
{
    if (committer_recover_journal(f))
        return true;
    if (atomic_load(&f->sick) == 0 && sqlite_is_full(f->c.failed_rc)) {
        committer_note_full(f, true);
        refuse_all(ops, ERR_FULL);
    } else {
        fail_all(f, ops);
    }
    return false;
}

void intake_run(struct sqlite_file *f, struct list *ops)
{
    bool sync = false, full = false, fenced = false;
    if (!journal_is_open(&f->c.journal) && !reopen(f, ops))
        return;
    if (!begin(f)) {
        fail_all(f, ops);
        return;
    }
    LIST_FOREACH (it, ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        sql_answer(op, sql_execute(&f->c.tx.sql, op));
        sync |= op->err == 0 && op->type->kind == OP_queue_accept;
        full |= op->err == ERR_FULL;
        fenced |= op->err == ERR_FENCED;
    }
    if (!end(f, sync)) {
        fail_all(f, ops);
        return;
    }
    if (full || sync)
        committer_note_full(f, full);
    if (fenced)
        atomic_store(&f->fenced, true);
    publish(f, false);
}
