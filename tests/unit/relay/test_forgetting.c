/* Records of messages that have ended long ago are forgotten. Messages of the rig are from 1970. */
#include "relay/forgetting.h"
#include "unit/store/rig.h"
#include "unit/unit.h"

static struct queue *open_queue(struct rig *r)
{
    return own(r, r->store, "q", "node", 0, NULL, NULL);
}

static void deliver_one(struct rig *r, struct queue *q, uint64_t id)
{
    assert_ok(accept_one(r, q, id, "a@d.test"));
    assert_ok(settle(r, q, (int64_t)id, QUEUE_OUTCOME_DELIVERED, 0));
}

static size_t known(struct rig *r, struct queue *q)
{
    struct queue_filter all = {.states = UINT32_MAX, .limit = 1000};
    return list_rows(r, q, &all).count;
}

static void test_what_is_old_goes_in_steps(void **state)
{
    struct rig *r = *state;
    struct config_relay relay = {.custody_age_ms = 86400000};
    struct queue *q = open_queue(r);
    for (uint64_t id = 1; id <= 2 * QUEUE_FORGET_MAX; id++)
        deliver_one(r, q, id);
    struct forgetting *f = forgetting_new(r->loop, q, &relay);
    RIG_UNTIL(r, known(r, q) == 1); /* the newest */
    forgetting_free(f);
}

static void test_what_is_young_stays(void **state)
{
    struct rig *r = *state;
    struct config_relay relay = {.custody_age_ms = INT64_MAX / 2};
    struct queue *q = open_queue(r);
    for (uint64_t id = 1; id <= 2; id++)
        deliver_one(r, q, id);
    struct forgetting *f = forgetting_new(r->loop, q, &relay);
    for (int i = 0; i < 100; i++)
        rig_turn(r);
    assert_int_equal(known(r, q), 2);
    forgetting_free(f);
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup_memory, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_what_is_old_goes_in_steps),
        RIG_TEST(test_what_is_young_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
