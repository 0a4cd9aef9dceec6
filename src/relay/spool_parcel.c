#include "relay/spool_parcel.h"

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define CHUNK_BYTES 65536 /* what is read at once: a stored chunk, at most */

/* ---- what is to be handed over ---- */

struct spool_parcel *spool_parcel_new(struct loop *l, const struct queue_delivery *first)
{
    struct spool_parcel *p = mem_zalloc(sizeof(*p));
    list_init(&p->node);
    p->loop = l;
    arena_init(&p->arena, SIZE_MAX); /* bounded when it was accepted */
    p->message_id = first->message_id;
    p->size_bytes = first->size_bytes;
    p->message = (struct queue_message_in){
        .custody_id = first->custody_id,
        .reverse_path = arena_str(&p->arena, first->reverse_path),
        .helo = arena_str(&p->arena, first->helo),
        .client = arena_str(&p->arena, first->client),
        .eight_bit = first->eight_bit,
        .smtputf8 = first->smtputf8,
        .authenticated = first->authenticated,
        .dsn = {first->envelope.ret, arena_str(&p->arena, first->envelope.envid)},
        .header_id = arena_str(&p->arena, first->header_id),
        .received_at = first->received_at,
        .stopped = STR_EMPTY,
    };
    if (first->state == QUEUE_QUARANTINED) /* nobody tries or acts in the spool: it was accepted so */
        p->message.stopped = arena_str(&p->arena, first->last_reply);
    return p;
}

void spool_parcel_add(struct spool_parcel *p, const struct queue_delivery *delivery)
{
    p->recipients = mem_grow(p->recipients, p->count, sizeof(*p->recipients));
    p->delivery_ids = mem_grow(p->delivery_ids, p->count, sizeof(*p->delivery_ids));
    p->recipients[p->count] = (struct queue_recipient_in){
        .address = arena_str(&p->arena, delivery->recipient),
        .domain = arena_str(&p->arena, delivery->domain),
        .home = arena_str(&p->arena, delivery->home),
        .dsn = {delivery->request.notify, arena_str(&p->arena, delivery->request.orcpt)},
    };
    p->delivery_ids[p->count++] = delivery->id;
}

/* ---- ending ---- */

static void drop_body(struct spool_parcel *p)
{
    if (p->writer)
        body_abort(p->writer);
    if (p->reader)
        body_close(p->reader);
    p->writer = NULL;
    p->reader = NULL;
}

static void end(struct spool_parcel *p, enum spool_parcel_end how, int err)
{
    drop_body(p);
    p->on_end(p->arg, p, how, err);
}

/* Whether an answer about a message says something of this one, and not of its queue. */
static bool is_of_message(int err)
{
    return err == ERR_CORRUPT || err == ERR_NOT_FOUND || err == ERR_IO || err == ERR_INVALID ||
           err == ERR_LIMIT || err == ERR_SYNTAX;
}

static void fail_reading(struct spool_parcel *p, int err)
{
    end(p, is_of_message(err) ? SPOOL_PARCEL_STUCK : SPOOL_PARCEL_LATER, err);
}

static void fail_writing(struct spool_parcel *p, int err)
{
    bool stuck = is_of_message(err) && queue_takes_held(p->into);
    end(p, stuck ? SPOOL_PARCEL_STUCK : SPOOL_PARCEL_LATER, err);
}

/* ---- out of the spool ---- */

static void on_settled(void *arg, int err)
{
    struct spool_parcel *p = arg;
    p->op = NULL;
    if (err)
        end(p, SPOOL_PARCEL_LATER, err); /* handed over again: the shared queue knows it then */
    else
        end(p, SPOOL_PARCEL_HANDED, 0);
}

static void leave_spool(struct spool_parcel *p)
{
    struct queue_result *results = mem_calloc(p->count, sizeof(*results));
    for (size_t i = 0; i < p->count; i++)
        results[i] = (struct queue_result){.delivery_id = p->delivery_ids[i],
                                           .outcome = QUEUE_OUTCOME_REMOVED,
                                           .reply = STR("handed over"),
                                           .server = STR_EMPTY,
                                           .instance = STR_EMPTY,
                                           .at = loop_wall(p->loop)};
    p->op = queue_settle(p->from, results, p->count, on_settled, p);
    free(results);
}

/* ---- into the shared queue ---- */

static void on_accepted(void *arg, int err, int64_t message_id)
{
    struct spool_parcel *p = arg;
    (void)message_id;
    p->op = NULL;
    if (err && err != ERR_EXISTS)
        fail_writing(p, err);
    else
        leave_spool(p);
}

static void give(struct spool_parcel *p)
{
    struct body_writer *writer = p->writer;
    p->writer = NULL;
    p->op = queue_accept(p->into, writer, &p->message, p->recipients, p->count, on_accepted, p);
}

static void read_on(struct spool_parcel *p);

static void take_chunk(struct spool_parcel *p, const char *data, size_t len)
{
    body_append(p->writer, data, len);
    p->copied_bytes += len;
    p->waits_for_room = body_writer_full(p->writer);
    if (body_writer_error(p->writer))
        fail_writing(p, body_writer_error(p->writer));
    else if (!p->waits_for_room)
        read_on(p);
}

static void on_chunk(void *arg, int err, const char *data, size_t len)
{
    struct spool_parcel *p = arg;
    p->op = NULL;
    if (err)
        fail_reading(p, err);
    else if (len > 0)
        take_chunk(p, data, len);
    else if (p->copied_bytes != p->size_bytes)
        fail_reading(p, ERR_CORRUPT);
    else
        give(p);
}

static void read_on(struct spool_parcel *p)
{
    p->op = body_read(p->reader, p->copied_bytes, CHUNK_BYTES, on_chunk, p);
}

static void on_room(void *arg)
{
    struct spool_parcel *p = arg;
    if (!p->waits_for_room)
        return;
    p->waits_for_room = false;
    if (body_writer_error(p->writer))
        fail_writing(p, body_writer_error(p->writer));
    else
        read_on(p);
}

/* ---- life ---- */

int spool_parcel_start(struct spool_parcel *p, struct queue *from, struct queue *into,
                       void (*on_end)(void *arg, struct spool_parcel *p, enum spool_parcel_end end, int err),
                       void *arg)
{
    struct body_writer *writer = queue_body_begin_held(into);
    if (!writer)
        return queue_health(into) ? queue_health(into) : ERR_UNAVAILABLE;
    p->from = from;
    p->into = into;
    p->on_end = on_end;
    p->arg = arg;
    p->writer = writer;
    body_writer_on_room(writer, on_room, p);
    p->reader = queue_body_open(from, p->message_id);
    read_on(p);
    return 0;
}

void spool_parcel_free(struct spool_parcel *p)
{
    if (p->op)
        store_op_forget(p->op);
    drop_body(p);
    list_remove(&p->node);
    arena_fini(&p->arena);
    free(p->recipients);
    free(p->delivery_ids);
    free(p);
}
