#include "relay/spool_handover.h"

#include "base/mem.h"
#include "store/queue_past.h"

#define CHECK_MS     250    /* how soon it is seen that the shared queue takes mail again */
#define PAUSE_MIN_MS 500    /* after a pass that it ended */
#define PAUSE_MAX_MS 30000  /* as a server that is down is left alone */
#define REST_MS      300000 /* before what is stuck is tried again: a disk that was mended, say */
#define AT_ONCE      16     /* enough for a commit to be of several; few beside a relay's sessions */
#define PAGE_ROWS    100

struct spool_handover {
    struct loop *loop;
    struct queue *from, *into;
    const struct spool_handover_ops *ops;
    void *arg;
    struct loop_timer *timer;
    struct store_op *op; /* a page is read, or the spool is tidied */
    bool wanted;         /* something came since the pass began */
    bool passing;
    bool resting; /* the timer runs for what is stuck */
    int64_t pause_ms;
    /* of the pass: */
    bool later;                /* a queue takes nothing: it ends */
    bool more;                 /* rows after after_id */
    int64_t after_id;          /* of the spool's deliveries */
    struct spool_parcel *open; /* the last row's message: the next page may have more recipients of it */
    struct list ready, under_way;
    size_t under_way_count, left;
    int64_t stuck_up_to, stuck_before; /* the last message that was stuck, now and in the pass before */
    int64_t tidied_up_to;              /* message of the spool */
};

static void step(struct spool_handover *h);
static void tidy(struct spool_handover *h);

static void free_all(struct list *parcels)
{
    LIST_FOREACH (it, parcels)
        spool_parcel_free(LIST_ENTRY(it, struct spool_parcel, node));
}

/* Those that were not begun. */
static void drop_ready(struct spool_handover *h)
{
    free_all(&h->ready);
    if (h->open)
        spool_parcel_free(h->open);
    h->open = NULL;
}

/* ---- the ends of a pass ---- */

static void begin_next(struct spool_handover *h)
{
    h->passing = false;
    h->resting = !h->wanted && h->left > 0;
    if (h->wanted || h->left > 0)
        loop_timer_start(h->timer, h->wanted ? 0 : REST_MS);
}

static void end_early(struct spool_handover *h)
{
    int64_t longer_ms = h->pause_ms * 2;
    drop_ready(h);
    h->passing = false;
    h->wanted = true;
    h->pause_ms = longer_ms < PAUSE_MIN_MS   ? PAUSE_MIN_MS
                  : longer_ms < PAUSE_MAX_MS ? longer_ms
                                             : PAUSE_MAX_MS;
    loop_timer_start(h->timer, h->pause_ms);
}

static void end_whole(struct spool_handover *h)
{
    h->stuck_before = h->stuck_up_to;
    if (!h->wanted)
        h->ops->rests(h->arg, h->left);
    h->tidied_up_to = 0;
    tidy(h);
}

/* ---- tidying: what was handed over is known to the shared queue from now on ---- */

static void on_notices_dropped(void *arg, int err)
{
    struct spool_handover *h = arg;
    (void)err; /* the next pass comes by again */
    h->op = NULL;
    begin_next(h);
}

static void on_forgotten(void *arg, int err, const struct queue_forgotten *done)
{
    struct spool_handover *h = arg;
    h->op = NULL;
    if (err == 0 && done->more) {
        h->tidied_up_to = done->last_message_id;
        tidy(h);
        return;
    }
    /* Accepting what is stopped makes a notice: there, too, which tells it. */
    h->op = queue_notices_drop(h->from, INT64_MAX, on_notices_dropped, h);
}

static void tidy(struct spool_handover *h)
{
    struct wall_time now = {loop_wall(h->loop).ms + 1};
    h->op = queue_forget(h->from, now, h->tidied_up_to, on_forgotten, h);
}

/* ---- messages ---- */

static void on_end(void *arg, struct spool_parcel *p, enum spool_parcel_end end, int err)
{
    struct spool_handover *h = arg;
    h->under_way_count--;
    if (end == SPOOL_PARCEL_HANDED) {
        h->pause_ms = 0;
        h->ops->handed(h->arg, p);
    } else if (end == SPOOL_PARCEL_STUCK) {
        h->left++;
        h->stuck_up_to = p->message_id > h->stuck_up_to ? p->message_id : h->stuck_up_to;
        h->ops->stuck(h->arg, p, err, p->message_id <= h->stuck_before);
    } else {
        h->later = true;
    }
    spool_parcel_free(p);
    step(h);
}

static void start_first(struct spool_handover *h)
{
    struct spool_parcel *p = LIST_ENTRY(h->ready.next, struct spool_parcel, node);
    if (spool_parcel_start(p, h->from, h->into, on_end, h) != 0) {
        h->later = true;
        return;
    }
    list_remove(&p->node);
    list_append(&h->under_way, &p->node);
    h->under_way_count++;
}

/* ---- reading what there is ---- */

static void close_open(struct spool_handover *h)
{
    if (h->open)
        list_append(&h->ready, &h->open->node);
    h->open = NULL;
}

static void take_row(struct spool_handover *h, const struct queue_delivery *row)
{
    if (h->open && h->open->message_id != row->message_id)
        close_open(h);
    if (!h->open)
        h->open = spool_parcel_new(h->loop, row);
    spool_parcel_add(h->open, row);
    h->after_id = row->id;
}

static void on_page(void *arg, int err, const struct queue_rows *rows)
{
    struct spool_handover *h = arg;
    h->op = NULL;
    h->later |= err != 0;
    for (size_t i = 0; !err && i < rows->count; i++)
        take_row(h, &rows->items[i]);
    h->more = !err && rows->more;
    if (!h->more)
        close_open(h);
    step(h);
}

static void read_page(struct spool_handover *h)
{
    struct queue_filter all = {.after_id = h->after_id, .limit = PAGE_ROWS};
    h->op = queue_list(h->from, &all, on_page, h);
}

/* ---- a pass ---- */

static void step(struct spool_handover *h)
{
    while (!h->later && h->under_way_count < AT_ONCE && !list_empty(&h->ready))
        start_first(h);
    if (!h->later && list_empty(&h->ready) && h->more && !h->op)
        read_page(h);
    if (h->under_way_count > 0 || h->op)
        return;
    if (h->later)
        end_early(h);
    else
        end_whole(h);
}

static void begin(struct spool_handover *h)
{
    h->passing = true;
    h->wanted = h->resting = h->later = false;
    h->after_id = 0;
    h->left = 0;
    h->stuck_up_to = 0;
    h->ops->begun(h->arg);
    read_page(h);
}

static void on_timer(void *arg)
{
    struct spool_handover *h = arg;
    if (queue_takes_held(h->into))
        begin(h);
    else
        loop_timer_start(h->timer, CHECK_MS);
}

void spool_handover_kick(struct spool_handover *h)
{
    h->wanted = true;
    if (h->into && !h->passing && (h->resting || !loop_timer_active(h->timer)))
        loop_timer_start(h->timer, 0);
    h->resting = false;
}

/* ---- life ---- */

/* What is under way ends somewhere in the middle: the next pass sees where. */
static void cut(struct spool_handover *h)
{
    h->wanted |= h->passing || h->resting;
    h->passing = h->resting = false;
    if (h->op)
        store_op_forget(h->op);
    h->op = NULL;
    free_all(&h->under_way);
    h->under_way_count = 0;
    drop_ready(h);
    loop_timer_stop(h->timer);
}

void spool_handover_set_queue(struct spool_handover *h, struct queue *into)
{
    if (h->into == into)
        return;
    cut(h);
    h->into = into;
    if (into && h->wanted)
        spool_handover_kick(h);
}

struct spool_handover *spool_handover_new(struct loop *l, struct queue *from,
                                          const struct spool_handover_ops *ops, void *arg)
{
    struct spool_handover *h = mem_zalloc(sizeof(*h));
    h->loop = l;
    h->from = from;
    h->ops = ops;
    h->arg = arg;
    list_init(&h->ready);
    list_init(&h->under_way);
    h->timer = loop_timer_new(l, on_timer, h);
    return h;
}

void spool_handover_free(struct spool_handover *h)
{
    cut(h);
    loop_timer_free(h->timer);
    free(h);
}
