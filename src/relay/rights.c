#include "relay/rights.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "relay/target.h"

struct right {
    struct list node;
    struct rights *all;
    struct queue *queue;
    bool own;
    bool granted;       /* all but the clock and the queue's health */
    int64_t generation; /* of the record that it was granted for */
    bool revoked;       /* to be told */
    bool withheld;      /* asked for while the queue took nothing */
};

struct rights {
    struct loop *loop;
    struct network *network;
    char *node;
    struct target *const *targets;
    size_t target_count;
    struct lease *lease; /* NULL: not held */
    struct mono_time held_at;
    struct list items;
    struct loop_timer *timer; /* tells what was revoked */
    struct store_op *op;      /* a queue is being let go of */
};

static void on_timer(void *arg)
{
    struct rights *all = arg;
    LIST_FOREACH (it, &all->items) {
        struct right *r = LIST_ENTRY(it, struct right, node);
        for (size_t i = 0; r->revoked && i < all->target_count; i++)
            target_withdraw_queue(all->targets[i], r->queue);
        r->revoked = false;
    }
}

struct rights *rights_new(struct loop *l, struct network *n, const char *node, struct target *const *targets,
                          size_t target_count)
{
    struct rights *all = mem_zalloc(sizeof(*all));
    *all = (struct rights){
        .loop = l, .network = n, .node = mem_strdup(node), .targets = targets, .target_count = target_count};
    list_init(&all->items);
    all->timer = loop_timer_new(l, on_timer, all);
    return all;
}

void rights_free(struct rights *all)
{
    if (!all)
        return;
    CHECK(list_empty(&all->items));
    if (all->op)
        store_op_forget(all->op);
    loop_timer_free(all->timer);
    free(all->node);
    free(all);
}

/* ---- having it ---- */

static void revoke(struct right *r)
{
    if (!r->granted)
        return;
    r->granted = false;
    r->revoked = true;
    loop_timer_start(r->all->timer, 0); /* it may be asked from inside a session */
}

static void revoke_all(struct rights *all)
{
    LIST_FOREACH (it, &all->items)
        revoke(LIST_ENTRY(it, struct right, node));
}

void rights_on_held(struct rights *all, struct lease *lease)
{
    revoke_all(all);
    all->lease = lease;
    all->held_at = loop_now(all->loop);
}

void rights_on_lost(struct rights *all)
{
    all->lease = NULL;
    revoke_all(all);
}

static bool counts(const struct rights *all, const struct view *v)
{
    return v && all->lease && lease_is_held(all->lease) && !mono_before(v->read_at, all->held_at);
}

/* Whoever had it before and holds no lease when the record is ours cannot have it again: with its next lease
 * it reads that it is not his. */
static bool is_ours(const struct right *r, const struct view *v, const struct view_queue *q)
{
    if (!q)
        return r->own;
    if (!str_eq(q->record.owner, str_from(r->all->node)))
        return false;
    if (r->granted && r->generation == q->record.generation)
        return true;
    return q->record.from.len == 0 || !view_node_relays(v, q->record.from);
}

/* Whether something may be sent now that could not be. */
static bool judge(struct right *r, const struct view *v)
{
    const struct view_queue *q = view_queue_find(v, str_from(queue_name(r->queue)));
    bool anew = r->withheld;
    r->withheld = false;
    if (!is_ours(r, v, q)) {
        revoke(r);
        return false;
    }
    anew |= !r->granted;
    r->granted = true;
    r->generation = q ? q->record.generation : 0;
    return anew;
}

struct right *right_new(struct rights *all, struct queue *q, bool own, const struct view *v)
{
    struct right *r = mem_zalloc(sizeof(*r));
    *r = (struct right){.all = all, .queue = q, .own = own};
    list_append(&all->items, &r->node);
    if (counts(all, v))
        judge(r, v);
    return r;
}

void right_free(struct right *r)
{
    list_remove(&r->node);
    free(r);
}

bool right_is_held(struct right *r)
{
    struct rights *all = r->all;
    if (!r->granted || !all->lease || !lease_is_held(all->lease))
        return false;
    int health = queue_health(r->queue);
    bool takes =
        health == 0 || health == ERR_FULL || health == ERR_DEGRADED; /* outcomes have their place still */
    r->withheld |= !takes;
    return takes;
}

/* ---- letting go ---- */

static bool is_in_hands(const struct rights *all, struct str queue)
{
    LIST_FOREACH (it, &all->items)
        if (str_eq(queue, str_from(queue_name(LIST_ENTRY(it, struct right, node)->queue))))
            return true;
    return false;
}

static void on_let_go(void *arg, int err, size_t failed)
{
    struct rights *all = arg;
    (void)failed;
    all->op = NULL; /* what was not taken is tried again with the next view */
    if (err == ERR_FENCED && all->lease)
        lease_refused(all->lease);
}

static void write_let_go(struct rights *all, const struct view_queue *q)
{
    struct record_queue record = q->record;
    record.from = STR_EMPTY;
    char *json = record_queue_encode(&record);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("queue"),
                                    .key = q->name,
                                    .value = str_from(json),
                                    .expect_version = q->version};
    log_event(LOG_INFO, "queue let go", LOG_STR("queue", q->name), LOG_STR("to", q->record.owner));
    all->op = network_write(all->network, &change, 1, lease_guard(all->lease), on_let_go, all);
    free(json);
}

/* One at a time: the write is seen as a change, and so the next view comes soon. */
static void let_go(struct rights *all, const struct view *v)
{
    for (size_t i = 0; i < v->queue_count && !all->op; i++) {
        const struct view_queue *q = &v->queues[i];
        if (str_eq(q->record.from, str_from(all->node)) && !is_in_hands(all, q->name))
            write_let_go(all, q);
    }
}

bool rights_on_view(struct rights *all, const struct view *v)
{
    bool anew = false;
    if (!counts(all, v))
        return false;
    LIST_FOREACH (it, &all->items)
        anew |= judge(LIST_ENTRY(it, struct right, node), v);
    let_go(all, v);
    for (size_t i = 0; anew && i < all->target_count; i++)
        target_kick(all->targets[i]);
    return anew;
}
