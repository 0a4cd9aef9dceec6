/* Real directors in the simulated two-site network: whatever dies, one instance
 * serves in the end, routed to exactly once. */
#include "director/role.h"

#include <stdio.h>

#include "base/log.h"
#include "director/decide.h"
#include "rig.h"
#include "unit/unit.h"

static void first_start_is_at_home(void **state)
{
    (void)state;
    struct rig *r = rig_started(1);
    struct record_server record = rig_record(r);
    const struct view_route *route = view_route_find(viewer_view(r->viewer), STR("example.test"));
    rig_is_at(r, "east1", "127.1.0.10");
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
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void a_dead_instance_is_created_again_in_place(void **state)
{
    (void)state;
    struct rig *r = rig_started(3);
    rig_kill_instance(rig_current(r));
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

static void a_dead_site_is_left_and_failback_returns(void **state)
{
    (void)state;
    struct rig *r = rig_started(4);
    rig_kill_node(r, RIG_EAST);
    rig_run_until(r, rig_serves, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    const struct view_queue *q = view_queue_find(viewer_view(r->viewer), STR("relay-east"));
    assert_str(q->record.owner, "west1");
    rig_order_ends(r, "failback", "later"); /* nobody is there */
    assert_true(rig_serves(r));

    rig_start_node(r, RIG_EAST);
    rig_run_until(r, rig_settled, 10000);
    rig_run_ms(r, 5000);
    q = view_queue_find(viewer_view(r->viewer), STR("relay-east"));
    assert_str(q->record.owner, "east1");
    rig_is_at(r, "west1", "127.2.0.10"); /* not by itself */
    rig_order_ends(r, "failback", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_alive(r), 1);
    rig_order_ends(r, "failback", "failed");
    rig_free(r);
}

static struct str owner_of(struct rig *r, const char *queue)
{
    return view_queue_find(viewer_view(r->viewer), str_from(queue))->record.owner;
}

static bool west_has_both_queues(struct rig *r)
{
    return str_eq(owner_of(r, "relay-east"), STR("west1")) && str_eq(owner_of(r, "relay-west"), STR("west1"));
}

static void a_directors_death_costs_its_node_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_started(21);
    rig_kill_director(r, RIG_EAST);
    rig_run_ms(r, 4 * RIG_LEASE_MS);
    assert_str(owner_of(r, "relay-east"), "east1");
    assert_str(owner_of(r, "relay-west"), "west1");
    assert_int_equal(rig_record(r).generation, 1);
    rig_kill_relay(r, RIG_EAST); /* now there is nobody who would deliver it */
    rig_run_until(r, west_has_both_queues, 3 * RIG_LEASE_MS);
    rig_free(r);
}

static void a_first_start_without_a_place_is_told_once(void **state)
{
    (void)state;
    struct rig *r = rig_new(22);
    rig_start_node(r, RIG_WEST);
    rig_run_ms(r, 3000); /* the other node may only be late */
    assert_int_equal(rig_record(r).state.len, 0);
    rig_run_ms(r, 30000);
    assert_str(rig_record(r).state, "absent");
    assert_true(rig_was_told(r, "alarm", "no live node can create it: create in east: no live node"));
    assert_int_equal(view_server_find(viewer_view(r->viewer), STR("mail1"))->version, 1);
    rig_start_node(r, RIG_EAST);
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

/* The server is nowhere yet: nothing is under way that would forbid it. */
static void an_order_waits_until_the_server_is_somewhere(void **state)
{
    (void)state;
    struct rig *r = rig_new(23);
    int64_t order = rig_order(r, "failover", "mail1");
    rig_start_node(r, RIG_WEST);
    rig_run_ms(r, 33000);
    assert_str(rig_record(r).state, "absent");
    assert_string_equal(rig_order_state(r, order), "new");
    rig_start_node(r, RIG_EAST);
    rig_run_until(r, rig_order_done, 30000);
    rig_free(r);
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

struct answer {
    bool answered;
    int err;
};

static void on_answer(void *arg, int err)
{
    struct answer *a = arg;
    a->answered = true;
    a->err = err;
}

/* What the store says to an instance of mail1 that would begin under an epoch. */
static int begin_under(struct rig *r, int64_t epoch)
{
    struct answer a = {0};
    struct mail *mail;
    struct err_buf eb;
    assert_ok(store_mail(r->watcher.store, &mail, &eb));
    mail_instance_begin(mail, STR("mail1"), epoch, on_answer, &a);
    while (!a.answered)
        rig_run_ms(r, 1);
    return a.err;
}

/* Nobody is there who could end its instance: the store is told to refuse it, under an epoch that nobody
 * has, and whoever finds himself there later is told to destroy it. */
static void a_dead_site_is_fenced_by_epoch(void **state)
{
    (void)state;
    struct rig *r = rig_started(19);
    int64_t old = rig_record(r).instance.epoch;
    rig_kill_node(r, RIG_EAST);
    rig_run_until(r, rig_serves, 15000);
    assert_int_equal(rig_record(r).instance.epoch, old + 2);
    assert_int_equal(begin_under(r, old), ERR_FENCED);
    assert_int_equal(begin_under(r, old + 1), ERR_FENCED);
    assert_true(its_end_is_ordered(r, "node/east1"));
    rig_run_ms(r, 60000);
    assert_true(its_end_is_ordered(r, "node/east1")); /* as long as it takes */
    rig_start_node(r, RIG_EAST);
    rig_run_until(r, rig_settled, 10000);
    assert_int_equal(r->nodes[RIG_EAST].places[RIG_MAIL1].epoch_destroyed, old);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

static bool east_lives(struct rig *r)
{
    return view_agent_is_alive(viewer_view(r->viewer), STR("east1"));
}

static void a_node_that_was_only_paused_finds_itself_fenced(void **state)
{
    (void)state;
    struct rig *r = rig_started(5);
    rig_freeze_node(r, RIG_EAST, true);
    rig_run_until(r, rig_serves, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_true(its_end_is_ordered(r, "node/east1"));
    assert_int_equal(rig_alive(r), 2);      /* one cannot write, and has no traffic */
    rig_order_ends(r, "failback", "later"); /* its address may still be held there */
    rig_freeze_node(r, RIG_EAST, false);
    rig_run_until(r, east_lives, 10000);
    rig_order_ends(r, "failback", "done"); /* though the old one is only just being destroyed */
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void a_creation_that_fails_is_undone_and_the_next_entry_tried(void **state)
{
    (void)state;
    struct rig *r = rig_started(6);
    r->nodes[RIG_EAST].create_fails = 100;
    rig_kill_instance(rig_current(r));
    rig_run_until(r, rig_settled, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

static void a_failover_of_a_healthy_instance_ends_it_first(void **state)
{
    (void)state;
    struct rig *r = rig_started(13);
    rig_order(r, "failover", "mail1");
    rig_run_until(r, rig_order_done, 1000); /* nobody waits for the end of a fenced holder's lease */
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_record(r).instance.epoch, 2);
    assert_int_equal(rig_alive(r), 1);
    rig_free(r); /* sees two at one address */
}

static void a_fence_that_fails_is_no_fence(void **state)
{
    (void)state;
    struct rig *r = rig_started(14);
    r->nodes[RIG_EAST].fence_fails = true;
    rig_order_ends(r, "failover", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_alive(r), 1); /* its node was told to destroy the old one, too */
    rig_free(r);
}

/* A reboot of everything: nobody has failed over, and nobody has to. */
static void after_a_reboot_it_starts_again_in_place(void **state)
{
    (void)state;
    struct rig *r = rig_started(15);
    rig_order_ends(r, "switchover", "done");
    rig_run_until(r, rig_settled, 10000);
    r->server->failover.mode = FAILOVER_MANUAL;
    rig_kill_node(r, RIG_EAST);
    rig_kill_node(r, RIG_WEST);
    rig_run_ms(r, 5000);
    rig_start_node(r, RIG_EAST);
    rig_start_node(r, RIG_WEST);
    rig_run_until(r, rig_serves, 900); /* before relays could have asked for another */
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 3);
    rig_run_until(r, rig_settled, 10000);
    rig_free(r);
}

/* Only the director's process was restarted: its instance lives on. */
static void a_restarted_director_leaves_its_instance_alone(void **state)
{
    (void)state;
    struct rig *r = rig_started(16);
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
    struct rig *r = rig_started(17);
    rig_kill_node(r, RIG_EAST);
    rig_run_until(r, rig_serves, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    rig_kill_instance(rig_current(r));
    rig_run_until(r, rig_serves, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    rig_free(r);
}

static bool waits(struct rig *r)
{
    return str_eq(rig_record(r).state, STR("waiting"));
}

static void when_nothing_works_it_tries_again(void **state)
{
    (void)state;
    struct rig *r = rig_started(7);
    r->nodes[RIG_EAST].create_fails = r->nodes[RIG_WEST].create_fails = 3;
    rig_kill_instance(rig_current(r));
    rig_run_until(r, waits, 15000);
    rig_run_until(r, rig_settled, 60000);
    assert_int_equal(rig_alive(r), 1);
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

static void one_observer_alone_moves_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_started(8);
    r->nodes[RIG_WEST].blind = true;
    rig_kill_instance(rig_current(r));
    rig_run_ms(r, 20000);
    assert_str(rig_record(r).state, "running");
    assert_int_equal(rig_record(r).generation, 1);
    r->nodes[RIG_WEST].blind = false;
    rig_run_until(r, rig_settled, 10000);
    rig_free(r);
}

static void in_manual_mode_an_operator_decides(void **state)
{
    (void)state;
    struct rig *r = rig_started(9);
    r->server->failover.mode = FAILOVER_MANUAL;
    rig_kill_instance(rig_current(r));
    rig_run_ms(r, 20000);
    assert_str(rig_record(r).state, "running");
    assert_int_equal(rig_alive(r), 0);
    rig_order_ends(r, "failover", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void switchover_goes_elsewhere_and_failback_returns(void **state)
{
    (void)state;
    struct rig *r = rig_started(10);
    rig_order_ends(r, "switchover", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_alive(r), 1);
    rig_order_ends(r, "failback", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_alive(r), 1);
    rig_free(r);
}

/* It says where the server is after all. */
static void a_failback_that_ends_elsewhere_has_failed(void **state)
{
    (void)state;
    struct rig *r = rig_started(22);
    rig_order_ends(r, "switchover", "done");
    rig_run_until(r, rig_settled, 10000);
    r->nodes[RIG_EAST].create_fails = 100;
    rig_order_ends(r, "failback", "failed");
    rig_run_until(r, rig_settled, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    const char *said = rig_order_result(r, r->orders);
    assert_non_null(strstr(said, "not moved as asked for"));
    assert_non_null(strstr(said, "mail1 runs in west on west1 at 127.2.0.10, epoch "));
    rig_free(r);
}

/* A network that has only just been started, say. */
static void a_failback_of_what_is_off_waits_for_home_a_while(void **state)
{
    (void)state;
    struct rig *r = rig_started(23);
    rig_order_ends(r, "fence", "done");
    for (int late = 0; late < 2; late++) {
        rig_kill_node(r, RIG_EAST);
        rig_run_ms(r, 2 * RIG_LEASE_MS);
        rig_order(r, "failback", "mail1");
        rig_run_ms(r, DECIDE_PATIENCE_MS / 2);
        assert_str(rig_record(r).state, "deciding");
        if (late)
            rig_run_ms(r, DECIDE_PATIENCE_MS);
        rig_start_node(r, RIG_EAST);
        rig_run_until(r, rig_order_done, 10000);
        rig_run_until(r, rig_settled, 15000);
        rig_is_at(r, late ? "west1" : "east1", late ? "127.2.0.10" : "127.1.0.10");
        rig_order_ends(r, "fence", "done");
    }
    rig_free(r);
}

static bool is_waiting(struct rig *r)
{
    return str_eq(rig_record(r).state, STR("waiting"));
}

static void so_it_does_whatever_failed_before_the_order(void **state)
{
    (void)state;
    struct rig *r = rig_started(24);
    rig_kill_node(r, RIG_EAST); /* the west's director leads from now on */
    rig_run_until(r, rig_serves, 15000);
    rig_start_node(r, RIG_EAST);
    rig_run_ms(r, 2 * RIG_LEASE_MS);
    r->nodes[RIG_EAST].create_fails = r->nodes[RIG_WEST].create_fails = 100;
    rig_kill_instance(rig_current(r));
    rig_run_until(r, is_waiting, 15000);
    rig_order_ends(r, "fence", "done");
    r->nodes[RIG_EAST].create_fails = r->nodes[RIG_WEST].create_fails = 0;
    rig_kill_node(r, RIG_EAST);
    rig_run_ms(r, 2 * RIG_LEASE_MS);
    rig_order(r, "failback", "mail1");
    rig_run_ms(r, DECIDE_PATIENCE_MS / 2);
    assert_str(rig_record(r).state, "deciding");
    rig_start_node(r, RIG_EAST);
    rig_run_until(r, rig_order_done, 10000);
    rig_run_until(r, rig_settled, 15000);
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

/* The holder is ended by its own provisioner, so that what was under way can end; no epoch is spent on it. */
static void a_switchover_ends_the_holder_gently(void **state)
{
    (void)state;
    struct rig *r = rig_started(20);
    int64_t old = rig_record(r).instance.epoch;
    rig_order_ends(r, "switchover", "done");
    assert_int_equal(r->nodes[RIG_EAST].places[RIG_MAIL1].epoch_destroyed, old);
    assert_int_equal(rig_record(r).instance.epoch, old + 1);
    assert_string_equal(rig_order_result(r, r->orders), "mail1 runs in west on west1 at 127.2.0.10, epoch 2");
    rig_order_ends(r, "switchover", "done"); /* and back: the first entry is elsewhere now */
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

/* Nobody could take over: the holder stays. */
static void a_switchover_without_another_site_moves_nothing(void **state)
{
    (void)state;
    struct rig *r = rig_started(21);
    rig_kill_node(r, RIG_WEST);
    rig_run_ms(r, 2 * RIG_LEASE_MS);
    rig_order_ends(r, "switchover", "later");
    rig_is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_record(r).generation, 1);
    assert_true(rig_serves(r));
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
    struct rig *r = rig_started(18);
    rig_order(r, "switchover", "mail1");
    rig_run_until(r, is_taken, 1000);
    rig_order_ends(r, "failback", "later");
    assert_str(rig_record(r).wanted, "switchover");
    rig_order_ends(r, "failover", "failed");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

static void fenced_and_retired_stay_off_until_ordered(void **state)
{
    (void)state;
    struct rig *r = rig_started(11);
    rig_order_ends(r, "fence", "done");
    rig_run_ms(r, 10000);
    assert_str(rig_record(r).state, "fenced");
    assert_int_equal(rig_alive(r), 0);
    rig_order_ends(r, "failover", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_order_ends(r, "retire", "done");
    rig_run_ms(r, 10000);
    assert_str(rig_record(r).state, "retired");
    assert_int_equal(rig_alive(r), 0);
    rig_order_ends(r, "failback", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "east1", "127.1.0.10");
    rig_free(r);
}

static void a_lost_site_leaves_the_count(void **state)
{
    (void)state;
    struct rig *r = rig_started(12);
    /* The east's director lives on and holds its lease, its relay sees nothing. */
    r->nodes[RIG_EAST].blind = true;
    rig_kill_instance(rig_current(r));
    rig_run_ms(r, 10000);
    assert_int_equal(rig_record(r).generation, 1);
    rig_order(r, "site-lost", "east");
    rig_run_until(r, rig_serves, 15000);
    rig_is_at(r, "west1", "127.2.0.10");
    rig_order(r, "site-back", "east");
    rig_run_until(r, rig_settled, 10000);
    rig_order(r, "site-lost", "nowhere");
    rig_run_until(r, rig_order_done, 10000);
    assert_string_equal(rig_order_state(r, r->orders), "failed");
    rig_free(r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_is_at_home),
        cmocka_unit_test(waits_for_its_home_node),
        cmocka_unit_test(a_dead_instance_is_created_again_in_place),
        cmocka_unit_test(a_dead_site_is_left_and_failback_returns),
        cmocka_unit_test(a_directors_death_costs_its_node_nothing),
        cmocka_unit_test(a_first_start_without_a_place_is_told_once),
        cmocka_unit_test(an_order_waits_until_the_server_is_somewhere),
        cmocka_unit_test(a_dead_site_is_fenced_by_epoch),
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
        cmocka_unit_test(a_failback_that_ends_elsewhere_has_failed),
        cmocka_unit_test(a_failback_of_what_is_off_waits_for_home_a_while),
        cmocka_unit_test(so_it_does_whatever_failed_before_the_order),
        cmocka_unit_test(a_switchover_ends_the_holder_gently),
        cmocka_unit_test(a_switchover_without_another_site_moves_nothing),
        cmocka_unit_test(orders_while_a_move_is_under_way),
        cmocka_unit_test(fenced_and_retired_stay_off_until_ordered),
        cmocka_unit_test(a_lost_site_leaves_the_count),
    };
    return cmocka_run_group_tests_name("director role", tests, NULL, NULL);
}
