#include "relay/spool.h"

#include "base/log.h"
#include "base/mem.h"
#include "relay/spool_events.h"
#include "relay/spool_handover.h"

#define RETRY_MS 1000 /* a queue that could not be opened */

struct spool {
    struct loop *loop;
    struct spool_options options;
    const struct spool_ops *ops;
    void *arg;
    struct queue *queue;
    struct store_op *op;
    struct loop_timer *timer;
    int failed; /* why it is not open, as was logged */
    struct queue *into;
    struct spool_handover *handover; /* while it is open */
    struct spool_events *events;
    bool fresh;                   /* mail came in of which no event tells */
    struct wall_time since;       /* the first of it */
    int64_t messages, recipients; /* handed over since the last event that tells of them */
};

/* ---- what is to be told ---- */

static const char *name_of(const struct spool *s)
{
    return s->options.relay->name;
}

static void note_mail(struct spool *s, struct wall_time since)
{
    char text[WALL_TEXT_MAX];
    if (s->fresh)
        return;
    s->fresh = true;
    s->since = since;
    wall_format_iso(since, text);
    log_event(
        LOG_WARNING, "mail is in the spool", LOG_TEXT("relay", name_of(s)), LOG_TEXT("since", text),
        LOG_I64("waiting", s->options.work->spool_waiting),
        LOG_TEXT("todo", "see why the store cannot be reached; it is handed over by itself after that"));
}

static void on_begun(void *arg)
{
    struct spool *s = arg;
    char since[WALL_TEXT_MAX];
    if (!s->fresh)
        return;
    s->fresh = false;
    wall_format_iso(s->since, since);
    spool_events_add(
        s->events, "spooled", name_of(s),
        json_pack("{s:s, s:I}", "since", since, "waiting", (json_int_t)s->options.work->spool_waiting));
}

static void on_rests(void *arg, size_t left)
{
    struct spool *s = arg;
    if (s->messages == 0)
        return;
    log_event(LOG_INFO, "the spool was handed over", LOG_TEXT("relay", name_of(s)),
              LOG_I64("messages", s->messages), LOG_I64("recipients", s->recipients),
              LOG_I64("left", (int64_t)left));
    spool_events_add(s->events, "spool-handed-over", name_of(s),
                     json_pack("{s:I, s:I, s:I}", "messages", (json_int_t)s->messages, "recipients",
                               (json_int_t)s->recipients, "left", (json_int_t)left));
    s->messages = s->recipients = 0;
}

static void on_stuck(void *arg, const struct spool_parcel *p, int err, bool again)
{
    struct spool *s = arg;
    char id[CUSTODY_ID_TEXT_MAX];
    if (again)
        return;
    custody_id_format(&p->message.custody_id, id);
    log_event(LOG_ERROR, "a message stays in the spool", LOG_TEXT("id", id), LOG_TEXT("relay", name_of(s)),
              LOG_TEXT("error", err_name(err)),
              LOG_TEXT("todo", "see to the disk of the relay's state folder; it is tried again by itself"));
    spool_events_add(s->events, "spool-stuck", id,
                     json_pack("{s:s, s:s}", "relay", name_of(s), "error", err_name(err)));
}

/* ---- handing over ---- */

static void on_handed(void *arg, const struct spool_parcel *p)
{
    struct spool *s = arg;
    s->messages++;
    s->recipients += (int64_t)p->count;
    s->options.work->spool_waiting -= (int64_t)p->count;
    for (size_t i = 0; i < p->count; i++)
        s->ops->handed(s->arg, p->recipients[i].domain, p->recipients[i].home, p->message.stopped.len > 0);
}

static const struct spool_handover_ops handover_ops = {
    .begun = on_begun, .handed = on_handed, .stuck = on_stuck, .rests = on_rests};

void spool_set_queue(struct spool *s, struct queue *into)
{
    s->into = into;
    if (s->handover)
        spool_handover_set_queue(s->handover, into);
}

void spool_took(struct spool *s, size_t recipients)
{
    s->options.work->spooled++;
    s->options.work->spool_waiting += (int64_t)recipients;
    note_mail(s, loop_wall(s->loop));
    spool_handover_kick(s->handover);
}

/* ---- opening ---- */

static void close_queue(struct spool *s)
{
    spool_handover_free(s->handover);
    s->handover = NULL;
    queue_close(s->queue);
    s->queue = NULL;
}

static void fail(struct spool *s, int err)
{
    if (s->failed != err)
        log_event(LOG_ERROR, "the spool cannot be opened", LOG_TEXT("relay", name_of(s)),
                  LOG_TEXT("error", err_name(err)),
                  LOG_TEXT("detail", store_queue_own_detail(s->options.store)),
                  LOG_TEXT("todo", "mend it; it is tried again by itself"));
    s->failed = err;
    loop_timer_start(s->timer, RETRY_MS);
}

static struct wall_time oldest_of(const struct queue_count *counts, size_t count, struct wall_time now)
{
    for (size_t i = 0; i < count; i++)
        if (counts[i].oldest.ms != 0 && counts[i].oldest.ms < now.ms)
            now = counts[i].oldest;
    return now;
}

/* What an earlier process left. */
static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct spool *s = arg;
    int64_t waiting = 0;
    s->op = NULL;
    if (err) {
        close_queue(s);
        fail(s, err);
        return;
    }
    for (size_t i = 0; i < count; i++)
        waiting += (int64_t)(counts[i].waiting + counts[i].held + counts[i].quarantined);
    s->failed = 0;
    s->options.work->spool_waiting = waiting;
    spool_handover_set_queue(s->handover, s->into);
    if (waiting > 0) {
        note_mail(s, oldest_of(counts, count, loop_wall(s->loop)));
        spool_handover_kick(s->handover);
    }
    s->ops->opened(s->arg, s->queue);
}

static void take(struct spool *s, int64_t expect_epoch);

static void on_own(void *arg, int err, struct queue *q, int64_t current_epoch)
{
    struct spool *s = arg;
    s->op = NULL;
    if (err == ERR_CONFLICT) {
        take(s, current_epoch);
        return;
    }
    if (err) {
        fail(s, err);
        return;
    }
    s->queue = q;
    s->handover = spool_handover_new(s->loop, q, &handover_ops, s);
    s->op = queue_summary(q, on_summary, s);
}

static void take(struct spool *s, int64_t expect_epoch)
{
    s->op = store_queue_own(s->options.store, str_from(name_of(s)), str_from(s->options.relay->node->name),
                            expect_epoch, on_own, s);
}

static void on_timer(void *arg)
{
    take(arg, 0);
}

/* ---- life ---- */

struct spool *spool_new(struct loop *l, const struct spool_options *options, const struct spool_ops *ops,
                        void *arg)
{
    struct spool *s = mem_zalloc(sizeof(*s));
    s->loop = l;
    s->options = *options;
    s->ops = ops;
    s->arg = arg;
    s->events = spool_events_new(l, options->network);
    s->timer = loop_timer_new(l, on_timer, s);
    take(s, 0);
    return s;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    if (s->op)
        store_op_forget(s->op);
    if (s->queue) {
        s->ops->opened(s->arg, NULL);
        close_queue(s);
    }
    loop_timer_free(s->timer);
    spool_events_free(s->events);
    free(s);
}
