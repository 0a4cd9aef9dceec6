/* The reader's thread of a part. */
#include "base/log.h"
#include "store/postgres/part.h"
#include "store/postgres/pg_inside.h"
#include "store/postgres/tables.h"

/* on_change fires within about 50 ms of a change by another process. */
#define WATCH_POLL_MS 50

#define RETRY_MS 200 /* without a connection */

/* What the writer, which is connected, does not say. */
static void note_refusal(struct part *p, int err)
{
    bool refused = err != 0 && p->mode == PORT_WRITE && atomic_load(&p->sick) == 0;
    if (refused && !p->r.refused)
        log_event(LOG_ERROR, "store not readable", LOG_TEXT("part", p->name),
                  LOG_TEXT("error", p->r.pg.detail.text),
                  LOG_TEXT("todo", "mend it; it is tried again by itself"));
    p->r.refused = refused;
}

static int connect_reader(struct part *p)
{
    struct reader *r = &p->r;
    if (atomic_exchange(&p->reader_must_reopen, false))
        pg_close(&r->pg);
    if (pg_is_connected(&r->pg))
        return 0;
    if (atomic_load(&p->stop) || mono_before(loop_now(p->port.loop), r->retry_at))
        return ERR_UNAVAILABLE;
    int err = pg_open(&r->pg);
    note_refusal(p, err);
    if (err != 0 && p->mode == PORT_WRITE)
        err = ERR_UNAVAILABLE; /* what is there is for the writer to make and to judge, which says why */
    r->retry_at = mono_add_ms(loop_now(p->port.loop), err == 0 ? 0 : RETRY_MS);
    return err;
}

static int execute(struct part *p, struct store_op *op)
{
    struct reader *r = &p->r;
    int err = 0;
    pg_begin(&r->pg);
    if (p->kind == PART_NETWORK)
        r->tx.now_ms = pg_number(&r->pg, "SELECT " CLOCK_MS, 0);
    if (r->pg.failure == PG_WELL)
        err = sql_execute(&r->tx, op);
    if (r->pg.failure == PG_WELL)
        pg_end_read(&r->pg);
    return r->pg.failure == PG_WELL ? err : r->pg.db.err;
}

static int read_one(struct part *p, struct store_op *op)
{
    int err = connect_reader(p);
    if (err != 0)
        return err;
    err = execute(p, op);
    if (p->r.pg.failure != PG_WELL)
        pg_rollback(&p->r.pg);
    return err == OP_AGAIN && p->mode == PORT_READ ? ERR_NOT_FOUND : err;
}

static bool has_changed(struct part *p)
{
    struct reader *r = &p->r;
    if (connect_reader(p) != 0)
        return false;
    static const char changes_sql[] = "SELECT changes FROM device WHERE id = 1";
    PGresult *result = pg_table(&r->pg, changes_sql);
    if (!result) {
        pg_rollback(&r->pg);
        return true; /* what happens until it is connected again may be missed */
    }
    int64_t changes = PQntuples(result) > 0 ? pg_i64(result, 0, 0) : -1;
    PQclear(result);
    bool changed = changes != r->changes;
    r->changes = changes;
    return changed;
}

void *part_reader_main(void *arg)
{
    struct part *p = arg;
    struct list ops;
    bool watching;
    work_name_thread(p->kind, "read");
    list_init(&ops);
    while (work_take_reads(&p->work, &ops, WATCH_POLL_MS, &watching)) {
        LIST_FOREACH (it, &ops) {
            struct store_op *op = LIST_ENTRY(it, struct store_op, node);
            op->err = read_one(p, op);
        }
        bool changed = watching && p->kind == PART_NETWORK && has_changed(p);
        if (changed || !list_empty(&ops))
            work_hand_back(&p->work, &ops, changed);
    }
    pg_close(&p->r.pg);
    return NULL;
}
