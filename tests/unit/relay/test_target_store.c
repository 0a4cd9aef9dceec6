/* Targets while the relay's own store is silent, on the simulated loop. */
#include "target_rig.h"

#define LONG_MS 60000 /* by far longer than it takes to ask for another server */

static bool asks_for_another(struct target_rig *r)
{
    struct target_observation seen;
    target_observe(r->targets[0], &seen);
    return seen.invoke;
}

static bool is_as(struct target_rig *r, enum health_state state)
{
    struct target_observation seen;
    target_observe(r->targets[0], &seen);
    return seen.word->state == state;
}

static void be_well(struct target_rig *r, enum server_kind kind)
{
    r->servers[0].kind = kind;
    RIG_UNTIL(r, is_as(r, HEALTH_OPERATIONAL));
}

static void refuse(struct target_rig *r)
{
    loop_listener_free(r->peers[0].listener);
    r->peers[0].listener = NULL;
}

/* As an instance of ours does that cannot renew its lease, and opens again when it can. */
static void test_what_is_refused_while_our_store_is_away_asks_for_no_other(void **state)
{
    struct target_rig *r = *state;
    be_well(r, SERVER_BUILTIN);
    target_on_store(r->targets[0], false);
    refuse(r);
    rig_pass(r, LONG_MS);
    assert_false(asks_for_another(r));
    target_on_store(r->targets[0], true);
    assert_false(asks_for_another(r));
    rig_pass(r, r->servers[0].failover.after_ms - 500); /* time to open */
    assert_false(asks_for_another(r));
    RIG_UNTIL(r, asks_for_another(r)); /* it does not */
}

static void test_what_was_refused_before_our_store_was_lost_is_counted_anew(void **state)
{
    struct target_rig *r = *state;
    be_well(r, SERVER_BUILTIN);
    refuse(r);
    RIG_UNTIL(r, asks_for_another(r));
    target_on_store(r->targets[0], false);
    assert_false(asks_for_another(r));
    target_on_store(r->targets[0], true);
    assert_false(asks_for_another(r));
    RIG_UNTIL(r, asks_for_another(r));
}

/* As one does whose lease runs out once more. */
static void test_who_refuses_again_while_it_recovers_is_counted_anew(void **state)
{
    struct target_rig *r = *state;
    r->checks[0].rise = 3;
    target_reload(r->targets[0]);
    be_well(r, SERVER_BUILTIN);
    target_on_store(r->targets[0], false);
    refuse(r);
    rig_pass(r, LONG_MS);
    peer_serve(&r->peers[0]);
    RIG_UNTIL(r, is_as(r, HEALTH_RECOVERING));
    target_on_store(r->targets[0], true);
    refuse(r);
    RIG_UNTIL(r, !is_as(r, HEALTH_RECOVERING));
    assert_false(asks_for_another(r));
    RIG_UNTIL(r, asks_for_another(r));
}

static void test_a_server_that_is_silent_is_counted_as_ever(void **state)
{
    struct target_rig *r = *state;
    be_well(r, SERVER_BUILTIN);
    target_on_store(r->targets[0], false);
    sim_net_isolate(r->world, "mail0", true);
    RIG_UNTIL(r, asks_for_another(r));
    target_on_store(r->targets[0], true);
    assert_true(asks_for_another(r));
}

/* It knows nothing of our store. */
static void test_an_external_server_that_refuses_is_counted_as_ever(void **state)
{
    struct target_rig *r = *state;
    be_well(r, SERVER_EXTERNAL);
    target_on_store(r->targets[0], false);
    refuse(r);
    RIG_UNTIL(r, asks_for_another(r));
    target_on_store(r->targets[0], true);
    assert_true(asks_for_another(r));
}

#define TARGET_TEST(name) cmocka_unit_test_setup_teardown(name, target_rig_setup, target_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TARGET_TEST(test_what_is_refused_while_our_store_is_away_asks_for_no_other),
        TARGET_TEST(test_what_was_refused_before_our_store_was_lost_is_counted_anew),
        TARGET_TEST(test_who_refuses_again_while_it_recovers_is_counted_anew),
        TARGET_TEST(test_a_server_that_is_silent_is_counted_as_ever),
        TARGET_TEST(test_an_external_server_that_refuses_is_counted_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
