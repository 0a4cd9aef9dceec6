/* The reader's thread of a file. */
#include "store/sqlite/file.h"

/* on_change fires within about 50 ms of a change by another process. */
#define WATCH_POLL_MS 25

static void wait_for_reads(struct sqlite_file *f, struct list *ops, bool *ret_stop, bool *ret_watch,
                           bool *ret_reopen)
{
    pthread_mutex_lock(&f->mutex);
    if (!f->stop && list_empty(&f->reads)) {
        int timeout_ms = f->watching ? WATCH_POLL_MS : -1;
        f->reader_sleeps = true;
        pthread_mutex_unlock(&f->mutex);
        wake_wait(&f->to_reader, timeout_ms);
        pthread_mutex_lock(&f->mutex);
        f->reader_sleeps = false;
    }
    *ret_stop = f->stop;
    *ret_watch = f->watching;
    *ret_reopen = f->reader_must_reopen;
    f->reader_must_reopen = false;
    if (!f->stop)
        list_splice(ops, &f->reads);
    pthread_mutex_unlock(&f->mutex);
}

static int open_reader(struct sqlite_file *f)
{
    struct err_buf eb;
    int err = 0;
    if (f->r.db.handle)
        return 0;
    if (f->r.lock.fd < 0)
        err = lock_open(&f->r.lock, f->path, &eb);
    if (err == 0)
        err = file_connect(f, &f->r.lock, &f->r.db, f->look ? DB_LOOK : DB_READ, &eb);
    return err;
}

static int read_one(struct sqlite_file *f, struct store_op *op)
{
    struct db *db = &f->r.db;
    int err = open_reader(f);
    if (err != 0)
        return err;
    db_clear(db);
    f->r.tx.now = loop_now(f->port.loop);
    db_begin(db);
    if (db->rc == SQLITE_OK)
        err = sqlite_executions[op->type->kind](&f->r.tx, op);
    db_commit(db);
    if (db->rc != SQLITE_OK) {
        err = db_err(db->rc);
        db_rollback(db);
        if (db_is_io(db->rc))
            db_close(db);
    }
    return err == OP_AGAIN && f->mode == PORT_READ ? ERR_NOT_FOUND : err;
}

/* Whether another connection has changed the file since the last look. */
static bool has_changed(struct sqlite_file *f)
{
    if (open_reader(f) != 0)
        return false;
    db_clear(&f->r.db);
    int64_t version = db_pragma(&f->r.db, "PRAGMA data_version");
    if (f->r.db.rc != SQLITE_OK) {
        db_close(&f->r.db);
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
    bool stop = false, watch, reopen;
    list_init(&ops);
    while (!stop) {
        wait_for_reads(f, &ops, &stop, &watch, &reopen);
        if (reopen && f->r.db.handle)
            db_close(&f->r.db);
        LIST_FOREACH (it, &ops) {
            struct store_op *op = LIST_ENTRY(it, struct store_op, node);
            op->err = read_one(f, op);
        }
        bool changed = watch && !stop && has_changed(f);
        if (changed || !list_empty(&ops))
            file_hand_back(f, &ops, changed);
    }
    if (f->r.db.handle)
        db_close(&f->r.db);
    return NULL;
}
