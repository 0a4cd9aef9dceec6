#include "relay/snapshot.h"

#include "base/log.h"
#include "base/mem.h"

#define BATCH_MAX      500  /* rows of a transaction: about 10 ms of the network's file, which is hot */
#define BATCH_DELAY_MS 1000 /* what a crash can lose; it is asked again */
#define WAITING_MAX    5000 /* while the store stands still; more are forgotten, and asked again */

struct snapshot {
    struct loop *loop;
    struct network *network;
    const struct config_domain *domain;
    struct network_recipient *answers; /* addresses are owned */
    size_t count;
    struct loop_timer *timer;
    struct store_op *op;
};

static struct network_recipient_bounds bounds_of(const struct snapshot *s)
{
    int64_t now_ms = loop_wall(s->loop).ms;
    return (struct network_recipient_bounds){
        .known_max = s->domain->verify_positive_max,
        .unknown_max = s->domain->verify_negative_max,
        .known_since = {now_ms - s->domain->verify_positive_expire_ms},
        .unknown_since = {now_ms - s->domain->verify_negative_expire_ms},
    };
}

static void on_put(void *arg, int err)
{
    struct snapshot *s = arg;
    s->op = NULL;
    if (err)
        log_event(LOG_WARNING, "recipients not remembered", LOG_TEXT("domain", s->domain->name),
                  LOG_TEXT("error", err_name(err)));
    if (s->count > 0)
        loop_timer_start(s->timer, s->count >= BATCH_MAX ? 0 : BATCH_DELAY_MS);
}

static void forget(struct snapshot *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)(uintptr_t)s->answers[i].address.ptr);
    for (size_t i = count; i < s->count; i++)
        s->answers[i - count] = s->answers[i];
    s->count -= count;
}

static void write_batch(struct snapshot *s)
{
    size_t count = s->count < BATCH_MAX ? s->count : BATCH_MAX;
    struct network_recipient_bounds bounds = bounds_of(s);
    s->op =
        network_recipients_put(s->network, str_from(s->domain->name), s->answers, count, &bounds, on_put, s);
    forget(s, count);
}

static void on_timer(void *arg)
{
    snapshot_flush(arg);
}

struct snapshot *snapshot_new(struct loop *l, struct network *n, const struct config_domain *domain)
{
    struct snapshot *s = mem_zalloc(sizeof(*s));
    s->loop = l;
    s->network = n;
    s->domain = domain;
    s->timer = loop_timer_new(l, on_timer, s);
    return s;
}

void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    if (s->op)
        store_op_forget(s->op);
    loop_timer_free(s->timer);
    forget(s, s->count);
    free(s->answers);
    free(s);
}

void snapshot_add(struct snapshot *s, struct str address, bool known, struct wall_time at)
{
    if (s->count >= WAITING_MAX)
        return;
    s->answers = mem_grow(s->answers, s->count, sizeof(*s->answers));
    s->answers[s->count++] = (struct network_recipient){{str_dup(address), address.len}, known, at};
    if (!s->op && s->count >= BATCH_MAX)
        snapshot_flush(s);
    else if (!s->op && !loop_timer_active(s->timer))
        loop_timer_start(s->timer, BATCH_DELAY_MS);
}

void snapshot_flush(struct snapshot *s)
{
    loop_timer_stop(s->timer);
    if (!s->op && s->count > 0)
        write_batch(s);
}

bool snapshot_busy(const struct snapshot *s)
{
    return s->op || s->count > 0;
}
