/* Whichever write to the store a director's process is struck at, a failover and
 * a failback come out: who leads next, or the same again, goes on or undoes. */
#include "director/role.h"

#include "base/log.h"
#include "rig.h"
#include "unit/unit.h"

#define QUIET_MS    4000 /* longer than leases and invocations take: what is to go wrong has done so */
#define RETURN_MS   300  /* well within its node's lease */
#define STRIKE_SEED 100

/* One story: what is under way when it happens, and whether it came out. */
struct story {
    struct rig *(*ready)(uint64_t seed);
    void (*begin)(struct rig *r);
    bool (*ended)(struct rig *r);
    void (*heal)(struct rig *r); /* what was lost comes back, when it has ended; may be NULL */
    void (*judge)(struct rig *r, bool returned);
    size_t alive;      /* instances in the end */
    size_t writes_min; /* fewer, and nothing was struck where it counts */
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
        rig_is_at(r, "east1", "127.1.0.10");
}

/* The instance was moved away before. */
static void begin_failback(struct rig *r)
{
    rig_order(r, "failback", "mail1");
}

static bool order_ended(struct rig *r)
{
    return rig_serves(r) && rig_order_done(r);
}

/* Completed, or undone: then the order says so, and the mail is where it was. */
static void judge_failback(struct rig *r, bool returned)
{
    bool well = strcmp(rig_order_state(r, r->orders), "done") == 0;
    assert_in_range(rig_record(r).generation, 2, 3);
    assert_true(well || !returned);
    rig_is_at(r, well ? "east1" : "west1", well ? "127.1.0.10" : "127.2.0.10");
}

static struct rig *moved_away(uint64_t seed)
{
    struct rig *r = rig_started(seed);
    rig_order_ends(r, "switchover", "done");
    rig_run_until(r, rig_settled, 10000);
    return r;
}

static void begin_switchover(struct rig *r)
{
    rig_order(r, "switchover", "mail1");
}

/* The holder is ended only for one that shall take over: when that fails, somebody else does. */
static void judge_switchover(struct rig *r, bool returned)
{
    bool well = strcmp(rig_order_state(r, r->orders), "done") == 0;
    assert_in_range(rig_record(r).generation, well ? 2 : 1, 2);
    assert_true(well || !returned);
    if (returned)
        rig_is_at(r, "west1", "127.2.0.10");
}

/* Nobody can say that its instance is off: the store is told to refuse it. */
static void begin_dead_site(struct rig *r)
{
    rig_kill_node(r, RIG_EAST);
}

static void east_returns(struct rig *r)
{
    rig_start_node(r, RIG_EAST);
}

static void judge_dead_site(struct rig *r, bool returned)
{
    (void)returned;
    assert_int_equal(rig_record(r).generation, 2);
    assert_in_range(rig_record(r).instance.epoch, 3, RIG_INSTANCES); /* one was for the fence alone */
    rig_is_at(r, "west1", "127.2.0.10");
}

static bool standby_has_the_mail(struct rig *r)
{
    struct record_server record = rig_record(r);
    return str_eq(record.state, STR("running")) && str_eq(record.served_by, STR("mail2"));
}

static void judge_standby(struct rig *r, bool returned)
{
    const struct view_route *route = view_route_find(viewer_view(r->viewer), STR("example.test"));
    (void)returned;
    assert_int_equal(rig_record(r).generation, 2);
    assert_str(route->record.server, "mail2");
    assert_int_equal(r->instance_count, 2); /* nothing was created */
}

static const struct story failover = {
    rig_started, begin_failover, failover_ended, NULL, judge_failover, 1, 8};
static const struct story failback = {moved_away, begin_failback, order_ended, NULL, judge_failback, 1, 8};
static const struct story switchover = {
    rig_started, begin_switchover, order_ended, NULL, judge_switchover, 1, 8};
static const struct story dead_site = {
    rig_started, begin_dead_site, failover_ended, east_returns, judge_dead_site, 1, 8};
static const struct story standby = {
    rig_started_with_standby, begin_failover, standby_has_the_mail, NULL, judge_standby, 1, 4};

static bool is_struck(struct rig *r)
{
    return r->struck >= 0;
}

static bool story_settled(struct rig *r)
{
    const struct story *s = r->test;
    return s->ended(r) && rig_orders_done(r);
}

static bool struck_or_ended(struct rig *r, const struct story *s)
{
    struct mono_time end = mono_add_ms(sim_now(r->world), 20000);
    while (!is_struck(r) && !(s->ended(r) && rig_orders_done(r)) && mono_before(sim_now(r->world), end))
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
    struct rig *r = s->ready(STRIKE_SEED + nth);
    r->test = (void *)(uintptr_t)s;
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
    rig_strike(r, moment, 0); /* no more */
    if (s->heal)
        s->heal(r);
    rig_run_until(r, story_settled, 10000);
    s->judge(r, at_once);
    assert_int_equal(rig_alive(r), s->alive);
    rig_free(r);
    return struck;
}

static void strike_at_every_write(const struct story *s, enum rig_moment moment, bool at_once)
{
    size_t nth = 1;
    while (strike_at(s, moment, nth, at_once))
        nth++;
    assert_in_range(nth, s->writes_min + 1, RIG_WRITES);
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

static void a_switchover_goes_on_when_a_director_dies_at_any_write(void **state)
{
    (void)state;
    strike_at_every_write(&switchover, RIG_DIES_BEFORE, true);
    strike_at_every_write(&switchover, RIG_DIES_AFTER, true);
    strike_at_every_write(&switchover, RIG_DIES_BEFORE, false);
    strike_at_every_write(&switchover, RIG_DIES_AFTER, false);
}

/* There is one director left, and it comes back. */
static void a_dead_site_is_left_though_the_last_director_dies_at_any_write(void **state)
{
    (void)state;
    strike_at_every_write(&dead_site, RIG_DIES_BEFORE, true);
    strike_at_every_write(&dead_site, RIG_DIES_AFTER, true);
    strike_at_every_write(&dead_site, RIG_IS_PAUSED, true);
}

static void a_standby_takes_over_though_a_director_dies_at_any_write(void **state)
{
    (void)state;
    strike_at_every_write(&standby, RIG_DIES_BEFORE, true);
    strike_at_every_write(&standby, RIG_DIES_AFTER, true);
    strike_at_every_write(&standby, RIG_DIES_BEFORE, false);
    strike_at_every_write(&standby, RIG_DIES_AFTER, false);
    strike_at_every_write(&standby, RIG_IS_PAUSED, false);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failover_goes_on_when_a_director_dies_at_any_write),
        cmocka_unit_test(a_failover_goes_on_while_the_dead_director_stays_away),
        cmocka_unit_test(a_failback_goes_on_when_a_director_dies_at_any_write),
        cmocka_unit_test(a_failback_ends_while_the_dead_director_stays_away),
        cmocka_unit_test(a_switchover_goes_on_when_a_director_dies_at_any_write),
        cmocka_unit_test(a_dead_site_is_left_though_the_last_director_dies_at_any_write),
        cmocka_unit_test(a_standby_takes_over_though_a_director_dies_at_any_write),
        cmocka_unit_test(a_director_that_was_paused_at_any_write_does_no_harm),
    };
    return cmocka_run_group_tests_name("director strikes", tests, NULL, NULL);
}
