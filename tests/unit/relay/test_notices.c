/* A queue's notices become the network's events, each once. */
#include <stdio.h>
#include <string.h>

#include "relay/notices.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

#define MAIL_COUNT 120 /* more than two batches */

static struct queue *open_queue(struct rig *r, int64_t epoch)
{
    return own(r, r->store, "q", "node", epoch, NULL, NULL);
}

static void quarantine(struct rig *r, struct queue *q, int64_t count)
{
    for (int64_t id = 1; id <= count; id++) {
        assert_ok(accept_one(r, q, (uint64_t)id, "a@d.test"));
        assert_ok(settle(r, q, id, QUEUE_OUTCOME_QUARANTINED, 0));
    }
}

struct seen {
    struct loop *loop;
    bool done;
    size_t count;
    char last[512]; /* detail */
    char kind[32];  /* the last's */
};

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    struct seen *seen = arg;
    assert_ok(err);
    seen->count = count;
    for (size_t i = 0; i < count; i++) {
        snprintf(seen->kind, sizeof(seen->kind), "%.*s", STR_ARG(events[i].kind));
        snprintf(seen->last, sizeof(seen->last), "%.*s", STR_ARG(events[i].detail));
    }
    seen->done = true;
    loop_stop(seen->loop);
}

static struct seen events(struct rig *r)
{
    struct seen seen = {.loop = r->loop};
    network_events(r->network, 0, 1000, on_events, &seen);
    rig_wait(r, &seen.done);
    return seen;
}

static void test_each_is_told_once(void **state)
{
    struct rig *r = *state;
    struct queue *q = open_queue(r, 0);
    struct notices *n = notices_new(r->loop, q, r->network);
    quarantine(r, q, 1);
    notices_kick(n);
    RIG_UNTIL(r, events(r).count == 1 && notices(r, q, 9).count == 0);
    assert_non_null(strstr(events(r).last, "\"recipient\":\"a@d.test\""));
    assert_non_null(strstr(events(r).last, "\"server\":\"mail1\""));
    assert_string_equal(events(r).kind, "quarantined");
    notices_kick(n);
    rig_turn(r);
    assert_int_equal(events(r).count, 1);
    notices_free(n);
}

/* Mail that is given up may have been on its way to no server. */
static void test_a_loop_is_told_from_the_rest(void **state)
{
    struct rig *r = *state;
    struct queue *q = open_queue(r, 0);
    struct notices *n = notices_new(r->loop, q, r->network);
    r->stopped = STR("5.4.6 mail loop: it had passed 101 servers, this relay 0 times");
    assert_ok(accept_one(r, q, 1, "a@d.test"));
    r->stopped = STR_EMPTY;
    notices_kick(n);
    RIG_UNTIL(r, events(r).count == 1);
    assert_string_equal(events(r).kind, "loop");
    assert_ok(accept_one(r, q, 2, "a@d.test"));
    struct queue_filter waiting = {.states = 1U << QUEUE_WAITING, .limit = 1};
    struct answer a = list_rows(r, q, &waiting);
    struct queue_result expired = {.delivery_id = ((const struct queue_delivery *)a.items)->id,
                                   .outcome = QUEUE_OUTCOME_QUARANTINED,
                                   .reply = STR("expired: too old"),
                                   .at = {5000}};
    assert_ok(settle_result(r, q, &expired));
    notices_kick(n);
    RIG_UNTIL(r, events(r).count == 2);
    assert_string_equal(events(r).kind, "quarantined");
    notices_free(n);
}

static void test_what_an_earlier_process_left_is_told(void **state)
{
    struct rig *r = *state;
    struct queue *q = open_queue(r, 0);
    quarantine(r, q, MAIL_COUNT);
    queue_close(q);
    q = open_queue(r, 1);
    struct notices *n = notices_new(r->loop, q, r->network);
    RIG_UNTIL(r, notices(r, q, 9).count == 0);
    assert_int_equal(events(r).count, MAIL_COUNT);
    notices_free(n);
}

/* The events are there, the queue has not forgotten: the network's record knows. */
static void test_none_is_told_twice_after_a_crash(void **state)
{
    struct rig *r = *state;
    struct queue *q = open_queue(r, 0);
    quarantine(r, q, MAIL_COUNT);
    while (events(r).count < MAIL_COUNT) { /* killed at every turn */
        struct notices *n = notices_new(r->loop, q, r->network);
        for (size_t before = events(r).count; events(r).count == before;)
            rig_turn(r);
        notices_free(n);
    }
    struct notices *n = notices_new(r->loop, q, r->network);
    RIG_UNTIL(r, notices(r, q, 9).count == 0);
    assert_int_equal(events(r).count, MAIL_COUNT);
    notices_free(n);
}

static uint64_t draw_first(void *arg, uint64_t n)
{
    (void)arg, (void)n;
    return 0;
}

static void test_a_network_that_is_away_is_waited_for(void **state)
{
    struct rig *r = *state;
    struct queue *q = open_queue(r, 0);
    quarantine(r, q, 2);
    struct store_memory_faults away = {.unreachable = true}, well = {0};
    store_memory_set_faults(r->memory, &away, draw_first, NULL);
    struct notices *n = notices_new(r->loop, q, r->network);
    for (int turn = 0; turn < 20; turn++)
        rig_turn(r);
    store_memory_set_faults(r->memory, &well, draw_first, NULL);
    assert_int_equal(events(r).count, 0);
    RIG_UNTIL(r, notices(r, q, 9).count == 0);
    assert_int_equal(events(r).count, 2);
    notices_free(n);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_each_is_told_once),
        RIG_TEST(test_a_loop_is_told_from_the_rest),
        RIG_TEST(test_what_an_earlier_process_left_is_told),
        RIG_TEST(test_none_is_told_twice_after_a_crash),
        RIG_TEST(test_a_network_that_is_away_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
