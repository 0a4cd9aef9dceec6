#include "relay/expiry.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/mem.h"
#include "relay/expired.h"
#include "relay/tell.h"

#define BATCH       100     /* a transaction: some milliseconds */
#define RETRY_MS    1000    /* after the store refused */
#define LOOK_MAX_MS 3600000 /* look again at least hourly: clocks are set */

struct expiry {
    struct loop *loop;
    struct queue *queue;
    char *domain, *home;
    const struct config_relay *relay;
    const struct expiry_ops *ops;
    size_t settling; /* how many `op` gives up */
    void *arg;
    struct loop_timer *timer;
    struct store_op *op;
};

static void look_in(struct expiry *e, int64_t delay_ms)
{
    if (delay_ms > LOOK_MAX_MS)
        delay_ms = LOOK_MAX_MS;
    loop_timer_start(e->timer, delay_ms > 0 ? delay_ms : 0);
}

static void on_settled(void *arg, int err)
{
    struct expiry *e = arg;
    e->op = NULL;
    if (err == ERR_FENCED)
        return;
    look_in(e, err ? RETRY_MS : 0); /* there may be more */
    if (err == 0)
        e->ops->expired(e->arg, e->settling);
}

static void log_expired(const struct expiry *e, const struct queue_delivery *d)
{
    char id[CUSTODY_ID_TEXT_MAX];
    custody_id_format(&d->custody_id, id);
    log_event(LOG_WARNING, "delivery expired", LOG_TEXT("id", id), LOG_STR("recipient", d->recipient),
              LOG_TEXT("queue", queue_name(e->queue)));
}

static struct str reason(struct arena *texts, struct str last)
{
    struct buf text;
    buf_init(&text, EXPIRED_TEXT_MAX);
    expired_format(&text, last);
    struct str kept = arena_str(texts, buf_str(&text));
    buf_fini(&text);
    return kept;
}

static void give_up(struct expiry *e, const struct queue_delivery *rows, size_t count, struct wall_time now)
{
    struct queue_result results[BATCH];
    struct arena texts;
    arena_init(&texts, BATCH * 2 * EXPIRED_TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        struct tell sender = tell_of(&rows[i]);
        bool told = tell_failure(&sender, e->relay);
        log_expired(e, &rows[i]);
        results[i] =
            (struct queue_result){.delivery_id = rows[i].id,
                                  .outcome = told ? QUEUE_OUTCOME_BOUNCED : QUEUE_OUTCOME_QUARANTINED,
                                  .reply = reason(&texts, rows[i].last_reply),
                                  .host = rows[i].last_host,
                                  .server = str_from(e->home),
                                  .at = now};
    }
    e->settling = count;
    e->op = queue_settle(e->queue, results, count, on_settled, e);
    arena_fini(&texts);
}

static void on_oldest(void *arg, int err, const struct queue_rows *rows)
{
    struct expiry *e = arg;
    struct wall_time now = loop_wall(e->loop);
    size_t old = 0;
    e->op = NULL;
    if (err || !e->ops->may(e->arg)) {
        look_in(e, RETRY_MS);
        return;
    }
    while (old < rows->count && now.ms - rows->items[old].waits_since.ms >= e->relay->expire_ms)
        old++;
    if (old > 0)
        give_up(e, rows->items, old, now);
    else /* what comes from now on is younger than the first of these */
        look_in(e, rows->count ? rows->items[0].waits_since.ms + e->relay->expire_ms - now.ms
                               : e->relay->expire_ms);
}

static void on_timer(void *arg)
{
    struct expiry *e = arg;
    struct queue_due_filter filter = {
        .domain = str_from(e->domain), .home = str_from(e->home), .limit = BATCH};
    if (!e->op)
        e->op = queue_oldest(e->queue, &filter, on_oldest, e);
}

struct expiry *expiry_new(struct loop *l, struct queue *q, struct str domain, struct str home,
                          const struct config_relay *relay, const struct expiry_ops *ops, void *arg)
{
    struct expiry *e = mem_zalloc(sizeof(*e));
    e->loop = l;
    e->queue = q;
    e->domain = str_dup(domain);
    e->home = str_dup(home);
    e->relay = relay;
    e->ops = ops;
    e->arg = arg;
    e->timer = loop_timer_new(l, on_timer, e);
    look_in(e, 0);
    return e;
}

void expiry_free(struct expiry *e)
{
    if (e->op)
        store_op_forget(e->op);
    loop_timer_free(e->timer);
    free(e->domain);
    free(e->home);
    free(e);
}

void expiry_kick(struct expiry *e)
{
    look_in(e, 0);
}
