#include "store/body.h"

#include <string.h>

#include "base/mem.h"
#include "store/body_op.h"

#define FIRST_ALLOC_BYTES 8192 /* most messages fit */

struct body_writer {
    struct list node;  /* in port->writers */
    struct port *port; /* NULL when closed under it */
    struct body_core *core;
    char *data; /* the chunk being filled */
    size_t len, capacity;
    uint32_t seq; /* of the chunk being filled */
    uint64_t size_bytes;
    int err;
    bool held;                       /* body_writer_hold */
    struct list waiting;             /* op_body_chunk, full, behind the one in flight */
    struct op_body_chunk *in_flight; /* or NULL */
    void (*on_room)(void *arg);
    void *arg;
};

/* ---- the shared core ---- */

static struct body_core *core_ref(struct body_core *core)
{
    core->refs++;
    return core;
}

static void core_unref(struct body_core *core)
{
    if (!core || --core->refs > 0)
        return;
    free(core->pieces);
    free(core);
}

void body_chunk_failed(struct op_body_chunk *chunk, int err)
{
    if (chunk->core->err == 0)
        chunk->core->err = err;
}

void body_chunk_rolled_back(struct op_body_chunk *chunk)
{
    if (chunk->began)
        chunk->core->id = 0;
    chunk->began = false;
}

/* ---- chunks on their way ---- */

static void send_next(struct body_writer *w)
{
    if (w->in_flight || list_empty(&w->waiting))
        return;
    struct op_body_chunk *chunk = LIST_ENTRY(w->waiting.next, struct op_body_chunk, op.node);
    list_remove(&chunk->op.node);
    w->in_flight = chunk;
    op_submit(&chunk->op);
}

static void finish_chunk(struct store_op *op)
{
    struct op_body_chunk *chunk = (struct op_body_chunk *)op;
    struct body_writer *w = chunk->writer;
    if (!w)
        return;
    chunk->writer = NULL; /* on_room may consume or abort it */
    w->in_flight = NULL;
    if (op->err != 0 && w->err == 0)
        w->err = op->err;
    send_next(w);
    if (w->on_room && !body_writer_full(w))
        w->on_room(w->arg);
}

static void release_chunk(struct store_op *op)
{
    struct op_body_chunk *chunk = (struct op_body_chunk *)op;
    if (chunk->writer && chunk->writer->in_flight == chunk)
        chunk->writer->in_flight = NULL;
    core_unref(chunk->core);
    free(chunk->data);
}

static const struct op_type chunk_type = {OP_body_chunk,
                                          OP_WRITE | OP_GUARDED | OP_INTAKE | OP_LAZY | OP_ALWAYS,
                                          sizeof(struct op_body_chunk), finish_chunk, release_chunk};

static void seal_chunk(struct body_writer *w)
{
    struct op_body_chunk *chunk = op_new(w->port, &chunk_type, NULL, NULL);
    chunk->core = core_ref(w->core);
    chunk->seq = w->seq++;
    chunk->data = w->data;
    chunk->len = w->len;
    chunk->writer = w;
    w->data = NULL;
    w->len = w->capacity = 0;
    if (w->seq >= BODY_CHUNKS_MAX)
        w->err = ERR_LIMIT;
    list_append(&w->waiting, &chunk->op.node);
    send_next(w);
}

/* ---- writing ---- */

struct body_writer *body_writer_new(struct port *p)
{
    struct body_writer *w = mem_zalloc(sizeof(*w));
    w->port = p;
    w->core = mem_zalloc(sizeof(*w->core));
    w->core->refs = 1;
    list_init(&w->waiting);
    list_append(&p->writers, &w->node);
    return w;
}

static void reserve(struct body_writer *w, size_t need)
{
    if (w->len + need <= w->capacity)
        return;
    size_t capacity = w->len + need <= FIRST_ALLOC_BYTES ? FIRST_ALLOC_BYTES : BODY_CHUNK_BYTES;
    w->data = mem_realloc(w->data, capacity);
    w->capacity = capacity;
}

void body_append(struct body_writer *w, const void *data, size_t len)
{
    const char *from = data;
    w->size_bytes += len;
    while (len > 0 && w->err == 0) {
        /* Only here is a full chunk sealed, so that the last one travels with
         * the operation that uses the body. */
        if (w->len == BODY_CHUNK_BYTES)
            seal_chunk(w);
        size_t room = BODY_CHUNK_BYTES - w->len, take = len < room ? len : room;
        reserve(w, take);
        memcpy(w->data + w->len, from, take);
        w->len += take;
        from += take;
        len -= take;
    }
}

bool body_writer_full(const struct body_writer *w)
{
    return w->in_flight && w->err == 0 && (w->len >= BODY_CHUNK_BYTES / 2 || !list_empty(&w->waiting));
}

void body_writer_on_room(struct body_writer *w, void (*on_room)(void *arg), void *arg)
{
    w->on_room = on_room;
    w->arg = arg;
}

uint64_t body_writer_size_bytes(const struct body_writer *w)
{
    return w->size_bytes;
}

int body_writer_error(const struct body_writer *w)
{
    return w->err;
}

/* Frees w but for core and data. */
static void writer_free(struct body_writer *w)
{
    if (w->in_flight)
        w->in_flight->writer = NULL;
    LIST_FOREACH (it, &w->waiting) {
        struct op_body_chunk *chunk = LIST_ENTRY(it, struct op_body_chunk, op.node);
        list_remove(it);
        chunk->writer = NULL;
        op_free(&chunk->op);
    }
    list_remove(&w->node);
    free(w);
}

static void finish_nothing(struct store_op *op)
{
    (void)op;
}

static void release_drop(struct store_op *op)
{
    core_unref(((struct op_body_drop *)op)->core);
}

static const struct op_type drop_type = {OP_body_drop, OP_WRITE | OP_GUARDED | OP_LAZY,
                                         sizeof(struct op_body_drop), finish_nothing, release_drop};

static void submit_drop(struct port *p, struct body_core *core)
{
    struct op_body_drop *drop = op_new(p, &drop_type, NULL, NULL);
    drop->core = core_ref(core);
    op_submit(&drop->op);
}

void body_abort(struct body_writer *w)
{
    struct body_core *core = w->core;
    if (w->port && w->seq > 0)
        submit_drop(w->port, core);
    free(w->data);
    writer_free(w);
    core_unref(core);
}

void body_writer_hold(struct body_writer *w, bool held)
{
    w->held = held;
}

int body_writer_consume(struct body_writer *w, struct port *p, struct body_tail *tail)
{
    int err = w->err ? w->err : w->port == p ? 0 : ERR_CLOSED;
    if (err != 0) {
        body_abort(w);
        return err;
    }
    LIST_FOREACH (it, &w->waiting) {
        struct op_body_chunk *chunk = LIST_ENTRY(it, struct op_body_chunk, op.node);
        list_remove(it);
        chunk->writer = NULL;
        op_submit(&chunk->op);
    }
    *tail = (struct body_tail){w->core, w->seq, w->data, w->len, w->size_bytes, w->held};
    writer_free(w);
    return 0;
}

void body_tail_release(struct body_tail *tail)
{
    core_unref(tail->core);
    free(tail->data);
}

void body_writer_detach(struct list *node)
{
    struct body_writer *w = LIST_ENTRY(node, struct body_writer, node);
    list_remove(node);
    w->port = NULL;
    w->err = ERR_CLOSED;
}

/* ---- reading ---- */

struct body_reader {
    struct list node;  /* in port->readers */
    struct port *port; /* NULL when closed under it */
    int64_t message_id, body_id;
    struct op_body_read *pending; /* or NULL */
    uint64_t size_bytes;
    /* The chunk that was read last: */
    char *data;
    size_t len;
    uint64_t offset;
};

struct body_reader *body_reader_new(struct port *p, int64_t message_id, int64_t body_id)
{
    struct body_reader *r = mem_zalloc(sizeof(*r));
    r->port = p;
    r->message_id = message_id;
    r->body_id = body_id;
    list_append(&p->readers, &r->node);
    return r;
}

static void keep_chunk(struct body_reader *r, struct op_body_read *o)
{
    free(r->data);
    r->data = o->ret_data;
    r->len = o->ret_len;
    r->offset = o->ret_offset;
    r->size_bytes = o->ret_size_bytes;
    o->ret_data = NULL;
}

static void finish_read(struct store_op *op)
{
    struct op_body_read *o = (struct op_body_read *)op;
    struct body_reader *r = o->reader;
    if (!r)
        return;
    r->pending = NULL;
    o->reader = NULL;
    if (op->err == 0 && o->ret_data)
        keep_chunk(r, o);
    if (!op->callback)
        return;
    void (*cb)(void *, int, const char *, size_t) = (void (*)(void *, int, const char *, size_t))op->callback;
    if (op->err != 0) {
        cb(op->arg, op->err, NULL, 0);
        return;
    }
    size_t len = 0;
    if (o->offset >= r->offset && o->offset < r->offset + r->len)
        len = (size_t)(r->offset + r->len - o->offset);
    if (len > o->len_max)
        len = o->len_max;
    cb(op->arg, 0, len > 0 ? r->data + (o->offset - r->offset) : NULL, len);
}

static void release_read(struct store_op *op)
{
    struct op_body_read *o = (struct op_body_read *)op;
    if (o->reader)
        o->reader->pending = NULL;
    free(o->ret_data);
}

static const struct op_type read_type = {OP_body_read, OP_ALWAYS, sizeof(struct op_body_read), finish_read,
                                         release_read};

struct store_op *body_read(struct body_reader *r, uint64_t offset, size_t len_max,
                           void (*on_read)(void *arg, int err, const char *data, size_t len), void *arg)
{
    CHECK(r->port != NULL && r->pending == NULL);
    struct op_body_read *o = op_new(r->port, &read_type, (op_callback)on_read, arg);
    o->message_id = r->message_id;
    o->body_id = r->body_id;
    o->offset = offset;
    o->len_max = len_max;
    o->reader = r;
    r->pending = o;
    if (r->data && offset >= r->offset && offset < r->offset + r->len)
        return op_submit_failed(&o->op, 0); /* nothing to ask the engine */
    return op_submit(&o->op);
}

uint64_t body_reader_size_bytes(const struct body_reader *r)
{
    return r->size_bytes;
}

void body_close(struct body_reader *r)
{
    if (!r)
        return;
    if (r->pending) {
        r->pending->op.callback = NULL;
        r->pending->reader = NULL;
    }
    list_remove(&r->node);
    free(r->data);
    free(r);
}

void body_reader_detach(struct list *node)
{
    struct body_reader *r = LIST_ENTRY(node, struct body_reader, node);
    list_remove(node);
    if (r->pending)
        r->pending->reader = NULL;
    r->pending = NULL;
    r->port = NULL;
}
