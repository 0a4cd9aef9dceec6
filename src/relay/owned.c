#include "relay/owned.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define CHECK_MS 250 /* how soon a fenced queue is noticed, and an opening that failed is tried again */

struct slot {
    struct owned *all;
    char *name;   /* the queue's: its relay's */
    bool removed; /* the configuration has no such relay any more */
    bool own, wanted;
    struct queue *queue;
    struct store_op *op;
    int failed; /* why it is not open, as was logged and told; 0: it is, or nothing was tried */
    char detail[sizeof(((struct err_buf *)0)->text)];
};

struct owned {
    struct loop *loop;
    struct store *store;
    const struct config_relay *relay;
    const struct owned_ops *ops;
    void *arg;
    struct slot **slots; /* one for each relay of the network, then for queues of removed ones */
    size_t slot_count;
    struct loop_timer *timer;
    bool viewed; /* the store has answered at least once */
};

static void take(struct slot *s, int64_t expect_epoch);

/* Tried again every CHECK_MS: said once, and again when the reason changes. */
static void note_failure(struct slot *s, int err)
{
    const char *detail = err ? store_queue_own_detail(s->all->store) : "";
    if (s->failed == err && strcmp(s->detail, detail) == 0)
        return;
    s->failed = err;
    snprintf(s->detail, sizeof(s->detail), "%s", detail);
    if (err)
        log_event(LOG_ERROR, "queue not opened", LOG_TEXT("queue", s->name), LOG_TEXT("error", err_name(err)),
                  LOG_TEXT("detail", detail),
                  LOG_TEXT("todo", "mend it; it is tried again by itself, and senders go to other relays"));
    if (s->own)
        s->all->ops->refused(s->all->arg, err);
}

static void log_gained(const struct slot *s)
{
    log_event(LOG_INFO, s->own ? "queue opened" : "queue adopted", LOG_TEXT("queue", s->name),
              LOG_I64("epoch", queue_epoch(s->queue)));
    if (s->removed)
        log_event(LOG_WARNING, "queue of a removed relay", LOG_TEXT("queue", s->name),
                  LOG_TEXT("todo", "nothing: what waits in it is delivered from here"));
}

static void on_own(void *arg, int err, struct queue *q, int64_t current_epoch)
{
    struct slot *s = arg;
    s->op = NULL;
    if (!s->wanted) {
        if (err == 0)
            queue_close(q);
        return;
    }
    if (err == ERR_CONFLICT) {
        take(s, current_epoch);
        return;
    }
    if (err) {
        note_failure(s, err);
        return; /* the timer tries again */
    }
    s->queue = q;
    note_failure(s, 0);
    log_gained(s);
    s->all->ops->gained(s->all->arg, q, s->own);
}

static void take(struct slot *s, int64_t expect_epoch)
{
    s->op = store_queue_own(s->all->store, str_from(s->name), str_from(s->all->relay->node->name),
                            expect_epoch, on_own, s);
}

static void give_up(struct slot *s)
{
    struct queue *q = s->queue;
    log_event(LOG_INFO, "queue given up", LOG_TEXT("queue", s->name), LOG_I64("epoch", queue_epoch(q)));
    s->all->ops->losing(s->all->arg, q, s->own);
    s->queue = NULL;
    queue_close(q);
}

static void update(struct slot *s)
{
    if (!s->wanted)
        note_failure(s, 0);
    if (s->queue && (!s->wanted || queue_health(s->queue) == ERR_FENCED))
        give_up(s);
    if (s->wanted && !s->queue && !s->op)
        take(s, 0);
}

static struct slot *find(const struct owned *o, struct str name)
{
    for (size_t i = 0; i < o->slot_count; i++)
        if (str_eq(str_from(o->slots[i]->name), name))
            return o->slots[i];
    return NULL;
}

/* Until the first view nobody knows whose the own queue is; that the store was away meanwhile stays told
 * until then. The store's own lines say why it is. */
static void tell_away(struct owned *o)
{
    struct slot *own = find(o, str_from(o->relay->name));
    if (own->failed)
        return;
    own->failed = ERR_UNAVAILABLE;
    o->ops->refused(o->arg, own->failed);
}

static void on_timer(void *arg)
{
    struct owned *o = arg;
    if (!o->viewed && store_is_away(o->store))
        tell_away(o);
    for (size_t i = 0; o->viewed && i < o->slot_count; i++)
        update(o->slots[i]);
    loop_timer_start(o->timer, CHECK_MS);
}

static void add_slot(struct owned *o, struct str name, bool own, bool removed)
{
    struct slot *s = mem_zalloc(sizeof(*s));
    *s = (struct slot){.all = o, .name = str_dup(name), .own = own, .removed = removed};
    o->slots = mem_grow(o->slots, o->slot_count, sizeof(struct slot *));
    o->slots[o->slot_count++] = s;
}

struct owned *owned_new(struct loop *l, struct store *store, const struct config *config,
                        const struct config_relay *relay, const struct owned_ops *ops, void *arg)
{
    struct owned *o = mem_zalloc(sizeof(*o));
    o->loop = l;
    o->store = store;
    o->relay = relay;
    o->ops = ops;
    o->arg = arg;
    for (size_t i = 0; i < config->relay_count; i++)
        add_slot(o, str_from(config->relays[i].name), &config->relays[i] == relay, false);
    o->timer = loop_timer_new(l, on_timer, o);
    loop_timer_start(o->timer, 0);
    return o;
}

void owned_free(struct owned *o)
{
    for (size_t i = 0; i < o->slot_count; i++) {
        struct slot *s = o->slots[i];
        s->wanted = false;
        if (s->op)
            store_op_forget(s->op);
        if (s->queue)
            give_up(s);
        free(s->name);
        free(s);
    }
    loop_timer_free(o->timer);
    free(o->slots);
    free(o);
}

/* A queue that no director has spoken of belongs to its relay. */
void owned_on_view(struct owned *o, const struct view *v)
{
    struct str node = str_from(o->relay->node->name);
    o->viewed = true;
    view_tell_lost_sites(v, o->store); /* where no copies of the queues are waited for */
    for (size_t i = 0; i < v->queue_count; i++)
        if (!find(o, v->queues[i].name))
            add_slot(o, v->queues[i].name, false, true);
    for (size_t i = 0; i < o->slot_count; i++) {
        struct slot *s = o->slots[i];
        const struct view_queue *record = view_queue_find(v, str_from(s->name));
        s->wanted = record ? str_eq(record->record.owner, node) : s->own;
        update(s);
    }
}

struct queue *owned_queue(const struct owned *o, struct str name)
{
    const struct slot *s = find(o, name);
    return s ? s->queue : NULL;
}
