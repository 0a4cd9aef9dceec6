#include "director/agent.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "director/batch.h"
#include "director/orders.h"
#include "director/site_fence.h"

#define TASK_MAX_BYTES (256 * 1024) /* an order, its arguments, its result */
#define HELD_UP_MS     5000         /* what was judged so long ago may not be so any more */
#define WRITE_AGAIN_MS 200          /* the store failed, or our lease is not held: the result waits */

struct agent {
    struct loop *loop;
    struct network *network;
    struct lease *lease;
    struct program_options options;
    struct str node;
    struct str target; /* in arena */
    struct arena arena;
    struct list tasks;
};

/* One order. */
struct task {
    struct list node;
    struct agent *agent;
    struct arena arena;
    struct str key;
    struct record_order order;
    struct order_args args;
    int64_t version;
    struct mono_time judged_at;
    bool reporting;
    bool finished; /* kept until the view shows it, so that an older one does not start it again */
    struct program *program;
    struct store_op *op;
    struct loop_timer *timer;
};

static void task_free(struct task *t)
{
    list_remove(&t->node);
    if (t->op)
        store_op_forget(t->op);
    program_free(t->program);
    loop_timer_free(t->timer);
    arena_fini(&t->arena);
    free(t);
}

static void on_program_end(void *arg, const struct order_result *result);

/* What turns off a whole site is done at once or not at all. */
static bool is_hasty(const struct task *t)
{
    return str_eq(t->order.verb, STR(ORDER_FENCE_SITE));
}

/* The next view judges it anew. */
static bool ends_untaken(const struct task *t)
{
    return is_hasty(t) && !t->reporting;
}

static bool was_held_up(const struct task *t)
{
    return !lease_is_held(t->agent->lease) ||
           mono_diff_ms(loop_now(t->agent->loop), t->judged_at) > HELD_UP_MS;
}

static void task_report(struct task *t, const struct order_result *result);

static void task_run(struct task *t)
{
    const struct order_result late = {.exit_status = -1,
                                      .text = STR("held up after it was judged: not carried out")};
    if (is_hasty(t) && was_held_up(t)) {
        task_report(t, &late);
        return;
    }
    char *verb = str_dup(t->order.verb);
    t->program = program_run(t->agent->loop, &t->agent->options, verb, &t->args, on_program_end, t);
    free(verb);
}

static void on_written(void *arg, int err, size_t failed)
{
    struct task *t = arg;
    (void)failed;
    t->op = NULL;
    if (err == 0 && !t->reporting) {
        t->version++;
        task_run(t);
    } else if (err == 0) {
        t->version++;
        t->finished = true;
    } else if (err == ERR_CONFLICT || ends_untaken(t)) {
        task_free(t); /* somebody else has changed or removed the order, or it waits for the next view */
    } else {
        if (err == ERR_FENCED)
            lease_refused(t->agent->lease);
        loop_timer_start(t->timer, WRITE_AGAIN_MS);
    }
}

static void task_write(void *arg)
{
    struct task *t = arg;
    struct batch batch;
    struct arena arena;
    if (!lease_is_held(t->agent->lease)) {
        if (ends_untaken(t))
            task_free(t);
        else
            loop_timer_start(t->timer, WRITE_AGAIN_MS);
        return;
    }
    arena_init(&arena, TASK_MAX_BYTES);
    batch_init(&batch, &arena);
    batch_put(&batch, "order", t->key, record_order_encode(&t->order), t->version);
    t->op = network_write(t->agent->network, batch.changes, batch.count, lease_guard(t->agent->lease),
                          on_written, t);
    batch_fini(&batch);
    arena_fini(&arena);
}

static void task_report(struct task *t, const struct order_result *result)
{
    t->reporting = true;
    t->order.state = result->exit_status == 0 ? STR("done") : STR("failed");
    t->order.result = order_result_encode(&t->arena, result);
    log_event(LOG_INFO, "order ended", LOG_STR("order", t->key), LOG_STR("state", t->order.state));
    task_write(t);
}

static void on_program_end(void *arg, const struct order_result *result)
{
    struct task *t = arg;
    task_report(t, result);
    program_free(t->program);
    t->program = NULL;
}

static bool known_verb(struct str verb)
{
    return str_eq(verb, STR(ORDER_CREATE)) || str_eq(verb, STR(ORDER_DESTROY)) ||
           str_eq(verb, STR(ORDER_FENCE)) || str_eq(verb, STR(ORDER_FENCE_SITE));
}

/* Who ordered it still waits for it. */
static bool is_wanted(const struct task *t, const struct view_order *o, const struct view *v)
{
    const struct view_server *s = view_server_find(v, t->args.server);
    if (is_hasty(t))
        return site_fence_is_wanted(t->agent->options.config, v, o, &t->args);
    return !str_eq(t->order.verb, STR(ORDER_CREATE)) ||
           (s && str_eq(s->record.state, STR("creating")) && s->record.candidate.epoch == t->args.epoch &&
            str_eq(s->record.candidate.node, t->agent->node));
}

static void task_start(struct agent *a, const struct view_order *o, const struct view *v)
{
    struct task *t = mem_zalloc(sizeof(*t));
    struct order_result refusal = {.exit_status = -1};
    list_append(&a->tasks, &t->node);
    t->agent = a;
    arena_init(&t->arena, TASK_MAX_BYTES);
    t->timer = loop_timer_new(a->loop, task_write, t);
    t->key = arena_str(&t->arena, o->key);
    t->version = o->version;
    t->judged_at = loop_now(a->loop);
    char *json = record_order_encode(&o->record);
    int rc = record_order_decode(&t->arena, str_from(json), &t->order);
    free(json);
    if (rc < 0 || order_args_decode(&t->arena, t->order.args, &t->args) < 0 || !known_verb(t->order.verb))
        refusal.text = STR("not understood");
    else if (!is_wanted(t, o, v))
        refusal.text = STR("left behind by what it was for");
    if (refusal.text.len > 0) {
        task_report(t, &refusal);
    } else if (order_is(&t->order, "taken")) { /* by a process of this node that died since */
        task_run(t);
    } else {
        t->order.state = STR("taken");
        task_write(t);
    }
}

/* One order of a server, or site, at a time: what destroys waits for what creates. */
static bool is_busy(struct agent *a, const struct view_order *o)
{
    LIST_FOREACH (it, &a->tasks) {
        const struct task *t = LIST_ENTRY(it, struct task, node);
        if (str_eq(t->key, o->key) || str_eq(t->order.subject, o->record.subject))
            return true;
    }
    return false;
}

static void forget_finished(struct agent *a, const struct view *v)
{
    LIST_FOREACH (it, &a->tasks) {
        struct task *t = LIST_ENTRY(it, struct task, node);
        const struct view_order *o = view_order_find(v, t->key);
        if (t->finished && (!o || o->version >= t->version))
            task_free(t);
    }
}

void agent_on_view(struct agent *a, const struct view *v)
{
    forget_finished(a, v);
    for (size_t i = 0; i < v->order_count; i++) {
        const struct view_order *o = &v->orders[i];
        if (str_eq(o->record.target, a->target) && record_order_is_open(&o->record) && !is_busy(a, o))
            task_start(a, o, v);
    }
}

struct agent *agent_new(struct loop *l, struct network *n, struct lease *lease, const char *node,
                        const struct program_options *options)
{
    struct agent *a = mem_zalloc(sizeof(*a));
    *a = (struct agent){.loop = l, .network = n, .lease = lease, .options = *options, .node = str_from(node)};
    arena_init(&a->arena, TASK_MAX_BYTES);
    a->target = order_target(&a->arena, a->node);
    list_init(&a->tasks);
    return a;
}

void agent_free(struct agent *a)
{
    if (!a)
        return;
    LIST_FOREACH (it, &a->tasks)
        task_free(LIST_ENTRY(it, struct task, node));
    arena_fini(&a->arena);
    free(a);
}
