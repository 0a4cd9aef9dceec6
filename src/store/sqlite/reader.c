/* The reader's thread of a file. */
#include "store/body_op.h"
#include "store/sqlite/apply.h"
#include "store/sqlite/file.h"

/* on_change fires within about 50 ms of a change by another process. */
#define WATCH_POLL_MS 25

static int open_reader(struct sqlite_file *f)
{
    struct err_buf eb;
    int err = 0;
    if (f->r.db.handle)
        return 0;
    if (f->r.lock.fd < 0)
        err = lock_open(&f->r.lock, f->path, &eb);
    if (err == 0)
        err = file_connect(f, &f->r.lock, &f->r.db, f->look ? SQLITE_TO_LOOK : SQLITE_TO_READ, &eb);
    return err;
}

/* ---- what was accepted and has no rows yet ---- */

static bool reads_applied(const struct sqlite_file *f, const struct store_op *op)
{
    const struct op_body_read *body = (const struct op_body_read *)op;
    return op->type->kind == OP_body_read &&
           body->message_id < atomic_load(&((struct sqlite_file *)(uintptr_t)f)->applied_message);
}

/* Our own committer does it. */
static void await_committer(struct sqlite_file *f)
{
    unsigned long long wanted = atomic_load(&f->accepted);
    pthread_mutex_lock(&f->work.mutex);
    uint64_t rounds = f->apply_rounds;
    while (atomic_load(&f->applied) < wanted && f->apply_rounds == rounds && !f->work.stop &&
           atomic_load(&f->sick) == 0) {
        bool to_committer = f->work.writer_sleeps;
        f->work.writer_wanted = f->work.reader_sleeps = true;
        f->work.writer_sleeps = false;
        pthread_mutex_unlock(&f->work.mutex);
        if (to_committer)
            wake_signal(&f->work.to_writer);
        wake_wait(&f->work.to_reader, -1);
        pthread_mutex_lock(&f->work.mutex);
        f->work.reader_sleeps = false;
    }
    pthread_mutex_unlock(&f->work.mutex);
}

/* Another process's journal: whoever sees that it has more, applies it. */
static void apply_journal(struct sqlite_file *f)
{
    struct err_buf eb;
    struct sqlite_db db;
    if (file_lock(f, &f->r.lock, &eb) != 0)
        return;
    if (sqlite_open(&db, f->path, f->schema, SQLITE_TO_WRITE, &eb) == 0) {
        (void)!apply_as_guest(&db, f->path, &f->r.lock); /* who reads sees what has its rows */
        sqlite_close(&db);
    }
    lock_release(&f->r.lock);
}

static void look_at_journal(struct sqlite_file *f)
{
    struct sqlite_db *db = &f->r.db;
    sqlite_clear(db);
    sqlite_begin(db);
    struct position p = apply_position(&f->r.tx);
    sqlite_commit(db);
    if (db->rc == SQLITE_OK && apply_is_due(f->path, &p))
        apply_journal(f);
}

static void catch_up(struct sqlite_file *f, const struct store_op *op)
{
    if (f->part != PART_QUEUE)
        return;
    if (f->mode == PORT_READ)
        look_at_journal(f);
    else if (!reads_applied(f, op))
        await_committer(f);
}

/* ---- reading ---- */

static int execute(struct sqlite_file *f, struct store_op *op)
{
    struct sqlite_db *db = &f->r.db;
    int err = 0;
    sqlite_clear(db);
    f->r.tx.sql.now_ms = loop_now(f->port.loop).ns / NS_PER_MS;
    sqlite_begin(db);
    if (db->rc == SQLITE_OK)
        err = sql_execute(&f->r.tx.sql, op);
    sqlite_commit(db);
    return err;
}

static int read_one(struct sqlite_file *f, struct store_op *op)
{
    struct sqlite_db *db = &f->r.db;
    int err = open_reader(f);
    if (err != 0)
        return err;
    catch_up(f, op);
    err = execute(f, op);
    /* A body that ended meanwhile may have been overwritten; then its rows are gone. */
    if (err == ERR_CORRUPT && op->type->kind == OP_body_read && db->rc == SQLITE_OK)
        err = execute(f, op);
    if (db->rc != SQLITE_OK) {
        err = sqlite_err(db->rc);
        sqlite_rollback(db);
        if (sqlite_is_io(db->rc))
            sqlite_close(db);
    }
    return err == OP_AGAIN && f->mode == PORT_READ ? ERR_NOT_FOUND : err;
}

/* Whether another connection has changed the file since the last look. */
static bool has_changed(struct sqlite_file *f)
{
    if (open_reader(f) != 0)
        return false;
    sqlite_clear(&f->r.db);
    int64_t version = sqlite_pragma(&f->r.db, "PRAGMA data_version");
    if (f->r.db.rc != SQLITE_OK) {
        sqlite_close(&f->r.db);
        return true; /* what happens until it is open again may be missed */
    }
    bool changed = version != f->r.data_version;
    f->r.data_version = version;
    return changed;
}

void *reader_main(void *arg)
{
    struct sqlite_file *f = arg;
    struct list ops;
    bool watching;
    work_name_thread(f->part, "read");
    list_init(&ops);
    while (work_take_reads(&f->work, &ops, WATCH_POLL_MS, &watching)) {
        if (atomic_exchange(&f->reader_must_reopen, false) && f->r.db.handle)
            sqlite_close(&f->r.db);
        LIST_FOREACH (it, &ops) {
            struct store_op *op = LIST_ENTRY(it, struct store_op, node);
            op->err = read_one(f, op);
        }
        bool changed = watching && has_changed(f);
        if (changed || !list_empty(&ops))
            work_hand_back(&f->work, &ops, changed);
    }
    if (f->r.db.handle)
        sqlite_close(&f->r.db);
    return NULL;
}
