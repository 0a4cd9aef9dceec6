/* What was delivered is kept for its time, as much as fits. Deliveries of the rig end in 1970. */
#include "relay/safety_net.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

#define FIFTY_BYTES "12345678901234567890123456789012345678901234567890"
#define SINCE_1970  INT64_MAX

struct net {
    struct rig *rig;
    struct queue *queue;
    struct config_relay relay;
    struct record_work work;
    struct safety_net *net;
};

static void start(struct net *n, struct rig *r, int64_t age_ms, int64_t bytes_max)
{
    *n = (struct net){.rig = r, .queue = own(r, r->store, "q", "node", 0, NULL, NULL)};
    n->relay = (struct config_relay){.safety_net_ms = age_ms, .safety_net_max_bytes = bytes_max};
    n->net = safety_net_new(r->loop, n->queue, r->network, &n->relay, &n->work);
}

static void deliver_one(struct net *n, uint64_t id)
{
    const char *to[] = {"a@d.test", NULL};
    struct queue_filter all = {.limit = 1};
    assert_ok(accept_body(n->rig, n->queue, id, FIFTY_BYTES, 50, "", to, NULL));
    struct answer a = list_rows(n->rig, n->queue, &all);
    assert_ok(
        settle(n->rig, n->queue, ((const struct queue_delivery *)a.items)->id, QUEUE_OUTCOME_DELIVERED, 0));
}

/* A net looks when it begins, and then every two seconds. */
static void look_now(struct net *n)
{
    safety_net_free(n->net);
    assert_int_equal(n->work.kept, 0);
    n->net = safety_net_new(n->rig->loop, n->queue, n->rig->network, &n->relay, &n->work);
}

static void stop(struct net *n)
{
    safety_net_free(n->net);
    assert_int_equal(n->work.kept, 0);
    assert_int_equal(n->work.kept_bytes, 0);
}

static uint64_t never(void *arg, uint64_t n)
{
    (void)arg;
    return n - 1;
}

struct seen {
    struct loop *loop;
    size_t count;
    bool done;
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct seen *seen = arg;
    assert_ok(err);
    seen->count = count;
    for (size_t i = 0; i < count; i++) {
        assert_str(events[i].kind, "safety-net");
        assert_str(events[i].subject, "q");
        assert_true(str_starts(events[i].detail, STR("{\"let_go\":\"1970-01-01T00:00:05.000Z\"")));
    }
    seen->done = true;
    loop_stop(seen->loop);
}

/* Of the net, that it reaches back too little. */
static size_t told(struct net *n)
{
    struct seen seen = {.loop = n->rig->loop};
    network_events(n->rig->network, 0, 1000, on_events, &seen);
    rig_wait(n->rig, &seen.done);
    return seen.count;
}

static void test_what_is_young_and_fits_stays(void **state)
{
    struct net n;
    start(&n, *state, SINCE_1970, 1000);
    for (uint64_t id = 1; id <= 3; id++)
        deliver_one(&n, id);
    look_now(&n);
    RIG_UNTIL(n.rig, n.work.kept == 3 && n.work.kept_bytes == 150);
    assert_int_equal(told(&n), 0);
    assert_int_equal(n.work.kept_after_s, 0);
    stop(&n);
}

static void test_what_is_too_much_goes(void **state)
{
    struct net n;
    start(&n, *state, SINCE_1970, 120);
    for (uint64_t id = 1; id <= 300; id++) /* more than one call's worth */
        deliver_one(&n, id);
    look_now(&n);
    RIG_UNTIL(n.rig, n.work.kept == 2 && n.work.kept_bytes == 100);
    RIG_UNTIL(n.rig, told(&n) == 1); /* of two prunings */
    assert_int_equal(n.work.kept_after_s, 5);
    stop(&n);
}

/* The disk has 100 bytes left, and 150 are kept: 125 are its share, and then 100. */
static void test_half_of_the_disk_is_left_free(void **state)
{
    static const struct store_memory_faults small = {.free_bytes = 100};
    struct net n;
    start(&n, *state, SINCE_1970, 1000000);
    for (uint64_t id = 1; id <= 3; id++)
        deliver_one(&n, id);
    store_memory_set_faults(n.rig->memory, &small, never, NULL);
    look_now(&n);
    RIG_UNTIL(n.rig, n.work.kept == 3);
    RIG_UNTIL(n.rig, n.work.kept == 2);
    RIG_UNTIL(n.rig, told(&n) == 1);
    stop(&n);
}

static void test_what_is_too_old_goes(void **state)
{
    struct net n;
    start(&n, *state, SINCE_1970, 1000);
    deliver_one(&n, 1);
    look_now(&n);
    RIG_UNTIL(n.rig, n.work.kept == 1);
    n.relay.safety_net_ms = 1000; /* as a reload changes it */
    RIG_UNTIL(n.rig, n.work.kept == 0);
    assert_int_equal(n.work.kept_after_s, 5);
    assert_int_equal(told(&n), 0); /* that is its time */
    stop(&n);
}

static void test_without_a_net_nothing_is_kept(void **state)
{
    struct net n;
    start(&n, *state, SINCE_1970, 1000);
    deliver_one(&n, 1);
    look_now(&n);
    RIG_UNTIL(n.rig, n.work.kept == 1);
    n.relay.safety_net_ms = 0;
    RIG_UNTIL(n.rig, n.work.kept == 0); /* what was kept goes, too */
    deliver_one(&n, 2);
    struct answer a = read_body(n.rig, queue_body_open(n.queue, 2));
    assert_err(a.err, ERR_NOT_FOUND);
    stop(&n);
}

static void test_it_gives_way_to_what_waits(void **state)
{
    static const struct store_memory_faults full = {.full = true};
    struct net n;
    start(&n, *state, SINCE_1970, 1000);
    for (uint64_t id = 1; id <= 4; id++)
        deliver_one(&n, id);
    look_now(&n);
    RIG_UNTIL(n.rig, n.work.kept == 4);
    store_memory_set_faults(n.rig->memory, &full, never, NULL);
    RIG_UNTIL(n.rig, n.work.kept == 0);
    stop(&n);
}

#define NET_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET_TEST(test_what_is_young_and_fits_stays), NET_TEST(test_what_is_too_much_goes),
        NET_TEST(test_what_is_too_old_goes),         NET_TEST(test_without_a_net_nothing_is_kept),
        NET_TEST(test_it_gives_way_to_what_waits),   NET_TEST(test_half_of_the_disk_is_left_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
