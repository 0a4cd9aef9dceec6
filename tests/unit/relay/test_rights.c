/* Who may send what waits in a queue: over targets and scripted peers, beside another node's relay. */
#include "relay/rights.h"

#include <stdlib.h>

#include "store/records.h"
#include "target_rig.h"

#define WARM 50
#define SLOW_BYTES                                                                                           \
    340000 /* more than goes to a peer that does not read, less than with what waits on our side */

/* Another node: its relay's lease where it is held, and what its director writes. */
struct other {
    struct loop *loop;
    struct store *store;
    struct lease *lease;
    struct viewer *viewer;
    int64_t generation;
    bool written;
};

static struct other west; /* that a test has opened */

static void on_other_lease(void *arg)
{
    (void)arg;
}

static void on_other_view(void *arg, const struct view *v)
{
    (void)arg, (void)v;
}

static void other_open(struct target_rig *r, struct other *o)
{
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = r->memory};
    *o = (struct other){.loop = sim_loop_new(r->world, "west", "other")};
    assert_ok(store_open(o->loop, &options, &o->store, NULL));
    o->viewer = viewer_new(o->loop, store_network(o->store), on_other_view, o);
    RIG_UNTIL(r, right_is_held(r->right.right));
}

static void other_lives(struct target_rig *r, struct other *o)
{
    o->lease = lease_new(o->loop, store_network(o->store), STR("relay/other"), STR("other"),
                         RIGHT_RIG_LEASE_MS, &(struct lease_ops){on_other_lease, on_other_lease}, o);
    RIG_UNTIL(r, lease_is_held(o->lease));
}

static void other_close(struct other *o)
{
    sim_loop_kill(o->loop);
    if (o->lease)
        lease_free(o->lease);
    viewer_free(o->viewer);
    store_close(o->store);
    sim_loop_free(o->loop);
}

static void on_written(void *arg, int err, size_t failed)
{
    struct other *o = arg;
    (void)failed;
    assert_ok(err);
    o->written = true;
}

/* Both sides have seen it, those who run. */
static void give(struct target_rig *r, struct other *o, const char *queue, const char *owner,
                 const char *from)
{
    struct record_queue record = {str_from(owner), ++o->generation, str_from(from)};
    char *json = record_queue_encode(&record);
    struct network_change change = {.type = NETWORK_PUT,
                                    .kind = STR("queue"),
                                    .key = str_from(queue),
                                    .value = str_from(json),
                                    .expect_version = NETWORK_ANY_VERSION};
    o->written = false;
    network_write(store_network(o->store), &change, 1, NULL, on_written, o);
    RIG_UNTIL(r, o->written);
    free(json);
    rig_pass(r, 1000);
}

static struct str former_owner(const struct other *o, const char *queue)
{
    return view_queue_find(viewer_view(o->viewer), str_from(queue))->record.from;
}

/* Its message is up to its final dot when all of it stands still for longer than its lease. */
static void stand_still_before_the_dot(struct target_rig *r)
{
    r->peers[0].holds_data = true;
    rig_accept(r, "one");
    RIG_UNTIL(r, r->peers[0].held_data == 1);
    sim_loop_freeze(r->loop, true);
    rig_pass(r, 2 * RIGHT_RIG_LEASE_MS);
    peer_go_on(&r->peers[0]);
}

static void test_who_stood_still_gives_no_final_dot(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    other_lives(r, &west);
    stand_still_before_the_dot(r);
    give(r, &west, "q", "other", "node");
    sim_loop_freeze(r->loop, false);
    rig_pass(r, 30000);
    assert_int_equal(r->peers[0].taken_count, 0);
    assert_int_equal(r->peers[0].in_data, 0);
    struct target_observation seen;
    target_observe(r->targets[0], &seen);
    assert_int_equal(seen.word->state, HEALTH_OPERATIONAL); /* and blames nobody */
    assert_int_equal(seen.failed, 0);
    give(r, &west, "q", "node", "");
    RIG_UNTIL(r, r->peers[0].taken_count == 1);
    rig_pass(r, 10000);
    assert_int_equal(r->peers[0].taken_count, 1);
}

/* All but its dot is in the kernel, or on its way there, when it falls asleep; and when it wakes the socket
 * is served before any timer. */
static void test_the_clock_is_asked_right_before_the_dot(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    r->peers[0].holds_body = true;
    rig_accept_sized(r, "one", SLOW_BYTES);
    RIG_UNTIL(r, r->peers[0].held_data == 1);
    rig_pass(r, 100);
    sim_loop_freeze(r->loop, true);
    peer_go_on(&r->peers[0]);
    rig_pass(r, 2 * RIGHT_RIG_LEASE_MS);
    give(r, &west, "q", "other", "node");
    sim_loop_freeze(r->loop, false);
    rig_pass(r, 30000);
    assert_int_equal(r->peers[0].taken_count, 0);
    assert_int_equal(r->peers[0].in_data, 0);
    give(r, &west, "q", "node", "");
    RIG_UNTIL(r, r->peers[0].taken_count == 1);
}

/* Its queue was left to it: it tries again, under a lease that it has taken anew. */
static void test_what_was_not_ended_is_sent_under_the_next_lease(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    stand_still_before_the_dot(r);
    int before = r->peers[0].greetings;
    sim_loop_freeze(r->loop, false);
    RIG_UNTIL(r, r->peers[0].taken_count == 1);
    assert_int_equal(r->peers[0].greetings, before + 1);
    rig_pass(r, 10000);
    assert_int_equal(r->peers[0].taken_count, 1);
}

static void test_sessions_before_their_dot_are_cut_when_the_lease_is_lost(void **state)
{
    struct target_rig *r = *state;
    for (int i = 0; i < WARM; i++) /* so that several sessions are allowed */
        rig_accept(r, "warm");
    RIG_UNTIL(r, r->peers[0].taken_count == WARM);
    r->peers[0].delay_ms = -1;
    rig_accept(r, "dotted");
    RIG_UNTIL(r, r->peers[0].in_data == 1);
    r->peers[0].holds_data = true;
    rig_accept(r, "amid");
    RIG_UNTIL(r, r->peers[0].held_data == 1);
    rights_on_lost(r->right.rights);
    assert_false(right_is_held(r->right.right));
    rig_accept(r, "late");
    rig_pass(r, 10000);
    assert_int_equal(r->peers[0].held_data, 0);
    assert_int_equal(r->peers[0].in_data, 1); /* its answer may still be recorded */
    assert_int_equal(source_ready(r->source, SOURCE_NORMAL), 0);
    r->peers[0].holds_data = false;
    r->peers[0].delay_ms = 0;
    rights_on_held(r->right.rights, r->right.lease);
    viewer_refresh(r->right.viewer);
    RIG_UNTIL(r, r->peers[0].taken_count == WARM + 2);
    assert_true(peer_place_of(&r->peers[0], "amid") >= 0 && peer_place_of(&r->peers[0], "late") >= 0);
}

static void test_a_view_of_before_the_lease_says_nothing(void **state)
{
    struct target_rig *r = *state;
    RIG_UNTIL(r, right_is_held(r->right.right));
    rights_on_held(r->right.rights, r->right.lease); /* taken anew, a moment after the last reading */
    assert_false(right_is_held(r->right.right));
    rights_on_view(r->right.rights, viewer_view(r->right.viewer));
    assert_false(right_is_held(r->right.right));
    RIG_UNTIL(r, right_is_held(r->right.right));
}

static void test_who_took_over_waits_until_the_former_owner_lets_go(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    other_lives(r, &west);
    give(r, &west, "q", "node", "other");
    rig_accept(r, "one"); /* that does not wait */
    rig_pass(r, 4 * RIGHT_RIG_LEASE_MS);
    assert_int_equal(r->peers[0].greetings, 0);
    give(r, &west, "q", "node", "");
    RIG_UNTIL(r, r->peers[0].taken_count == 1);
}

static void test_who_took_over_waits_no_longer_than_the_former_owners_lease(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    other_lives(r, &west);
    give(r, &west, "q", "node", "other");
    rig_accept(r, "one");
    sim_loop_freeze(west.loop, true);
    rig_pass(r, RIGHT_RIG_LEASE_MS / 2);
    assert_int_equal(r->peers[0].greetings, 0);
    rig_pass(r, RIGHT_RIG_LEASE_MS);
    assert_int_equal(r->peers[0].taken_count, 1);
    sim_loop_freeze(west.loop, false); /* it lives again, and has not let go: it does not matter any more */
    RIG_UNTIL(r, lease_is_held(west.lease));
    rig_pass(r, 1000);
    rig_accept(r, "two");
    RIG_UNTIL(r, r->peers[0].taken_count == 2);
}

static void test_a_queue_is_let_go_of_when_nothing_of_it_is_in_our_hands(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    give(r, &west, "elsewhere", "other", "node");
    assert_str(former_owner(&west, "elsewhere"), "");
    give(r, &west, "thirds", "other", "third");
    assert_str(former_owner(&west, "thirds"), "third");
    give(r, &west, "q", "other", "node");
    assert_str(former_owner(&west, "q"), "node"); /* it is open here still */
    assert_false(right_is_held(r->right.right));
    target_remove_source(r->routed, r->source);
    source_free(r->source);
    right_free(r->right.right);
    rig_pass(r, 1000);
    assert_str(former_owner(&west, "q"), "");
    assert_str(view_queue_find(viewer_view(west.viewer), STR("q"))->record.owner, "other");
    assert_int_equal(view_queue_find(viewer_view(west.viewer), STR("q"))->record.generation, west.generation);
    r->right.right = right_new(r->right.rights, r->queue, true, NULL);
    r->source =
        source_new(r->loop, r->queue, r->right.right, r->claims, STR("d.test"), STR_EMPTY, NULL, NULL);
}

/* Without a lease it is somebody else who may speak for this node. */
static void test_who_holds_no_lease_lets_nothing_go(void **state)
{
    struct target_rig *r = *state;
    other_open(r, &west);
    rights_on_lost(r->right.rights);
    give(r, &west, "elsewhere", "other", "node");
    assert_str(former_owner(&west, "elsewhere"), "node");
}

static int teardown(void **state)
{
    if (west.loop)
        other_close(&west);
    west.loop = NULL;
    return target_rig_teardown(state);
}

#define T(name) cmocka_unit_test_setup_teardown(name, target_rig_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_who_stood_still_gives_no_final_dot),
        T(test_the_clock_is_asked_right_before_the_dot),
        T(test_what_was_not_ended_is_sent_under_the_next_lease),
        T(test_sessions_before_their_dot_are_cut_when_the_lease_is_lost),
        T(test_a_view_of_before_the_lease_says_nothing),
        T(test_who_took_over_waits_until_the_former_owner_lets_go),
        T(test_who_took_over_waits_no_longer_than_the_former_owners_lease),
        T(test_a_queue_is_let_go_of_when_nothing_of_it_is_in_our_hands),
        T(test_who_holds_no_lease_lets_nothing_go),
    };
    return cmocka_run_group_tests_name("relay rights", tests, NULL, NULL);
}
