#include "director/returned.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "director/batch.h"
#include "director/orders.h"
#include "director/plan.h"

#define QUESTION_MAX_BYTES (64 * 1024) /* names and addresses */
#define STATUS_TIMEOUT_MS  10000

struct returned {
    struct loop *loop;
    struct network *network;
    struct lease *lease;
    const struct config_node *node;
    struct program_options options;
    bool asked;
    struct list questions;
};

/* One server whose instance should run here. */
struct question {
    struct list node;
    struct returned *owner;
    struct arena arena;
    struct order_args args;
    struct program *program;
    struct store_op *op;
};

static void question_free(struct question *q)
{
    list_remove(&q->node);
    if (q->op)
        store_op_forget(q->op);
    program_free(q->program);
    arena_fini(&q->arena);
    free(q);
}

static void on_written(void *arg, int err, size_t failed)
{
    struct question *q = arg;
    (void)failed;
    q->op = NULL;
    if (err && err != ERR_CONFLICT) /* conflict: it was ordered before */
        log_event(LOG_WARNING, "the order to start again was not taken", LOG_STR("server", q->args.server),
                  LOG_TEXT("error", err_name(err)));
    question_free(q);
}

static void order_restart(struct question *q)
{
    struct returned *r = q->owner;
    struct batch batch;
    struct record_order order = {
        .target = STR(ORDER_TARGET_DIRECTOR),
        .verb = STR(WANTED_RESTART),
        .subject = q->args.server,
        .args = order_args_encode(&q->arena, &q->args),
        .who = str_from(r->node->name),
        .why = STR("its node came back without it"),
        .state = STR("new"),
        .result = STR_EMPTY,
        .created_at_ms = loop_wall(r->loop).ms,
    };
    batch_init(&batch, &q->arena);
    batch_put(&batch, "order", order_key(&q->arena, q->args.server, q->args.epoch, WANTED_RESTART, 0),
              record_order_encode(&order), NETWORK_ABSENT);
    q->op = network_write(r->network, batch.changes, batch.count, lease_guard(r->lease), on_written, q);
    batch_fini(&batch);
}

static void on_status(void *arg, const struct order_result *result)
{
    struct question *q = arg;
    bool off = result->exit_status == 0 && result->off;
    if (off)
        log_event(LOG_INFO, "an instance of this node is off", LOG_STR("server", q->args.server),
                  LOG_I64("epoch", q->args.epoch));
    if (off && lease_is_held(q->owner->lease))
        order_restart(q);
    else
        question_free(q);
}

static void ask(struct returned *r, const struct config_server *s, const struct record_instance *i)
{
    struct question *q = mem_zalloc(sizeof(*q));
    q->owner = r;
    list_append(&r->questions, &q->node);
    arena_init(&q->arena, QUESTION_MAX_BYTES);
    q->args = (struct order_args){
        .server = str_from(s->name),
        .program = arena_str(&q->arena, plan_provisioner_of(s, i)),
        .node = str_from(r->node->name),
        .site = str_from(r->node->site->name),
        .address = arena_str(&q->arena, i->address),
        .epoch = i->epoch,
        .timeout_ms = STATUS_TIMEOUT_MS,
    };
    q->program = program_run(r->loop, &r->options, PROGRAM_STATUS, &q->args, on_status, q);
}

void returned_on_view(struct returned *r, const struct view *v)
{
    if (r->asked || !lease_is_held(r->lease))
        return;
    r->asked = true;
    for (size_t i = 0; i < r->options.config->server_count; i++) {
        const struct config_server *s = &r->options.config->servers[i];
        const struct view_server *record = view_server_find(v, str_from(s->name));
        if (record && s->kind == SERVER_BUILTIN && str_eq(record->record.state, STR("running")) &&
            str_eq(record->record.instance.node, str_from(r->node->name)))
            ask(r, s, &record->record.instance);
    }
}

struct returned *returned_new(struct loop *l, struct network *n, struct lease *lease,
                              const struct config_node *node, const struct program_options *options)
{
    struct returned *r = mem_zalloc(sizeof(*r));
    *r = (struct returned){.loop = l, .network = n, .lease = lease, .node = node, .options = *options};
    list_init(&r->questions);
    return r;
}

void returned_free(struct returned *r)
{
    if (!r)
        return;
    LIST_FOREACH (it, &r->questions)
        question_free(LIST_ENTRY(it, struct question, node));
    free(r);
}
