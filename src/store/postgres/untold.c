#include "store/postgres/untold.h"

#include <string.h>

#include "base/mem.h"
#include "store/postgres/pg_inside.h"
#include "store/sql/tx.h"

#define LOOK_MS      250 /* while nothing waits */
#define PAUSE_MIN_MS 1
#define PAUSE_MAX_MS 16
#define STANDBYS_MAX 64 /* more than any server has */

/* What the server has flushed, where it is, and a row for each standby; one without, when there is none. */
#define LOOK_SQL                                                                                             \
    "SELECT CAST(pg_current_wal_flush_lsn() - '0/0' AS BIGINT), r.pid IS NOT NULL,"                          \
    " coalesce(r.application_name, ''), coalesce(host(r.client_addr), ''),"                                  \
    " coalesce(r.sync_state IN ('sync', 'quorum'), false), r.state IS NOT NULL,"                             \
    " CAST(coalesce(r.flush_lsn - '0/0', 0) AS BIGINT), coalesce(host(inet_server_addr()), '')"              \
    " FROM (SELECT 1) AS one LEFT JOIN pg_stat_replication AS r ON true"

struct batch {
    struct list node;
    struct list ops;
    uint64_t mark;
    uint64_t position; /* of the server's log; 0: not looked at yet */
    struct mono_time since;
};

/* ---- the list ---- */

void untold_init(struct untold *w, const struct store_durability *wanted, bool looks_idly)
{
    *w = (struct untold){.looks_idly = looks_idly, .pause_ms = PAUSE_MIN_MS};
    list_init(&w->batches);
    copies_init(&w->copies, wanted);
}

bool untold_any(const struct untold *w)
{
    return !list_empty(&w->batches);
}

static struct batch *batch_of(struct list *node)
{
    return LIST_ENTRY(node, struct batch, node);
}

static struct batch *oldest(const struct untold *w)
{
    return untold_any(w) ? batch_of(w->batches.next) : NULL;
}

uint64_t untold_oldest_mark(const struct untold *w, uint64_t none)
{
    const struct batch *b = oldest(w);
    return b ? b->mark : none;
}

/* Copies of a lease that has run out, or of a chunk without its message, help nobody. That it is there
 * already may be told by what was committed just before, and waits as that. */
static bool has_to_wait(const struct store_op *op)
{
    return (op->err == 0 || op->err == ERR_EXISTS) && (op->type->flags & OP_WRITE) &&
           !(op->type->flags & (OP_LAZY | OP_PASSING));
}

void untold_add(struct untold *w, struct list *ops, uint64_t mark, struct mono_time now)
{
    struct batch *b = NULL;
    if (!w->copies.wanted->replicated)
        return;
    w->look_at = now; /* sites that were lost may be back */
    w->pause_ms = PAUSE_MIN_MS;
    LIST_FOREACH (it, ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        if (!has_to_wait(op) || copies_allow(&w->copies, 0, op_takes_custody(op)))
            continue;
        if (!b) {
            b = mem_zalloc(sizeof(*b));
            *b = (struct batch){.mark = mark, .since = now};
            list_init(&b->ops);
            list_append(&w->batches, &b->node);
        }
        list_remove(it);
        list_append(&b->ops, it);
    }
}

static void drop(struct batch *b)
{
    list_remove(&b->node);
    free(b);
}

void untold_end(struct untold *w, struct list *answered)
{
    LIST_FOREACH (it, &w->batches) {
        struct batch *b = batch_of(it);
        list_splice(answered, &b->ops);
        drop(b);
    }
}

/* ---- looking ---- */

static void see_standby(const PGresult *result, int row, struct copies_standby *s)
{
    *s = (struct copies_standby){.name = PQgetvalue(result, row, 2),
                                 .address = PQgetvalue(result, row, 3),
                                 .synchronous = pg_i64(result, row, 4) != 0,
                                 .tells = pg_i64(result, row, 5) != 0,
                                 .flushed = (uint64_t)pg_i64(result, row, 6)};
}

/* False: the connection is lost. */
static bool look(struct untold *w, struct pg *pg, unsigned lost, struct mono_time now)
{
    struct copies_standby standbys[STANDBYS_MAX];
    struct copies_look seen = {.at = now, .standbys = standbys};
    PGresult *result = pg_table(pg, LOOK_SQL);
    if (!result) {
        copies_blind(&w->copies, pg->detail.text);
        return pg->failure != PG_LOST;
    }
    seen.written = (uint64_t)pg_i64(result, 0, 0);
    seen.server = PQgetvalue(result, 0, 7);
    for (int i = 0; i < PQntuples(result) && i < STANDBYS_MAX; i++)
        if (pg_i64(result, i, 1))
            see_standby(result, i, &standbys[seen.count++]);
    LIST_FOREACH (it, &w->batches)
        if (batch_of(it)->position == 0)
            batch_of(it)->position = seen.written;
    const struct batch *b = oldest(w);
    struct copies_wait wait = {b ? b->position : 0, b ? b->since : now};
    copies_see(&w->copies, &seen, lost, b ? &wait : NULL);
    PQclear(result);
    return true;
}

/* What takes custody is neither told of nor taken back when its copy does not come: the message is here, and
 * who sent it is to send it again. */
static bool is_given_up(const struct untold *w, const struct batch *b, const struct store_op *op,
                        struct mono_time now)
{
    return op_takes_custody(op) && w->copies.state == STORE_COPIES_MISSING &&
           mono_diff_ms(now, b->since) >= w->copies.wanted->standby_timeout_ms;
}

/* looked: what the copies allow is of now. */
static void answer(struct untold *w, bool looked, struct mono_time now, struct list *answered)
{
    LIST_FOREACH (it, &w->batches) {
        struct batch *b = batch_of(it);
        LIST_FOREACH (node, &b->ops) {
            struct store_op *op = LIST_ENTRY(node, struct store_op, node);
            bool allowed = looked && copies_allow(&w->copies, b->position, op_takes_custody(op));
            if (!allowed && !is_given_up(w, b, op, now))
                continue;
            if (!allowed)
                sql_answer(op, ERR_UNKNOWN);
            list_remove(node);
            list_append(answered, node);
        }
        if (list_empty(&b->ops))
            drop(b);
    }
}

void untold_expire(struct untold *w, struct mono_time now, struct list *answered)
{
    answer(w, false, now, answered);
}

void untold_look(struct untold *w, struct pg *pg, unsigned lost, struct mono_time now, struct list *answered)
{
    if (!w->copies.wanted->replicated || !pg->conn || (!untold_any(w) && mono_before(now, w->look_at)))
        return;
    if (look(w, pg, lost, now))
        answer(w, true, now, answered);
    if (untold_any(w) && w->pause_ms < PAUSE_MAX_MS)
        w->pause_ms *= 2;
    w->look_at = untold_any(w)   ? mono_add_ms(now, w->pause_ms)
                 : w->looks_idly ? mono_add_ms(now, LOOK_MS)
                                 : MONO_NEVER;
}

int untold_idle_ms(const struct untold *w, const struct pg *pg, struct mono_time now)
{
    if (!w->copies.wanted->replicated || !pg->conn || w->look_at.ns == MONO_NEVER.ns)
        return -1;
    int64_t ms = mono_diff_ms(w->look_at, now);
    return ms > 0 ? (int)ms : 0;
}

/* ---- another server ---- */

static void bury(struct batch *b, struct list *answered)
{
    LIST_FOREACH (it, &b->ops) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        sql_roll_back(op);
        sql_answer(op, ERR_UNAVAILABLE);
    }
    list_splice(answered, &b->ops);
    drop(b);
}

bool untold_reconnected(struct untold *w, struct pg *pg,
                        bool (*committed)(void *arg, uint64_t mark, bool *ret_committed), void *arg,
                        struct list *answered)
{
    char place[96];
    const char *host = PQhost(pg->conn), *port = PQport(pg->conn);
    const char *names[] = {place, host, PQhostaddr(pg->conn)};
    snprintf(place, sizeof(place), "%s:%s", host ? host : "", port ? port : "");
    copies_connected(&w->copies, names, ARRAY_LEN(names));
    w->look_at = (struct mono_time){0};
    LIST_FOREACH (it, &w->batches) {
        struct batch *b = batch_of(it);
        bool there;
        if (!committed(arg, b->mark, &there))
            return false;
        b->position = 0;
        if (!there)
            bury(b, answered);
    }
    return true;
}
