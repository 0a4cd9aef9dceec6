/* The SQLite engine's threads under load, for the thread sanitizer: accepts,
 * deliveries, lists, bodies and the network at once through one real loop,
 * with two processes on the network and a second reader on the queue. */
#include "rig.h"

#include "base/mem.h"

#define MESSAGES  400
#define AT_A_TIME 16

struct hammer {
    struct rig *rig;
    struct queue *queue;
    struct network *other;
    uint64_t sent, accepted, settled;
    int reads_under_way;
    int64_t due_after;
    bool draining, done;
    int failures;
};

static void send_next(struct hammer *h);
static void drain_more(struct hammer *h);

static void check(struct hammer *h, bool holds)
{
    h->failures += !holds;
}

static void turn(struct hammer *h)
{
    h->done = h->settled >= MESSAGES && h->reads_under_way == 0;
    if (h->done)
        loop_stop(h->rig->loop);
}

/* ---- sending ---- */

static void on_accept(void *arg, int err, int64_t message_id)
{
    struct hammer *h = arg;
    check(h, err == 0 && message_id > 0);
    h->accepted++;
    send_next(h);
    if (!h->draining)
        drain_more(h);
}

static void send_next(struct hammer *h)
{
    static const char zeroes[8000];
    struct queue_recipient_in to = {STR("alice@example.test"), STR("example.test"), STR_EMPTY};
    if (h->sent >= MESSAGES)
        return;
    struct queue_message_in in = {.custody_id = id_of(++h->sent), .reverse_path = STR_EMPTY};
    struct body_writer *w = queue_body_begin(h->queue);
    for (uint64_t i = 0; i < (h->sent % 10 == 0 ? 20 : 1); i++)
        body_append(w, zeroes, sizeof(zeroes));
    queue_accept(h->queue, w, &in, &to, 1, on_accept, h);
}

/* ---- delivering ---- */

struct delivery {
    struct hammer *hammer;
    struct body_reader *reader;
    int64_t id;
    uint64_t at, size;
};

static void on_settle(void *arg, int err)
{
    struct delivery *d = arg;
    struct hammer *h = d->hammer;
    check(h, err == 0);
    h->settled++;
    free(d);
    turn(h);
}

static void on_read(void *arg, int err, const char *data, size_t len)
{
    struct delivery *d = arg;
    (void)data;
    check(d->hammer, err == 0);
    d->at += len;
    if (err == 0 && len > 0) {
        body_read(d->reader, d->at, 65536, on_read, d);
        return;
    }
    check(d->hammer, d->at == d->size);
    body_close(d->reader);
    struct queue_result result = {
        .delivery_id = d->id, .outcome = QUEUE_OUTCOME_DELIVERED, .reply = STR("250 ok")};
    queue_settle(d->hammer->queue, &result, 1, on_settle, d);
}

static void on_due(void *arg, int err, const struct queue_rows *rows)
{
    struct hammer *h = arg;
    h->draining = false;
    h->reads_under_way--;
    check(h, err == 0);
    for (size_t i = 0; err == 0 && i < rows->count; i++) {
        struct delivery *d = mem_zalloc(sizeof(*d));
        d->hammer = h;
        d->id = h->due_after = rows->items[i].id;
        d->size = rows->items[i].size_bytes;
        d->reader = queue_body_open(h->queue, rows->items[i].message_id);
        body_read(d->reader, 0, 65536, on_read, d);
    }
    turn(h);
    if (h->accepted == MESSAGES && h->due_after < MESSAGES)
        drain_more(h);
}

static void on_summary(void *arg, int err, const struct queue_count *counts, size_t count)
{
    struct hammer *h = arg;
    (void)counts;
    h->reads_under_way--;
    check(h, err == 0 && count <= 1);
    turn(h);
}

static void on_lease(void *arg, int err, const struct network_lease *current)
{
    struct hammer *h = arg;
    h->reads_under_way--;
    check(h, (err == 0 || err == ERR_BUSY) && current);
    turn(h);
}

static void drain_more(struct hammer *h)
{
    struct queue_due_filter f = {
        .domain = STR("example.test"), .home = STR_EMPTY, .after_id = h->due_after, .limit = 8};
    h->draining = true;
    h->reads_under_way += 4;
    queue_due(h->queue, &f, on_due, h);
    queue_summary(h->queue, on_summary, h);
    network_lease_take(h->rig->network, STR("director"), STR("east"), 0, 1000, on_lease, h);
    network_lease_take(h->other, STR("director"), STR("west"), 0, 1000, on_lease, h);
}

static void everything_at_once(void **state)
{
    struct rig *r = *state;
    struct store *other = rig_open(r);
    struct hammer h = {.rig = r, .other = store_network(other)};
    h.queue = own(r, r->store, "q", "east1", 0, NULL, NULL);
    for (int i = 0; i < AT_A_TIME; i++)
        send_next(&h);
    rig_wait(r, &h.done);
    assert_int_equal(h.failures, 0);
    assert_int_equal(h.settled, MESSAGES);
    assert_int_equal(summary(r, h.queue).count, 0);
    rig_close(r, other);
}

static void on_own_closed(void *arg, int err, struct queue *q, int64_t epoch)
{
    struct answer *a = arg;
    a->number = epoch;
    queue_close(q);
    on_plain(a, err);
}

static void queues_open_and_close_in_a_row(void **state)
{
    struct rig *r = *state;
    for (int64_t epoch = 0; epoch < 30; epoch++) {
        ASK(r, a);
        store_queue_own(r->store, STR("q"), STR("east1"), epoch, on_own_closed, &a);
        rig_wait(r, &a.done);
        assert_ok(a.err);
        assert_int_equal(a.number, epoch + 1);
    }
}

static void closing_under_load_is_quiet(void **state)
{
    struct rig *r = *state;
    for (int round = 0; round < 10; round++) {
        struct store *s = rig_open(r);
        struct network_change change = {NETWORK_PUT, STR("node"), STR("x"), STR("1"), NETWORK_ANY_VERSION};
        for (int i = 0; i < 50; i++) {
            network_write(store_network(s), &change, 1, NULL, NULL, NULL);
            store_op_forget(network_read(store_network(s), STR("node"), STR("x"), NULL, NULL));
        }
        rig_turn(r);
        rig_close(r, s);
    }
}

#define THREAD_TEST(fn) cmocka_unit_test_setup_teardown(fn, rig_setup_sqlite, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        THREAD_TEST(everything_at_once),
        THREAD_TEST(queues_open_and_close_in_a_row),
        THREAD_TEST(closing_under_load_is_quiet),
    };
    return cmocka_run_group_tests_name("store threads", tests, NULL, NULL);
}
