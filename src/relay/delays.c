#include "relay/delays.h"

#include "base/mem.h"
#include "relay/tell.h"
#include "store/queue_report.h"

#define PAGE        100     /* deliveries: a millisecond of the reader */
#define PAUSE_MS    20      /* between pages, for whom else the reader serves */
#define RETRY_MS    1000    /* after the store refused */
#define LOOK_MAX_MS 3600000 /* then from the begin */

struct delays {
    struct loop *loop;
    struct queue *queue;
    const struct config_relay *relay;
    void (*on_owed)(void *arg);
    void *arg;
    struct loop_timer *timer;
    struct store_op *op;
    int64_t after_id;       /* up to there all were looked at */
    struct mono_time since; /* the last look from the begin */
    bool kicked;            /* while something was under way */
    bool more;              /* there are further ones that are old enough */
    int64_t next_ms;        /* until then there is nothing more */
};

static void look_in(struct delays *d, int64_t delay_ms)
{
    loop_timer_start(d->timer, delay_ms > 0 ? delay_ms : 0);
}

/* 0: nobody is told of delays. */
static int64_t age_ms(const struct delays *d)
{
    return d->relay->delay_notice_ms;
}

/* What was under way has ended. True: a kick came meanwhile, and the next look is from the begin. */
static bool take_kick(struct delays *d)
{
    bool kicked = d->kicked;
    d->kicked = false;
    if (kicked)
        d->after_id = 0;
    return kicked;
}

static void go_on(struct delays *d)
{
    if (take_kick(d))
        look_in(d, 0);
    else if (d->more)
        look_in(d, PAUSE_MS);
    else
        look_in(d, d->next_ms < LOOK_MAX_MS ? d->next_ms : LOOK_MAX_MS);
}

static void on_owing(void *arg, int err)
{
    struct delays *d = arg;
    d->op = NULL;
    if (err == ERR_FENCED)
        return;
    if (err) {
        d->kicked = false;
        d->after_id = 0; /* whom it was about is not kept here */
        look_in(d, RETRY_MS);
        return;
    }
    go_on(d);
    d->on_owed(d->arg);
}

static bool is_due(const struct delays *d, const struct queue_delivery *row, struct wall_time now)
{
    struct tell sender = tell_of(row);
    return !row->delay_told && now.ms - row->waits_since.ms >= age_ms(d) && tell_delay(&sender, d->relay);
}

static void on_rows(void *arg, int err, const struct queue_rows *rows)
{
    struct delays *d = arg;
    struct wall_time now = loop_wall(d->loop);
    int64_t ids[PAGE];
    size_t count = 0, i = 0;
    d->op = NULL;
    if (err) {
        take_kick(d);
        look_in(d, RETRY_MS);
        return;
    }
    for (; i < rows->count && now.ms - rows->items[i].received_at.ms >= age_ms(d); i++) {
        d->after_id = rows->items[i].id;
        if (is_due(d, &rows->items[i], now))
            ids[count++] = rows->items[i].id;
    }
    d->more = i == rows->count && rows->more;
    d->next_ms = i < rows->count ? rows->items[i].received_at.ms + age_ms(d) - now.ms : age_ms(d);
    if (count > 0)
        d->op = queue_owe_delay(d->queue, ids, count, on_owing, d);
    else
        go_on(d);
}

static void on_timer(void *arg)
{
    struct delays *d = arg;
    if (age_ms(d) == 0)
        return; /* a kick looks again */
    if (mono_diff_ms(loop_now(d->loop), d->since) >= LOOK_MAX_MS) {
        d->since = loop_now(d->loop);
        d->after_id = 0;
    }
    struct queue_filter filter = {.states = 1U << QUEUE_WAITING, .after_id = d->after_id, .limit = PAGE};
    if (!d->op)
        d->op = queue_list(d->queue, &filter, on_rows, d);
}

struct delays *delays_new(struct loop *l, struct queue *q, const struct config_relay *relay,
                          void (*on_owed)(void *arg), void *arg)
{
    struct delays *d = mem_zalloc(sizeof(*d));
    d->loop = l;
    d->queue = q;
    d->relay = relay;
    d->on_owed = on_owed;
    d->arg = arg;
    d->since = loop_now(l);
    d->timer = loop_timer_new(l, on_timer, d);
    look_in(d, 0);
    return d;
}

void delays_free(struct delays *d)
{
    if (d->op)
        store_op_forget(d->op);
    loop_timer_free(d->timer);
    free(d);
}

void delays_kick(struct delays *d)
{
    d->kicked = d->op != NULL;
    if (d->kicked)
        return;
    d->after_id = 0;
    look_in(d, 0);
}
