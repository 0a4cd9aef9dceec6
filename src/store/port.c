#include "base/mem.h"
#include "store/body_op.h"
#include "store/engine.h"

static void on_soon(void *arg)
{
    port_drain(arg);
}

void port_init(struct port *p, const struct port_ops *ops, struct store *s, struct loop *l)
{
    *p = (struct port){.ops = ops, .store = s, .loop = l};
    list_init(&p->live);
    list_init(&p->ready);
    list_init(&p->writers);
    list_init(&p->readers);
    p->soon = loop_timer_new(l, on_soon, p);
}

void port_fini(struct port *p)
{
    loop_timer_free(p->soon);
    p->soon = NULL;
}

void port_close(struct port *p)
{
    if (p->gone)
        *p->gone = true;
    LIST_FOREACH (it, &p->ready) {
        struct store_op *op = LIST_ENTRY(it, struct store_op, node);
        list_remove(&op->node);
        op_free(op);
    }
    LIST_FOREACH (it, &p->live) {
        LIST_ENTRY(it, struct store_op, live)->callback = NULL;
        list_remove(it);
    }
    LIST_FOREACH (it, &p->writers)
        body_writer_detach(it);
    LIST_FOREACH (it, &p->readers)
        body_reader_detach(it);
    p->on_notice = NULL;
    p->on_commit = NULL;
    p->ops->close(p);
}

void port_complete(struct port *p, struct store_op *op, int err)
{
    op->err = err;
    list_append(&p->ready, &op->node);
}

void port_drain_soon(struct port *p, int64_t delay_ms)
{
    if (!loop_timer_active(p->soon))
        loop_timer_start(p->soon, delay_ms);
}

/* A callback, a watcher's too, may close the port: then *gone, and p is no more. */
static void finish(struct port *p, struct store_op *op, const bool *gone)
{
    list_remove(&op->node);
    p->full_count += op->err == ERR_FULL;
    bool may_be_there = op->err == 0 || op->err == ERR_UNKNOWN;
    if (may_be_there && (op->type->flags & OP_WRITE) && p->on_commit)
        p->on_commit(p->front, op);
    list_remove(&op->live);
    if (!*gone && (op->callback || (op->type->flags & OP_ALWAYS)))
        op->type->finish(op);
    op_free(op);
}

bool port_drain(struct port *p)
{
    bool gone = false;
    size_t count = 0; /* what the callbacks add waits for the next turn of the loop */
    LIST_FOREACH (it, &p->ready)
        count++;
    p->gone = &gone; // cppcheck-suppress autoVariables ; cleared below
    while (count-- > 0 && !gone && !list_empty(&p->ready))
        finish(p, LIST_ENTRY(p->ready.next, struct store_op, node), &gone);
    if (gone)
        return false;
    p->gone = NULL;
    if (!list_empty(&p->ready))
        port_drain_soon(p, 0);
    return true;
}

void port_notice(struct port *p)
{
    if (p->on_notice)
        p->on_notice(p->front);
}
