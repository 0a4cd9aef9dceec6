#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "store/body_op.h"
#include "store/memory/device.h"

void memory_body_free(void *arg)
{
    struct memory_body *body = arg;
    for (size_t i = 0; i < body->chunk_count; i++)
        free(body->chunks[i].data);
    free(body->chunks);
    free(body);
}

static void body_remove(struct table *bodies, struct memory_body *body)
{
    bodies->items[body->id - 1] = NULL;
    memory_body_free(body);
}

void memory_bodies_clean(struct table *bodies, const void *writer)
{
    for (size_t i = 0; i < bodies->count; i++) {
        struct memory_body *body = bodies->items[i];
        if (body && body->refs == 0 && body->writer != writer)
            body_remove(bodies, body);
    }
}

static struct memory_body *body_of(struct memory_tx *tx, struct body_core *core)
{
    struct memory_body *body = table_get(tx->bodies, core->id);
    if (!body) {
        body = mem_zalloc(sizeof(*body));
        body->writer = tx->writer;
        body->id = core->id = table_add(tx->bodies, body);
    }
    return body;
}

static void add_chunk(struct memory_body *body, const char *data, size_t len)
{
    body->chunks = mem_reallocarray(body->chunks, body->chunk_count + 1, sizeof(*body->chunks));
    body->chunks[body->chunk_count++] =
        (struct memory_chunk){mem_strndup(data, len), len, crc32c(0, data, len)};
}

int memory_body_chunk(struct memory_tx *tx, struct store_op *op)
{
    struct op_body_chunk *o = (struct op_body_chunk *)op;
    if (o->core->err != 0)
        return o->core->err;
    add_chunk(body_of(tx, o->core), o->data, o->len);
    return 0;
}

int memory_body_drop(struct memory_tx *tx, struct store_op *op)
{
    struct memory_body *body = table_get(tx->bodies, ((struct op_body_drop *)op)->core->id);
    if (body && body->refs == 0)
        body_remove(tx->bodies, body);
    return 0;
}

int memory_body_finish(struct memory_tx *tx, struct body_tail *tail, int64_t refs, int64_t *ret_id)
{
    if (tail->core->err != 0)
        return tail->core->err;
    struct memory_body *body = body_of(tx, tail->core);
    if (tail->len > 0 && !tx->device->faults.mutant_lose_last_chunk)
        add_chunk(body, tail->data, tail->len);
    body->refs = refs;
    body->size_bytes = tail->size_bytes;
    *ret_id = body->id;
    if (refs == 0)
        body_remove(tx->bodies, body);
    return 0;
}

int64_t memory_body_make(struct table *bodies, struct str text)
{
    struct memory_body *body = mem_zalloc(sizeof(*body));
    for (size_t at = 0; at < text.len; at += BODY_CHUNK_BYTES) {
        struct str piece = str_sub(text, at, BODY_CHUNK_BYTES);
        add_chunk(body, piece.ptr, piece.len);
    }
    body->refs = 1;
    body->size_bytes = text.len;
    return body->id = table_add(bodies, body);
}

void memory_body_ref(struct table *bodies, int64_t id)
{
    struct memory_body *body = table_get(bodies, id);
    if (body)
        body->refs++;
}

void memory_body_unref(struct table *bodies, int64_t id)
{
    struct memory_body *body = table_get(bodies, id);
    if (body && --body->refs == 0)
        body_remove(bodies, body);
}

static int64_t body_of_message(struct memory_tx *tx, const struct op_body_read *o)
{
    if (o->message_id == 0 || !tx->queue)
        return o->body_id;
    const struct memory_message *message = table_get(&tx->queue->messages, o->message_id);
    return message ? message->body_id : 0;
}

int memory_body_read(struct memory_tx *tx, struct store_op *op)
{
    struct op_body_read *o = (struct op_body_read *)op;
    const struct memory_body *body = table_get(tx->bodies, body_of_message(tx, o));
    size_t index = (size_t)(o->offset / BODY_CHUNK_BYTES);
    if (o->message_id != 0 && o->message_id == tx->device->faults.unreadable_message)
        return ERR_IO;
    if (!body || body->refs == 0)
        return ERR_NOT_FOUND;
    o->ret_size_bytes = body->size_bytes;
    if (index >= body->chunk_count)
        return 0;
    const struct memory_chunk *chunk = &body->chunks[index];
    if (crc32c(0, chunk->data, chunk->len) != chunk->crc)
        return ERR_CORRUPT;
    o->ret_data = mem_strndup(chunk->data, chunk->len);
    o->ret_len = chunk->len;
    o->ret_offset = (uint64_t)index * BODY_CHUNK_BYTES;
    return 0;
}
