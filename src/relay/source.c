#include "relay/source.h"

#include <string.h>

#include "base/mem.h"
#include "relay/selected.h"

#define PAGE_ROWS      256
#define BEHIND_MAX     PAGE_ROWS /* as many as that are no few messages' fault: what follows them waits */
#define RETRY_READ_MS  500       /* after a failed reading */
#define NEXT_AT_MAX_MS 3600000   /* look again at least hourly: clocks are set back */
#define ANY_TIME       ((struct wall_time){INT64_MAX})

struct lane {
    struct list pool;   /* of struct transaction */
    struct list behind; /* of those that go behind the next page, too, if there is one */
    size_t ready;       /* so many are in the pool ... */
    size_t put_behind;  /* ... and behind */
    int64_t after_id;   /* the page's cursor */
    struct wall_time read_at;
    struct store_op *op, *next_op;
    bool began;     /* all that waited was read once, due or not: see source.h */
    bool wake;      /* it is to be read so again, from the start */
    bool exhausted; /* nothing due above the cursor when last read */
    bool rewind;    /* read from the start again */
    bool kicked;    /* mail may have come since the reading began */
};

struct source {
    struct loop *loop;
    struct queue *queue;
    struct right *right;
    char *domain, *home;
    void (*on_ready)(void *arg);
    void *arg;
    struct lane lanes[SOURCE_LANE_COUNT];
    struct claims *claims; /* what is in the pools or handed out, here or in another source */
    struct list out;       /* transactions handed out */
    uint64_t resets;
    struct loop_timer *timer; /* the earliest next_at, or a failed reading */
    int64_t timer_at_ms;      /* wall; INT64_MAX: not set */
};

static void fetch(struct source *s, enum source_lane lane);

static void transaction_free(struct transaction *t, bool settled)
{
    list_remove(&t->node);
    for (size_t i = 0; i < t->recipient_count; i++) {
        claims_release(t->source->claims, t->recipients[i].delivery_id, settled);
        free(t->recipients[i].address);
        free(t->recipients[i].orcpt);
        free(t->recipients[i].last_reply);
    }
    free(t->reverse_path);
    free(t->helo);
    free(t->client);
    free(t->header_id);
    free(t->domain);
    free(t->envid);
    free(t);
}

static void set_timer(struct source *s, struct wall_time at)
{
    if (at.ms >= s->timer_at_ms)
        return;
    int64_t delay = at.ms - loop_wall(s->loop).ms;
    if (delay > NEXT_AT_MAX_MS)
        delay = NEXT_AT_MAX_MS;
    s->timer_at_ms = at.ms;
    loop_timer_start(s->timer, delay > 0 ? delay : 0);
}

static void kick_lane(struct source *s, enum source_lane lane)
{
    s->lanes[lane].kicked = true;
    s->lanes[lane].exhausted = false;
    fetch(s, lane);
}

static void rewind_lanes(struct source *s)
{
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++) {
        s->lanes[lane].rewind = true;
        kick_lane(s, (enum source_lane)lane);
    }
}

void source_wake(struct source *s)
{
    s->lanes[SOURCE_NORMAL].wake = true;
    kick_lane(s, SOURCE_NORMAL);
}

static void on_timer(void *arg)
{
    struct source *s = arg;
    s->timer_at_ms = INT64_MAX;
    rewind_lanes(s);
}

static struct queue_due_filter make_filter(const struct source *s, enum source_lane lane)
{
    return (struct queue_due_filter){
        .domain = str_from(s->domain),
        .home = str_from(s->home),
        .after_id = s->lanes[lane].after_id,
        .now = s->lanes[lane].read_at,
        .lossy = lane == SOURCE_LOSSY,
        .limit = PAGE_ROWS,
    };
}

static void read_again_soon(struct source *s)
{
    set_timer(s, (struct wall_time){loop_wall(s->loop).ms + RETRY_READ_MS});
}

static void on_next_at(struct source *s, enum source_lane lane, int err, struct wall_time next_at)
{
    s->lanes[lane].next_op = NULL;
    if (err == 0)
        set_timer(s, next_at);
    else if (err != ERR_NOT_FOUND)
        read_again_soon(s);
}

static void on_normal_next_at(void *arg, int err, struct wall_time next_at)
{
    on_next_at(arg, SOURCE_NORMAL, err, next_at);
}

static void on_lossy_next_at(void *arg, int err, struct wall_time next_at)
{
    on_next_at(arg, SOURCE_LOSSY, err, next_at);
}

/* What was not due yet at the reading, though it may be now. */
static void ask_next_at(struct source *s, enum source_lane lane)
{
    struct lane *l = &s->lanes[lane];
    if (l->next_op)
        return;
    struct queue_due_filter filter = make_filter(s, lane);
    filter.after_id = 0;
    l->next_op =
        queue_next_at(s->queue, &filter, lane == SOURCE_LOSSY ? on_lossy_next_at : on_normal_next_at, s);
}

static struct transaction *transaction_new(struct source *s, enum source_lane lane,
                                           const struct queue_delivery *row)
{
    struct transaction *t = mem_zalloc(sizeof(*t));
    list_init(&t->node);
    t->source = s;
    t->reset = s->resets;
    t->lane = lane;
    t->message_id = row->message_id;
    t->custody_id = row->custody_id;
    t->reverse_path = str_dup(row->reverse_path);
    t->helo = str_dup(row->helo);
    t->client = str_dup(row->client);
    t->header_id = str_dup(row->header_id);
    t->domain = str_dup(row->domain);
    t->received_at = row->received_at;
    t->size_bytes = row->size_bytes;
    t->eight_bit = row->eight_bit;
    t->smtputf8 = row->smtputf8;
    t->authenticated = row->authenticated;
    t->ret = row->envelope.ret;
    t->envid = str_dup(row->envelope.envid);
    return t;
}

static bool takes_row(const struct source *s, const struct transaction *t, const struct queue_delivery *row)
{
    bool elsewhere =
        str_eq(str_from(s->home), STR(QUEUE_HOME_OUTSIDE)) && !str_eq(str_from(t->domain), row->domain);
    return t->message_id == row->message_id && t->recipient_count < TRANSACTION_RECIPIENTS_MAX && !elsewhere;
}

static void add_row(struct source *s, enum source_lane lane, const struct queue_delivery *row)
{
    struct lane *l = &s->lanes[lane];
    l->after_id = row->id;
    if (!claims_take(s->claims, row->id, s, s->resets))
        return;
    struct transaction *last =
        list_empty(&l->pool) ? NULL : LIST_ENTRY(l->pool.prev, struct transaction, node);
    if (!last || !takes_row(s, last, row)) {
        last = transaction_new(s, lane, row);
        list_append(&l->pool, &last->node);
        l->ready++;
    }
    last->recipients[last->recipient_count++] =
        (struct transaction_recipient){.delivery_id = row->id,
                                       .address = str_dup(row->recipient),
                                       .attempts = row->attempts,
                                       .losses = row->losses,
                                       .notify = row->request.notify,
                                       .orcpt = str_dup(row->request.orcpt),
                                       .last_reply = str_dup(row->last_reply)};
}

static void take_up_behind(struct lane *l)
{
    list_splice(&l->pool, &l->behind);
    l->ready += l->put_behind;
    l->put_behind = 0;
}

static void note_page(struct source *s, enum source_lane lane, const struct queue_rows *rows)
{
    struct lane *l = &s->lanes[lane];
    for (size_t i = 0; i < rows->count; i++)
        add_row(s, lane, &rows->items[i]);
    l->began |= !rows->more; /* what came since is above */
    l->exhausted = !rows->more && !l->kicked;
    l->kicked = false;
    if (l->exhausted) {
        l->exhausted = !l->rewind;
        ask_next_at(s, lane);
    }
}

static void on_page(struct source *s, enum source_lane lane, int err, const struct queue_rows *rows)
{
    struct lane *l = &s->lanes[lane];
    l->op = NULL;
    if (err) {
        read_again_soon(s);
        l->exhausted = true;
    } else {
        note_page(s, lane, rows);
    }
    claims_reading_end(s->claims);
    take_up_behind(l);
    if (!list_empty(&l->pool))
        s->on_ready(s->arg);
    else if (!l->exhausted)
        fetch(s, lane);
}

static void on_normal_page(void *arg, int err, const struct queue_rows *rows)
{
    on_page(arg, SOURCE_NORMAL, err, rows);
}

static void on_lossy_page(void *arg, int err, const struct queue_rows *rows)
{
    on_page(arg, SOURCE_LOSSY, err, rows);
}

/* What is due again meanwhile waits until all was read once, due or not: else those that are put off over and
 * over would keep the reading at its start. */
static void begin_page(struct lane *l)
{
    if (l->wake || (l->rewind && l->began)) {
        l->after_id = 0;
        l->rewind = false;
    }
    l->began &= !l->wake;
    l->wake = l->kicked = false;
}

static void fetch(struct source *s, enum source_lane lane)
{
    struct lane *l = &s->lanes[lane];
    if (l->op || !list_empty(&l->pool))
        return;
    begin_page(l);
    l->read_at = l->began ? loop_wall(s->loop) : ANY_TIME;
    struct queue_due_filter filter = make_filter(s, lane);
    claims_reading_begin(s->claims);
    l->op = queue_due(s->queue, &filter, lane == SOURCE_LOSSY ? on_lossy_page : on_normal_page, s);
}

struct source *source_new(struct loop *l, struct queue *q, struct right *right, struct claims *claims,
                          struct str domain, struct str home, void (*on_ready)(void *arg), void *arg)
{
    struct source *s = mem_zalloc(sizeof(*s));
    s->loop = l;
    s->queue = q;
    s->right = right;
    s->domain = str_dup(domain);
    s->home = str_dup(home);
    s->on_ready = on_ready;
    s->arg = arg;
    s->timer = loop_timer_new(l, on_timer, s);
    s->timer_at_ms = INT64_MAX;
    s->claims = claims;
    list_init(&s->out);
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++) {
        list_init(&s->lanes[lane].pool);
        list_init(&s->lanes[lane].behind);
    }
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++)
        fetch(s, (enum source_lane)lane);
    return s;
}

static void free_all(struct list *transactions)
{
    LIST_FOREACH (it, transactions)
        transaction_free(LIST_ENTRY(it, struct transaction, node), false);
}

static void lane_empty(struct source *s, struct lane *l)
{
    if (l->op) {
        store_op_forget(l->op);
        claims_reading_end(s->claims);
    }
    if (l->next_op)
        store_op_forget(l->next_op);
    l->op = l->next_op = NULL;
    free_all(&l->pool);
    free_all(&l->behind);
    l->ready = l->put_behind = 0;
}

void source_free(struct source *s)
{
    CHECK(list_empty(&s->out));
    claims_forget(s->claims, s);
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++)
        lane_empty(s, &s->lanes[lane]);
    loop_timer_free(s->timer);
    free(s->domain);
    free(s->home);
    free(s);
}

struct queue *source_queue(const struct source *s)
{
    return s->queue;
}

struct str source_home(const struct source *s)
{
    return str_from(s->home);
}

bool source_may_send(const struct source *s)
{
    return right_is_held(s->right);
}

/* Nothing is at hand. Where there is more to read it comes before what was put behind. */
static void go_on(struct source *s, enum source_lane lane)
{
    struct lane *l = &s->lanes[lane];
    bool more = !l->exhausted || l->rewind;
    if (more && l->put_behind < BEHIND_MAX)
        fetch(s, lane);
    else if (!l->op)
        take_up_behind(l);
}

/* The last one of a page is sent while the next page is read. */
struct transaction *source_take(struct source *s, enum source_lane lane)
{
    struct lane *l = &s->lanes[lane];
    struct transaction *t = NULL;
    if (!source_may_send(s))
        return NULL;
    if (!list_empty(&l->pool)) {
        t = LIST_ENTRY(l->pool.next, struct transaction, node);
        list_remove(&t->node);
        list_append(&s->out, &t->node);
        l->ready--;
    }
    if (list_empty(&l->pool))
        go_on(s, lane);
    return t;
}

/* What was read before a reset is read anew. */
static bool is_of_before(struct transaction *t)
{
    struct source *s = t->source;
    if (t->reset == s->resets)
        return false;
    transaction_free(t, false);
    source_again(s); /* it may be below the cursor */
    return true;
}

void source_give_back(struct transaction *t)
{
    struct source *s = t->source;
    struct lane *l = &s->lanes[t->lane];
    if (is_of_before(t))
        return;
    list_remove(&t->node);
    list_prepend(&l->pool, &t->node);
    l->ready++;
    s->on_ready(s->arg);
}

void source_give_back_last(struct transaction *t)
{
    struct source *s = t->source;
    enum source_lane lane = t->lane;
    struct lane *l = &s->lanes[lane];
    if (is_of_before(t))
        return;
    list_remove(&t->node);
    list_append(&l->behind, &t->node);
    l->put_behind++;
    if (list_empty(&l->pool))
        go_on(s, lane);
    if (!list_empty(&l->pool))
        s->on_ready(s->arg);
}

void source_done(struct transaction *t, struct wall_time retry_at)
{
    if (retry_at.ms != 0)
        set_timer(t->source, retry_at);
    transaction_free(t, true);
}

void source_kick(struct source *s)
{
    kick_lane(s, SOURCE_NORMAL);
}

void source_reset(struct source *s)
{
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++) {
        s->lanes[lane].wake |= !s->lanes[lane].began;
        lane_empty(s, &s->lanes[lane]);
    }
    s->resets++;
    rewind_lanes(s);
}

static int64_t before_all_of(const struct list *transactions, int64_t after_id)
{
    LIST_FOREACH (it, transactions) {
        const struct transaction *t = LIST_ENTRY(it, struct transaction, node);
        for (size_t i = 0; i < t->recipient_count; i++)
            if (t->recipients[i].delivery_id <= after_id)
                after_id = t->recipients[i].delivery_id - 1;
    }
    return after_id;
}

/* The cursor before the first one that was read and not handed out. */
static int64_t unread(const struct lane *l)
{
    return before_all_of(&l->behind, before_all_of(&l->pool, l->after_id));
}

void source_read_again(struct source *s)
{
    s->resets++;
    for (int lane = 0; lane < SOURCE_LANE_COUNT; lane++) {
        s->lanes[lane].after_id = unread(&s->lanes[lane]);
        lane_empty(s, &s->lanes[lane]);
        kick_lane(s, (enum source_lane)lane);
    }
}

void source_again(struct source *s)
{
    rewind_lanes(s);
}

size_t source_ready(const struct source *s, enum source_lane lane)
{
    size_t count = s->lanes[lane].ready;
    return count > 0 && source_may_send(s) ? count : 0;
}

/* Whether the filter takes what this source gives, whoever the message is from and to. */
static bool place_selected(const struct source *s, const struct queue_filter *f)
{
    if (f->domain_count == 0 && !f->home.ptr)
        return true;
    if (s->home[0])
        return f->home.ptr && str_eq(f->home, str_from(s->home));
    for (size_t i = 0; i < f->domain_count; i++)
        if (str_eq(f->domains[i], str_from(s->domain)))
            return true;
    return false;
}

size_t source_in_flight(const struct source *s, const struct queue_filter *f)
{
    size_t count = 0;
    bool waiting = f->states == 0 || (f->states & (1U << QUEUE_WAITING));
    if (!waiting || !place_selected(s, f))
        return 0;
    LIST_FOREACH (it, &s->out)
        count += selected_recipients(LIST_ENTRY(it, struct transaction, node), f);
    return count;
}
