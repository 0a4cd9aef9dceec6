/* Real directors in the simulated two-site network: whatever dies, one instance
 * serves in the end, routed to exactly once. */
#include "director/role.h"

#include <stdio.h>

#include "base/log.h"
#include "rig.h"
#include "unit/unit.h"

static bool all_orders_done(struct rig *r)
{
    const struct view *v = viewer_view(r->viewer);
    for (size_t i = 0; i < v->order_count; i++)
        if (str_eq(v->orders[i].record.state, STR("new")) || str_eq(v->orders[i].record.state, STR("taken")))
            return false;
    return true;
}

static bool settled(struct rig *r)
{
    return rig_serves(r) && all_orders_done(r);
}

static struct rig *started(uint64_t seed)
{
    struct rig *r = rig_new(seed);
    rig_start_node(r, RIG_EAST);
    rig_start_node(r, RIG_WEST);
    rig_run_until(r, settled, 10000);
    return r;
}

static void is_at(struct rig *r, const char *node, const char *address)
{
    struct record_server record = rig_record(r);
    assert_str(record.instance.node, node);
    assert_str(record.instance.address, address);
}

static bool done(struct rig *r)
{
    const char *state = rig_order_state(r, r->orders);
    return strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 || strcmp(state, "later") == 0;
}

static void order(struct rig *r, const char *verb, const char *expected)
{
    int64_t order = rig_order(r, verb, "mail1");
    rig_run_until(r, done, 20000);
    if (strcmp(rig_order_state(r, order), expected) != 0)
        fail_msg("%s is not %s: %s", verb, expected, rig_order_result(r, order));
}

static void first_start_is_at_home(void **state)
{
    (void)state;
    struct rig *r = started(1);
    struct record_server record = rig_record(r);
    const struct view_route *route = view_route_find(viewer_view(r->viewer), STR("example.test"));
    is_at(r, "east1", "127.1.0.10");
    assert_int_equal(record.epoch, 1);
    assert_int_equal(record.generation, 1);
    assert_non_null(route);
    assert_str(route->record.server, "mail1");
    assert_int_equal(rig_alive(r), 1);
    rig_run_ms(r, 20000); /* and stays */
    assert_int_equal(rig_record(r).generation, 1);
    rig_free(r);
}

static void waits_for_its_home_node(void **state)
{
    (void)state;
    struct rig *r = rig_new(2);
    rig_start_node(r, RIG_WEST);
    rig_run_ms(r, 10000);
    assert_int_equal(r->instance_count, 0);
    rig_start_node(r, RIG_EAST);
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void a_dead_instance_is_created_again_in_place(void **state)
{
    (void)state;
    struct rig *r = started(3);
    rig_kill_instance(rig_current(r));
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

static void a_dead_site_is_left_and_failback_returns(void **state)
{
    (void)state;
    struct rig *r = started(4);
    rig_kill_node(r, RIG_EAST);
    rig_run_until(r, rig_serves, 15000);
    is_at(r, "west1", "127.2.0.10");
    const struct view_queue *q = view_queue_find(viewer_view(r->viewer), STR("relay-east"));
    assert_str(q->record.owner, "west1");
    order(r, "failback", "later"); /* nobody is there */
    assert_true(rig_serves(r));

    rig_start_node(r, RIG_EAST);
    rig_run_until(r, settled, 10000);
    rig_run_ms(r, 5000);
    q = view_queue_find(viewer_view(r->viewer), STR("relay-east"));
    assert_str(q->record.owner, "east1");
    is_at(r, "west1", "127.2.0.10"); /* not by itself */
    order(r, "failback", "done");
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_alive(r), 1);
    order(r, "failback", "failed");
    rig_free(r);
}

static bool east_lives(struct rig *r)
{
    const struct view_node *n = view_node_find(viewer_view(r->viewer), STR("east1"));
    return n && n->alive;
}

static bool its_end_is_ordered(struct rig *r, const char *target)
{
    const struct view *v = viewer_view(r->viewer);
    for (size_t i = 0; i < v->order_count; i++)
        if (str_eq(v->orders[i].record.verb, STR("destroy")) &&
            str_eq(v->orders[i].record.target, str_from(target)))
            return true;
    return false;
}

static void a_node_that_was_only_paused_finds_itself_fenced(void **state)
{
    (void)state;
    struct rig *r = started(5);
    rig_freeze_node(r, RIG_EAST, true);
    rig_run_until(r, rig_serves, 15000);
    is_at(r, "west1", "127.2.0.10");
    assert_true(its_end_is_ordered(r, "node/east1"));
    assert_int_equal(rig_alive(r), 2); /* one cannot write, and has no traffic */
    order(r, "failback", "later");     /* its address may still be held there */
    rig_freeze_node(r, RIG_EAST, false);
    rig_run_until(r, east_lives, 10000);
    order(r, "failback", "done"); /* though the old one is only just being destroyed */
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void a_creation_that_fails_is_undone_and_the_next_entry_tried(void **state)
{
    (void)state;
    struct rig *r = started(6);
    r->nodes[RIG_EAST].create_fails = 100;
    rig_kill_instance(rig_current(r));
    rig_run_until(r, settled, 15000);
    is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

static void a_failover_of_a_healthy_instance_ends_it_first(void **state)
{
    (void)state;
    struct rig *r = started(13);
    rig_order(r, "failover", "mail1");
    rig_run_until(r, done, 1000); /* nobody waits for the end of a fenced holder's lease */
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_record(r).instance.epoch, 2);
    assert_int_equal(rig_alive(r), 1);
    rig_free(r); /* sees two at one address */
}

static void a_fence_that_fails_is_no_fence(void **state)
{
    (void)state;
    struct rig *r = started(14);
    r->nodes[RIG_EAST].fence_fails = true;
    order(r, "failover", "done");
    rig_run_until(r, settled, 10000);
    is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_alive(r), 1); /* its node was told to destroy the old one, too */
    rig_free(r);
}

/* A reboot of everything: nobody has failed over, and nobody has to. */
static void after_a_reboot_it_starts_again_in_place(void **state)
{
    (void)state;
    struct rig *r = started(15);
    order(r, "switchover", "done");
    rig_run_until(r, settled, 10000);
    r->server->failover.mode = FAILOVER_MANUAL;
    rig_kill_node(r, RIG_EAST);
    rig_kill_node(r, RIG_WEST);
    rig_run_ms(r, 5000);
    rig_start_node(r, RIG_EAST);
    rig_start_node(r, RIG_WEST);
    rig_run_until(r, rig_serves, 900); /* before relays could have asked for another */
    is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 3);
    rig_run_until(r, settled, 10000);
    rig_free(r);
}

/* Only the director's process was restarted: its instance lives on. */
static void a_restarted_director_leaves_its_instance_alone(void **state)
{
    (void)state;
    struct rig *r = started(16);
    rig_kill_director(r, RIG_EAST);
    rig_start_director(r, RIG_EAST);
    rig_run_ms(r, 10000);
    assert_int_equal(rig_record(r).generation, 1);
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

/* The entry of the west names no agent; its address is taken over in place all the same. */
static void the_last_site_creates_again_in_place(void **state)
{
    (void)state;
    struct rig *r = started(17);
    rig_kill_node(r, RIG_EAST);
    rig_run_until(r, rig_serves, 15000);
    is_at(r, "west1", "127.2.0.10");
    rig_kill_instance(rig_current(r));
    rig_run_until(r, rig_serves, 15000);
    is_at(r, "west1", "127.2.0.10");
    rig_free(r);
}

static bool waits(struct rig *r)
{
    return str_eq(rig_record(r).state, STR("waiting"));
}

static void when_nothing_works_it_tries_again(void **state)
{
    (void)state;
    struct rig *r = started(7);
    r->nodes[RIG_EAST].create_fails = r->nodes[RIG_WEST].create_fails = 3;
    rig_kill_instance(rig_current(r));
    rig_run_until(r, waits, 15000);
    rig_run_until(r, settled, 60000);
    assert_int_equal(rig_alive(r), 1);
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

static void one_observer_alone_moves_nothing(void **state)
{
    (void)state;
    struct rig *r = started(8);
    r->nodes[RIG_WEST].blind = true;
    rig_kill_instance(rig_current(r));
    rig_run_ms(r, 20000);
    assert_str(rig_record(r).state, "running");
    assert_int_equal(rig_record(r).generation, 1);
    r->nodes[RIG_WEST].blind = false;
    rig_run_until(r, settled, 10000);
    rig_free(r);
}

static void in_manual_mode_an_operator_decides(void **state)
{
    (void)state;
    struct rig *r = started(9);
    r->server->failover.mode = FAILOVER_MANUAL;
    rig_kill_instance(rig_current(r));
    rig_run_ms(r, 20000);
    assert_str(rig_record(r).state, "running");
    assert_int_equal(rig_alive(r), 0);
    order(r, "failover", "done");
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void switchover_goes_elsewhere_and_failback_returns(void **state)
{
    (void)state;
    struct rig *r = started(10);
    order(r, "switchover", "done");
    rig_run_until(r, settled, 10000);
    is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_alive(r), 1);
    order(r, "failback", "done");
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

static bool is_taken(struct rig *r)
{
    return strcmp(rig_order_state(r, r->orders), "taken") == 0;
}

/* Who then still wants a failback may wait for it; a failover would end what has only just taken over. */
static void orders_while_a_move_is_under_way(void **state)
{
    (void)state;
    struct rig *r = started(18);
    rig_order(r, "switchover", "mail1");
    rig_run_until(r, is_taken, 1000);
    order(r, "failback", "later");
    assert_str(rig_record(r).wanted, "switchover");
    order(r, "failover", "failed");
    rig_run_until(r, settled, 10000);
    is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

static void fenced_and_retired_stay_off_until_ordered(void **state)
{
    (void)state;
    struct rig *r = started(11);
    order(r, "fence", "done");
    rig_run_ms(r, 10000);
    assert_str(rig_record(r).state, "fenced");
    assert_int_equal(rig_alive(r), 0);
    order(r, "failover", "done");
    rig_run_until(r, settled, 10000);
    order(r, "retire", "done");
    rig_run_ms(r, 10000);
    assert_str(rig_record(r).state, "retired");
    assert_int_equal(rig_alive(r), 0);
    order(r, "failback", "done");
    rig_run_until(r, settled, 10000);
    is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void a_lost_site_leaves_the_count(void **state)
{
    (void)state;
    struct rig *r = started(12);
    /* The east's director lives on and holds its lease, its relay sees nothing. */
    r->nodes[RIG_EAST].blind = true;
    rig_kill_instance(rig_current(r));
    rig_run_ms(r, 10000);
    assert_int_equal(rig_record(r).generation, 1);
    rig_order(r, "site-lost", "east");
    rig_run_until(r, rig_serves, 15000);
    is_at(r, "west1", "127.2.0.10");
    rig_order(r, "site-back", "east");
    rig_run_until(r, settled, 10000);
    rig_order(r, "site-lost", "nowhere");
    rig_run_until(r, done, 10000);
    assert_string_equal(rig_order_state(r, r->orders), "failed");
    rig_free(r);
}

/* ---- a director's process is struck at a write ---- */

#define QUIET_MS    4000 /* longer than leases and invocations take: what is to go wrong has done so */
#define WRITES_MIN  8    /* of any move: fewer, and nothing was struck where it counts */
#define RETURN_MS   300  /* well within its node's lease */
#define STRIKE_SEED 100

/* One story: what is under way when it happens, and whether it came out. */
struct story {
    void (*begin)(struct rig *r);
    bool (*ended)(struct rig *r);
    void (*judge)(struct rig *r, bool returned);
};

static void begin_failover(struct rig *r)
{
    rig_kill_instance(rig_current(r));
}

static bool failover_ended(struct rig *r)
{
    return rig_serves(r) && rig_record(r).generation >= 2;
}

static void judge_failover(struct rig *r, bool returned)
{
    assert_int_equal(rig_record(r).generation, 2);
    if (returned)
        is_at(r, "east1", "127.1.0.10");
}

/* The instance was moved away before. */
static void begin_failback(struct rig *r)
{
    rig_order(r, "failback", "mail1");
}

static bool order_ended(struct rig *r)
{
    return rig_serves(r) && done(r);
}

/* Completed, or undone: then the order says so, and the mail is where it was. */
static void judge_failback(struct rig *r, bool returned)
{
    bool well = strcmp(rig_order_state(r, r->orders), "done") == 0;
    assert_in_range(rig_record(r).generation, 2, 3);
    assert_true(well || !returned);
    is_at(r, well ? "east1" : "west1", well ? "127.1.0.10" : "127.2.0.10");
}

static const struct story failover = {begin_failover, failover_ended, judge_failover};
static const struct story failback = {begin_failback, order_ended, judge_failback};

static struct rig *ready_for(const struct story *s, uint64_t seed)
{
    struct rig *r = started(seed);
    if (s == &failback) {
        order(r, "switchover", "done");
        rig_run_until(r, settled, 10000);
    }
    return r;
}

static bool is_struck(struct rig *r)
{
    return r->struck >= 0;
}

static bool struck_or_ended(struct rig *r, const struct story *s)
{
    struct mono_time end = mono_add_ms(sim_now(r->world), 20000);
    while (!is_struck(r) && !(s->ended(r) && all_orders_done(r)) && mono_before(sim_now(r->world), end))
        rig_run_ms(r, 5);
    return is_struck(r);
}

static void come_back(struct rig *r, enum rig_moment moment)
{
    if (moment == RIG_IS_PAUSED)
        sim_loop_freeze(r->nodes[r->struck].director_process.loop, false);
    else
        rig_start_director(r, r->struck);
}

/* Returns whether the story has an nth write. at_once: it returns before its
 * node counts as dead; else when all is over. */
static bool strike_at(const struct story *s, enum rig_moment moment, size_t nth, bool at_once)
{
    struct rig *r = ready_for(s, STRIKE_SEED + nth);
    rig_strike(r, moment, nth);
    s->begin(r);
    bool struck = struck_or_ended(r, s);
    if (struck && at_once) {
        rig_run_ms(r, RETURN_MS);
        come_back(r, moment);
    }
    rig_run_until(r, s->ended, 40000);
    rig_run_ms(r, QUIET_MS);
    assert_true(s->ended(r));
    if (struck && !at_once)
        come_back(r, moment);
    rig_run_until(r, settled, 10000);
    s->judge(r, at_once);
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
    return struck;
}

static void strike_at_every_write(const struct story *s, enum rig_moment moment, bool at_once)
{
    size_t nth = 1;
    while (strike_at(s, moment, nth, at_once))
        nth++;
    assert_in_range(nth, WRITES_MIN + 1, RIG_WRITES);
}

static void a_failover_goes_on_when_a_director_dies_at_any_write(void **state)
{
    (void)state;
    strike_at_every_write(&failover, RIG_DIES_BEFORE, true);
    strike_at_every_write(&failover, RIG_DIES_AFTER, true);
}

static void a_failover_goes_on_while_the_dead_director_stays_away(void **state)
{
    (void)state;
    strike_at_every_write(&failover, RIG_DIES_BEFORE, false);
    strike_at_every_write(&failover, RIG_DIES_AFTER, false);
}

static void a_failback_goes_on_when_a_director_dies_at_any_write(void **state)
{
    (void)state;
    strike_at_every_write(&failback, RIG_DIES_BEFORE, true);
    strike_at_every_write(&failback, RIG_DIES_AFTER, true);
}

static void a_failback_ends_while_the_dead_director_stays_away(void **state)
{
    (void)state;
    strike_at_every_write(&failback, RIG_DIES_BEFORE, false);
    strike_at_every_write(&failback, RIG_DIES_AFTER, false);
}

/* Stopped and continued: what it then still wants to write is refused. */
static void a_director_that_was_paused_at_any_write_does_no_harm(void **state)
{
    (void)state;
    strike_at_every_write(&failover, RIG_IS_PAUSED, false);
    strike_at_every_write(&failback, RIG_IS_PAUSED, false);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_is_at_home),
        cmocka_unit_test(waits_for_its_home_node),
        cmocka_unit_test(a_dead_instance_is_created_again_in_place),
        cmocka_unit_test(a_dead_site_is_left_and_failback_returns),
        cmocka_unit_test(a_node_that_was_only_paused_finds_itself_fenced),
        cmocka_unit_test(a_creation_that_fails_is_undone_and_the_next_entry_tried),
        cmocka_unit_test(a_failover_of_a_healthy_instance_ends_it_first),
        cmocka_unit_test(a_fence_that_fails_is_no_fence),
        cmocka_unit_test(after_a_reboot_it_starts_again_in_place),
        cmocka_unit_test(a_restarted_director_leaves_its_instance_alone),
        cmocka_unit_test(the_last_site_creates_again_in_place),
        cmocka_unit_test(when_nothing_works_it_tries_again),
        cmocka_unit_test(one_observer_alone_moves_nothing),
        cmocka_unit_test(in_manual_mode_an_operator_decides),
        cmocka_unit_test(switchover_goes_elsewhere_and_failback_returns),
        cmocka_unit_test(orders_while_a_move_is_under_way),
        cmocka_unit_test(fenced_and_retired_stay_off_until_ordered),
        cmocka_unit_test(a_lost_site_leaves_the_count),
        cmocka_unit_test(a_failover_goes_on_when_a_director_dies_at_any_write),
        cmocka_unit_test(a_failover_goes_on_while_the_dead_director_stays_away),
        cmocka_unit_test(a_failback_goes_on_when_a_director_dies_at_any_write),
        cmocka_unit_test(a_failback_ends_while_the_dead_director_stays_away),
        cmocka_unit_test(a_director_that_was_paused_at_any_write_does_no_harm),
    };
    return cmocka_run_group_tests_name("director role", tests, NULL, NULL);
}
