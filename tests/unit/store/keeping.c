#include "keeping.h"

struct queue *keeping_queue(struct rig *r)
{
    struct queue *q = own(r, r->store, "relay-east", "east1", 0, NULL, NULL);
    queue_keep(q, true);
    return q;
}

struct queue_delivery newest(struct rig *r, struct queue *q)
{
    struct queue_filter all = {.limit = 1000};
    struct answer a = list_rows(r, q, &all);
    assert_true(a.count > 0);
    return ((const struct queue_delivery *)a.items)[a.count - 1];
}

void settle_at(struct rig *r, struct queue *q, int64_t delivery_id, enum queue_outcome outcome,
               const char *server, int64_t at_ms)
{
    ASK(r, a);
    struct queue_result result = {.delivery_id = delivery_id,
                                  .outcome = outcome,
                                  .reply = STR("250 2.0.0 taken"),
                                  .server = str_from(server),
                                  .instance = STR("east1"),
                                  .at = {at_ms}};
    queue_settle(q, &result, 1, on_plain, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
}

int64_t delivered(struct rig *r, struct queue *q, uint64_t id, const char *server, int64_t at_ms)
{
    const char *to[] = {"alice@example.test", NULL};
    int64_t message_id;
    assert_ok(accept_body(r, q, id, "hello", 5, "a@b.test", to, &message_id));
    settle_at(r, q, newest(r, q).id, QUEUE_OUTCOME_DELIVERED, server, at_ms);
    return message_id;
}

static void on_kept(void *arg, int err, const struct queue_kept *kept)
{
    struct answer *a = arg;
    a->number = (int64_t)kept->messages;
    a->second = (int64_t)kept->bytes;
    a->third = kept->let_go.ms;
    a->fourth = kept->newest.ms;
    on_plain(a, err);
}

struct queue_kept kept(struct rig *r, struct queue *q, int64_t since_ms)
{
    ASK(r, a);
    queue_kept_count(q, (struct wall_time){since_ms}, on_kept, &a);
    rig_wait(r, &a.done);
    assert_ok(a.err);
    return (struct queue_kept){(uint64_t)a.number, (uint64_t)a.second, {a.third}, {a.fourth}};
}

void on_prune(void *arg, int err, size_t removed, const struct queue_kept *left)
{
    struct answer *a = arg;
    a->count = removed;
    on_kept(a, err, left);
}

struct answer prune(struct rig *r, struct queue *q, int64_t before_ms, uint64_t bytes_max)
{
    ASK(r, a);
    queue_kept_prune(q, (struct wall_time){before_ms}, bytes_max, on_prune, &a);
    rig_wait(r, &a.done);
    return a;
}

bool has_body(struct rig *r, struct queue *q, int64_t message_id)
{
    struct answer a = read_body(r, queue_body_open(q, message_id));
    if (a.err == 0)
        assert_str(a.text, "hello");
    else
        assert_err(a.err, ERR_NOT_FOUND);
    return a.err == 0;
}
