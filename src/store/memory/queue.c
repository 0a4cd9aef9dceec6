#include "store/queue.h"

#include "base/mem.h"
#include "store/memory/device.h"
#include "store/queue_op.h"

/* ---- life ---- */

static void message_free(void *arg)
{
    struct memory_message *message = arg;
    str_drop(&message->in.reverse_path);
    str_drop(&message->in.helo);
    str_drop(&message->in.client);
    str_drop(&message->in.header_id);
    str_drop(&message->in.stopped);
    str_drop(&message->in.dsn.envid);
    free(message);
}

void memory_delivery_free(void *arg)
{
    struct memory_delivery *d = arg;
    str_drop(&d->row.recipient);
    str_drop(&d->row.domain);
    str_drop(&d->row.home);
    str_drop(&d->row.last_reply);
    str_drop(&d->row.last_host);
    str_drop(&d->row.request.orcpt);
    free(d);
}

void memory_attempt_free(void *arg)
{
    struct queue_attempt *attempt = arg;
    str_drop(&attempt->server);
    str_drop(&attempt->instance);
    str_drop(&attempt->reply);
    free(attempt);
}

static void act_free(void *arg)
{
    struct memory_act *act = arg;
    str_drop(&act->key);
    str_drop(&act->act.home);
    str_drop(&act->act.who);
    str_drop(&act->act.why);
    free(act->ids);
    free(act);
}

static void notice_free(void *arg)
{
    struct queue_notice *notice = arg;
    str_drop(&notice->recipient);
    str_drop(&notice->server);
    str_drop(&notice->reply);
    free(notice);
}

struct memory_queue *memory_queue_new(struct str name)
{
    struct memory_queue *q = mem_zalloc(sizeof(*q));
    q->name = str_keep(name);
    map_init(&q->by_custody);
    list_init(&q->live);
    list_init(&q->debts);
    q->notices_from = 1;
    return q;
}

void memory_queue_free(void *arg)
{
    struct memory_queue *q = arg;
    map_fini(&q->by_custody);
    table_fini(&q->bodies, memory_body_free);
    table_fini(&q->messages, message_free);
    table_fini(&q->deliveries, memory_delivery_free);
    table_fini(&q->attempts, memory_attempt_free);
    table_fini(&q->acts, act_free);
    table_fini(&q->notices, notice_free);
    memory_debts_free(q);
    str_drop(&q->name);
    str_drop(&q->owner);
    free(q);
}

int memory_queue_own(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_own *o = (struct op_queue_own *)op;
    struct memory_queue *q = tx->queue;
    o->ret_epoch = q->epoch;
    if (q->epoch != o->expect_epoch)
        return ERR_CONFLICT;
    o->ret_epoch = *tx->epoch = ++q->epoch;
    str_replace(&q->owner, o->owner);
    memory_bodies_clean(&q->bodies, NULL);
    return 0;
}

/* ---- accepting ---- */

/* The oldest that is not the first, where there are too many. */
static void drop_attempt(struct memory_queue *q, int64_t delivery_id)
{
    size_t count = 0, second = 0;
    for (size_t i = 0; i < q->attempts.count; i++) {
        const struct queue_attempt *a = q->attempts.items[i];
        if (a && a->delivery_id == delivery_id && ++count == 2)
            second = i;
    }
    if (count <= QUEUE_ATTEMPTS_KEPT)
        return;
    memory_attempt_free(q->attempts.items[second]);
    q->attempts.items[second] = NULL;
}

static void add_attempt(struct memory_queue *q, const struct memory_delivery *d,
                        const struct queue_result *result)
{
    struct queue_attempt *attempt = mem_zalloc(sizeof(*attempt));
    *attempt = (struct queue_attempt){.delivery_id = d->row.id,
                                      .recipient = d->row.recipient,
                                      .outcome = result->outcome,
                                      .server = str_keep(result->server),
                                      .instance = str_keep(result->instance),
                                      .reply = str_keep(result->reply),
                                      .epoch = result->epoch,
                                      .generation = result->generation,
                                      .at = result->at};
    table_add(&q->attempts, attempt);
    if (d->row.attempts + d->row.losses + 1 >= QUEUE_ATTEMPTS_KEPT)
        drop_attempt(q, d->row.id);
}

static void add_notice(struct memory_queue *q, const struct memory_delivery *d,
                       const struct queue_result *result)
{
    struct queue_notice *notice = mem_zalloc(sizeof(*notice));
    *notice = (struct queue_notice){.custody_id = d->row.custody_id,
                                    .recipient = str_keep(d->row.recipient),
                                    .server = str_keep(result->server),
                                    .reply = str_keep(result->reply),
                                    .at = result->at};
    notice->id = table_add(&q->notices, notice);
}

/* In quarantine from the start; one notice tells of the message. */
static void stop(struct memory_queue *q, struct memory_delivery *d, const struct queue_message_in *in,
                 bool first)
{
    const struct queue_result result = {.delivery_id = d->row.id,
                                        .outcome = QUEUE_OUTCOME_QUARANTINED,
                                        .server = STR_EMPTY,
                                        .instance = STR_EMPTY,
                                        .reply = in->stopped,
                                        .at = in->received_at};
    add_attempt(q, d, &result);
    d->row.state = QUEUE_QUARANTINED;
    str_replace(&d->row.last_reply, in->stopped);
    if (first)
        add_notice(q, d, &result);
}

static struct str custody_key(const struct custody_id *id)
{
    return (struct str){(const char *)id->bytes, CUSTODY_ID_BYTES};
}

static void add_delivery(struct memory_queue *q, struct memory_message *message,
                         const struct queue_recipient_in *recipient)
{
    struct memory_delivery *d = mem_zalloc(sizeof(*d));
    d->row = (struct queue_delivery){.message_id = message->id,
                                     .custody_id = message->in.custody_id,
                                     .reverse_path = message->in.reverse_path,
                                     .recipient = str_keep(recipient->address),
                                     .domain = str_keep(recipient->domain),
                                     .home = str_keep(recipient->home),
                                     .state = QUEUE_WAITING,
                                     .helo = message->in.helo,
                                     .client = message->in.client,
                                     .header_id = message->in.header_id,
                                     .received_at = message->in.received_at,
                                     .waits_since = message->in.received_at,
                                     .size_bytes = message->size_bytes,
                                     .eight_bit = message->in.eight_bit,
                                     .smtputf8 = message->in.smtputf8,
                                     .authenticated = message->in.authenticated,
                                     .envelope = message->in.dsn,
                                     .request = {recipient->dsn.notify, str_keep(recipient->dsn.orcpt)},
                                     .last_reply = str_keep(STR_EMPTY),
                                     .last_host = str_keep(STR_EMPTY)};
    d->row.id = table_add(&q->deliveries, d);
    list_append(&q->live, &d->live);
    message->live_count++;
    if (message->delivery_count++ == 0)
        message->first_delivery = d->row.id;
    if (message->in.stopped.len > 0)
        stop(q, d, &message->in, message->delivery_count == 1);
}

void memory_message_free(struct memory_queue *q, struct memory_message *m)
{
    map_remove(&q->by_custody, custody_key(&m->in.custody_id));
    message_free(m);
}

bool memory_queue_knows(const struct memory_queue *q, const struct custody_id *id)
{
    return map_find(&q->by_custody, custody_key(id));
}

void memory_queue_add(struct memory_queue *q, const struct queue_message_in *in, int64_t body_id,
                      uint64_t size_bytes, const struct queue_recipient_in *recipients,
                      size_t recipient_count, int64_t *ret_message_id)
{
    struct memory_message *message = mem_zalloc(sizeof(*message));
    message->in = *in;
    message->in.reverse_path = str_keep(in->reverse_path);
    message->in.helo = str_keep(in->helo);
    message->in.client = str_keep(in->client);
    message->in.header_id = str_keep(in->header_id);
    message->in.stopped = str_keep(in->stopped);
    message->in.dsn.envid = str_keep(in->dsn.envid);
    message->body_id = body_id;
    message->size_bytes = size_bytes;
    message->id = *ret_message_id = table_add(&q->messages, message);
    map_set(&q->by_custody, custody_key(&message->in.custody_id), message);
    for (size_t i = 0; i < recipient_count; i++)
        add_delivery(q, message, &recipients[i]);
}

int memory_queue_accept(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_accept *o = (struct op_queue_accept *)op;
    int64_t body_id;
    if (memory_queue_knows(tx->queue, &o->message.custody_id))
        return ERR_EXISTS;
    int err = memory_body_finish(tx, &o->body, 1, &body_id);
    if (err == 0)
        memory_queue_add(tx->queue, &o->message, body_id, o->body.size_bytes, o->recipients,
                         o->recipient_count, &o->ret_message_id);
    return err;
}

/* ---- settling ---- */

void memory_delivery_set(struct memory_queue *q, struct memory_delivery *d, enum queue_state state, bool keep,
                         struct wall_time at)
{
    struct memory_message *message = table_get(&q->messages, d->row.message_id);
    d->row.state = state;
    if (queue_state_is_live(state))
        return;
    list_remove(&d->live);
    message->live_count--;
    memory_debt_end(q, d->row.id);
    memory_message_end(q, message, keep && state == QUEUE_DELIVERED, at);
}

int memory_queue_notices(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_notices *o = (struct op_queue_notices *)op;
    struct memory_queue *q = tx->queue;
    for (int64_t id = q->notices_from; id <= (int64_t)q->notices.count && o->ret_count < o->limit; id++) {
        const struct queue_notice *notice = table_get(&q->notices, id);
        o->ret_notices = op_array_grow(op, o->ret_notices, o->ret_count, sizeof(*o->ret_notices));
        struct queue_notice *out = &o->ret_notices[o->ret_count++];
        *out = *notice;
        out->recipient = op_str(op, notice->recipient);
        out->server = op_str(op, notice->server);
        out->reply = op_str(op, notice->reply);
    }
    return 0;
}

int memory_queue_notices_drop(struct memory_tx *tx, struct store_op *op)
{
    struct memory_queue *q = tx->queue;
    int64_t up_to = ((struct op_queue_notices_drop *)op)->up_to_id;
    for (; q->notices_from <= up_to && q->notices_from <= (int64_t)q->notices.count; q->notices_from++) {
        notice_free(q->notices.items[q->notices_from - 1]);
        q->notices.items[q->notices_from - 1] = NULL;
    }
    return 0;
}

static void settle_one(struct memory_queue *q, const struct queue_result *result, bool keep)
{
    struct memory_delivery *d = table_get(&q->deliveries, result->delivery_id);
    if (!d)
        return;
    add_attempt(q, d, result);
    if (!queue_state_is_live(d->row.state))
        return;
    if (result->outcome == QUEUE_OUTCOME_LOST)
        d->row.losses++;
    else
        d->row.attempts++;
    str_replace(&d->row.last_reply, result->reply);
    str_replace(&d->row.last_host, result->host);
    d->row.next_at = result->next_at;
    enum queue_state state = queue_outcome_state(result->outcome);
    enum queue_owes owes = queue_result_owes(result, d->row.state);
    if (owes != QUEUE_OWES_NOTHING)
        memory_debt_add(q, d, owes, result);
    else if (state == QUEUE_QUARANTINED && d->row.state != QUEUE_QUARANTINED)
        add_notice(q, d, result);
    if (state != QUEUE_WAITING) /* a held one that was deferred stays held */
        memory_delivery_set(q, d, state, keep, result->at);
}

int memory_queue_settle(struct memory_tx *tx, struct store_op *op)
{
    struct op_queue_settle *o = (struct op_queue_settle *)op;
    for (size_t i = 0; i < o->count; i++)
        settle_one(tx->queue, &o->results[i], o->keep);
    if (!o->keep)
        memory_let_go(tx->queue, queue_last_delivery(o->results, o->count));
    return 0;
}
