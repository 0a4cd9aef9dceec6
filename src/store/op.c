#include "store/op.h"

#include <string.h>

#include "base/mem.h"
#include "store/body_op.h"
#include "store/engine.h"

/* Results are bounded by what the store holds and by each call's own limits. */
#define OP_ARENA_MAX_BYTES (SIZE_MAX / 2)

void *op_new(struct port *p, const struct op_type *type, op_callback callback, void *arg)
{
    struct store_op *op = mem_zalloc(type->size);
    list_init(&op->node);
    list_init(&op->live);
    op->type = type;
    op->port = p;
    op->callback = callback;
    op->arg = arg;
    arena_init(&op->arena, OP_ARENA_MAX_BYTES);
    return op;
}

void op_free(struct store_op *op)
{
    list_remove(&op->live);
    if (op->type->release)
        op->type->release(op);
    arena_fini(&op->arena);
    free(op);
}

struct store_op *op_submit(struct store_op *op)
{
    list_append(&op->port->live, &op->live);
    op->port->ops->submit(op->port, op);
    return op;
}

struct store_op *op_submit_failed(struct store_op *op, int err)
{
    list_append(&op->port->live, &op->live);
    port_complete(op->port, op, err);
    port_drain_soon(op->port, 0);
    return op;
}

void store_op_forget(struct store_op *op)
{
    op->callback = NULL;
}

void *op_alloc(struct store_op *op, size_t size)
{
    void *ptr = arena_alloc(&op->arena, size);
    CHECK(ptr != NULL);
    return ptr;
}

struct str op_str(struct store_op *op, struct str s)
{
    if (!s.ptr)
        return s;
    struct str copy = arena_str(&op->arena, s);
    CHECK(copy.ptr != NULL);
    return copy;
}

void *op_array_grow(struct store_op *op, void *items, size_t count, size_t item_size)
{
    if (count == 0)
        return op_alloc(op, 8 * item_size);
    if (count < 8 || (count & (count - 1)) != 0)
        return items;
    void *grown = op_alloc(op, 2 * count * item_size);
    memcpy(grown, items, count * item_size);
    return grown;
}
