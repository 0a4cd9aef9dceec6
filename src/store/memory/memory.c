/* The memory engine: ports on a shared device. A port commits in batches, as a
 * disk does: what is called while a commit is under way goes into the next one.
 * A process that is killed before its commit timer fired has written nothing;
 * one that is killed before its reply timer fired never hears of it. */
#include "store/memory.h"

#include "base/mem.h"
#include "store/body_op.h"
#include "store/memory/device.h"
#include "store/queue_op.h"

#define WATCH_DELAY_MS   25  /* as the SQLite engine polls */
#define RECOVER_DELAY_MS 50  /* a failed device is opened again */
#define SETTLE_DELAY_MS  100 /* asking again how an unknown commit ended */
#define MUTANT_DELAY_MS  20  /* between a mutant's answer and its commit */
#define PPM              1000000

struct memory_port {
    struct port port;
    struct list node; /* in its engine_store's ports */
    struct engine_store *es;
    enum part_kind part;
    enum port_mode mode;
    struct memory_queue *queue;
    int64_t epoch;
    struct str server;
    bool fenced;
    int sick; /* ERR_SYNC while recovering */
    bool watching;
    struct list writes, reads, early;
    struct loop_timer *commit, *read, *recover, *notice, *ack;
};

struct engine_store {
    struct list node; /* in the device's stores */
    struct store *store;
    struct loop *loop;
    struct store_memory *device;
    struct list ports;
    bool cut;
};

#define MEMORY_EXEC_ENTRY(name) [OP_##name] = memory_##name,
static int (*const executions[OP_KIND_COUNT])(struct memory_tx *,
                                              struct store_op *) = {OP_KIND_LIST(MEMORY_EXEC_ENTRY)};

/* ---- faults ---- */

static uint64_t draw(const struct store_memory *m, uint64_t n)
{
    return m->draw && n > 0 ? m->draw(m->draw_arg, n) : 0;
}

static bool draw_ppm(const struct store_memory *m, uint32_t ppm)
{
    return ppm > 0 && draw(m, PPM) < ppm;
}

/* Half of a commit's time: before it happens, and before its answer comes. */
static int64_t draw_delay_ms(const struct store_memory *m)
{
    const struct store_memory_faults *f = &m->faults;
    int64_t span_us = f->latency_max_us - f->latency_min_us;
    return (f->latency_min_us + (int64_t)draw(m, (uint64_t)span_us + 1)) / 2000;
}

static int fault_of(const struct memory_port *p, const struct store_op *op)
{
    const struct store_memory_faults *f = &p->es->device->faults;
    if (f->unreachable || p->es->cut)
        return ERR_UNAVAILABLE;
    if (f->full && (op->type->flags & OP_INTAKE))
        return ERR_FULL;
    if (f->degraded && op_takes_custody(op))
        return ERR_DEGRADED;
    return 0;
}

/* ---- executing ---- */

static bool epoch_is_current(const struct memory_port *p)
{
    const struct store_memory_faults *f = &p->es->device->faults;
    if (p->part == PART_QUEUE)
        return f->mutant_no_queue_epoch || (p->epoch > 0 && p->queue->epoch == p->epoch);
    if (f->mutant_no_mail_epoch)
        return true;
    const int64_t *epoch = p->server.ptr ? map_find(&p->es->device->mail.instances, p->server) : NULL;
    return epoch && *epoch == p->epoch;
}

static struct memory_tx tx_of(struct memory_port *p)
{
    struct store_memory *device = p->es->device;
    return (struct memory_tx){.device = device,
                              .queue = p->queue,
                              .bodies = p->queue ? &p->queue->bodies : &device->mail.bodies,
                              .writer = p,
                              .epoch = &p->epoch,
                              .server = &p->server};
}

static int execute(struct memory_port *p, struct store_op *op)
{
    struct memory_tx tx = tx_of(p);
    int err = fault_of(p, op);
    if (err == 0 && (op->type->flags & OP_GUARDED) && (op->type->flags & OP_WRITE) && !epoch_is_current(p)) {
        p->fenced = true;
        err = ERR_FENCED;
    }
    if (err == 0)
        err = executions[op->type->kind](&tx, op);
    if (err != 0 && op->type->kind == OP_body_chunk)
        body_chunk_failed((struct op_body_chunk *)op, err);
    return err;
}

static struct store_op *take_first(struct list *l)
{
    struct store_op *op = LIST_ENTRY(l->next, struct store_op, node);
    list_remove(&op->node);
    return op;
}

static void fail_all(struct memory_port *p, int err)
{
    while (!list_empty(&p->writes)) {
        struct store_op *op = take_first(&p->writes);
        if (op->type->kind == OP_body_chunk)
            body_chunk_failed((struct op_body_chunk *)op, err);
        port_complete(&p->port, op, err);
    }
}

static void notify_network(struct store_memory *m)
{
    LIST_FOREACH (it, &m->stores) {
        struct engine_store *es = LIST_ENTRY(it, struct engine_store, node);
        LIST_FOREACH (pt, &es->ports) {
            struct memory_port *p = LIST_ENTRY(pt, struct memory_port, node);
            if (p->watching && !loop_timer_active(p->notice))
                loop_timer_start(p->notice, WATCH_DELAY_MS);
        }
    }
}

static void fall_sick(struct memory_port *p)
{
    p->sick = ERR_SYNC;
    fail_all(p, ERR_SYNC);
    loop_timer_start(p->recover, RECOVER_DELAY_MS);
    port_drain_soon(&p->port, draw_delay_ms(p->es->device));
}

/* The commit's reply was lost: the question is settled before it is answered. */
static void lose_reply(struct memory_port *p, bool happened)
{
    if (!happened)
        fail_all(p, ERR_UNAVAILABLE);
    port_drain_soon(&p->port, SETTLE_DELAY_MS);
}

static void on_commit(void *arg)
{
    struct memory_port *p = arg;
    struct store_memory *m = p->es->device;
    if (draw_ppm(m, m->faults.sync_fail_ppm)) {
        fall_sick(p);
        return;
    }
    if (draw_ppm(m, m->faults.unknown_ppm))
        lose_reply(p, draw(m, 2) == 0);
    bool changed = false;
    while (!list_empty(&p->writes)) {
        struct store_op *op = take_first(&p->writes);
        int err = execute(p, op);
        changed |= err == 0;
        port_complete(&p->port, op, err);
    }
    if (changed && p->part == PART_NETWORK)
        notify_network(m);
    port_drain_soon(&p->port, draw_delay_ms(m));
}

static void on_read(void *arg)
{
    struct memory_port *p = arg;
    while (!list_empty(&p->reads)) {
        struct store_op *op = take_first(&p->reads);
        port_complete(&p->port, op, execute(p, op));
    }
    port_drain_soon(&p->port, draw_delay_ms(p->es->device));
}

static void on_recover(void *arg)
{
    ((struct memory_port *)arg)->sick = 0;
}

static void on_notice(void *arg)
{
    port_notice(&((struct memory_port *)arg)->port);
}

/* The mutant: answered now, committed later. */
static void on_ack(void *arg)
{
    struct memory_port *p = arg;
    struct store_op *op = take_first(&p->early);
    bool gone = false;
    list_remove(&op->live);
    p->port.gone = &gone;
    if (op->callback)
        op->type->finish(op);
    if (gone) {
        op_free(op);
        return;
    }
    p->port.gone = NULL;
    op->callback = NULL;
    list_append(&p->writes, &op->node);
    if (!loop_timer_active(p->commit))
        loop_timer_start(p->commit, MUTANT_DELAY_MS);
    if (!list_empty(&p->early))
        loop_timer_start(p->ack, 0);
}

/* ---- the port ---- */

static int health(struct port *port)
{
    const struct memory_port *p = CONTAINER_OF(port, struct memory_port, port);
    if (p->mode == PORT_READ)
        return ERR_DENIED;
    if (p->fenced || (p->part == PART_MAIL && !p->server.ptr))
        return ERR_FENCED;
    if (p->sick)
        return p->sick;
    if (p->es->cut || p->es->device->faults.unreachable)
        return ERR_UNAVAILABLE;
    return p->es->device->faults.full ? ERR_FULL : 0;
}

static void submit_write(struct memory_port *p, struct store_op *op)
{
    if (p->mode == PORT_READ || p->sick) {
        port_complete(&p->port, op, p->sick ? p->sick : ERR_DENIED);
        port_drain_soon(&p->port, 0);
    } else if (p->es->device->faults.mutant_ack_before_commit && (op->type->flags & OP_INTAKE) &&
               op->type->kind != OP_body_chunk) {
        list_append(&p->early, &op->node);
        loop_timer_start(p->ack, 0);
    } else {
        list_append(&p->writes, &op->node);
        if (!loop_timer_active(p->commit))
            loop_timer_start(p->commit, draw_delay_ms(p->es->device));
    }
}

static void submit(struct port *port, struct store_op *op)
{
    struct memory_port *p = CONTAINER_OF(port, struct memory_port, port);
    if (op->type->flags & OP_WRITE) {
        submit_write(p, op);
        return;
    }
    list_append(&p->reads, &op->node);
    if (!loop_timer_active(p->read))
        loop_timer_start(p->read, draw_delay_ms(p->es->device));
}

static void watch(struct port *port, bool on)
{
    struct memory_port *p = CONTAINER_OF(port, struct memory_port, port);
    p->watching = on;
    if (!on)
        loop_timer_stop(p->notice);
}

static void status(struct port *port, json_t *into)
{
    json_object_set_new(into, "health", json_string(err_name(health(port))));
}

static void free_ops(struct list *ops)
{
    while (!list_empty(ops))
        op_free(take_first(ops));
}

static void close_port(struct port *port)
{
    struct memory_port *p = CONTAINER_OF(port, struct memory_port, port);
    free_ops(&p->writes);
    free_ops(&p->reads);
    free_ops(&p->early);
    loop_timer_free(p->commit);
    loop_timer_free(p->read);
    loop_timer_free(p->recover);
    loop_timer_free(p->notice);
    loop_timer_free(p->ack);
    list_remove(&p->node);
    str_drop(&p->server);
    port_fini(port);
    free(p);
}

static const struct port_ops port_ops = {submit, health, watch, status, NULL, close_port};

/* ---- the engine ---- */

static int engine_open(struct store *s, struct loop *l, const struct store_options *options,
                       struct engine_store **ret_engine_store, struct err_buf *eb)
{
    (void)eb;
    struct engine_store *es = mem_zalloc(sizeof(*es));
    es->store = s;
    es->loop = l;
    es->device = options->memory;
    list_init(&es->ports);
    list_append(&es->device->stores, &es->node);
    *ret_engine_store = es;
    return 0;
}

static void engine_close(struct engine_store *es)
{
    CHECK(list_empty(&es->ports));
    list_remove(&es->node);
    free(es);
}

static int open_queue(struct engine_store *es, struct str name, enum port_mode mode,
                      struct memory_queue **ret_queue, struct err_buf *eb)
{
    struct memory_queue *q = map_find(&es->device->queues, name);
    if (!q && mode == PORT_READ)
        return err_set(eb, ERR_NOT_FOUND, "there is no queue \"%.*s\"", STR_ARG(name));
    if (!q) {
        q = memory_queue_new(name);
        map_set(&es->device->queues, name, q);
    }
    *ret_queue = q;
    return 0;
}

static int engine_port_open(struct engine_store *es, enum part_kind part, struct str name,
                            enum port_mode mode, struct port **ret_port, struct err_buf *eb)
{
    struct memory_queue *queue = NULL;
    int err = part == PART_QUEUE ? open_queue(es, name, mode, &queue, eb) : 0;
    if (err != 0)
        return err;
    struct memory_port *p = mem_zalloc(sizeof(*p));
    port_init(&p->port, &port_ops, es->store, es->loop);
    p->es = es;
    p->part = part;
    p->mode = mode;
    p->queue = queue;
    list_init(&p->writes);
    list_init(&p->reads);
    list_init(&p->early);
    p->commit = loop_timer_new(es->loop, on_commit, p);
    p->read = loop_timer_new(es->loop, on_read, p);
    p->recover = loop_timer_new(es->loop, on_recover, p);
    p->notice = loop_timer_new(es->loop, on_notice, p);
    p->ack = loop_timer_new(es->loop, on_ack, p);
    list_append(&es->ports, &p->node);
    *ret_port = &p->port;
    return 0;
}

void store_memory_cut(struct store *s, bool cut)
{
    engine_store_of(s)->cut = cut;
}

const struct engine engine_memory = {"memory", engine_open, engine_close, engine_port_open, NULL};
