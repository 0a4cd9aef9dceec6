/* An instance that its provisioner calls ready gets no route before it has shown
 * that it is what it was created as; what is found wrong is told, the instance is
 * destroyed, and the director goes on with its plan. */
#include "director/verify.h"

#include <stdio.h>

#include "base/log.h"
#include "rig.h"
#include "unit/unit.h"

static bool is_flawed(const struct rig *r, int64_t epoch)
{
    for (size_t k = 0; k < r->instance_count; k++)
        if (r->instances[k].server == RIG_MAIL1 && r->instances[k].epoch == epoch)
            return r->instances[k].flaw != RIG_FLAWLESS;
    return false;
}

/* Whoever asks by which instance the server is reached is told by its record. */
static void no_flawed_one_is_named(struct rig *r, const struct view *v)
{
    const struct view_server *s = view_server_find(v, STR("mail1"));
    if (s && is_flawed(r, s->record.instance.epoch))
        fail_msg("the route goes to an instance that was not verified: epoch %lld",
                 (long long)s->record.instance.epoch);
}

static struct rig *with_flaw(uint64_t seed, enum rig_flaw flaw, uint16_t port)
{
    struct rig *r = rig_started(seed);
    r->on_view = no_flawed_one_is_named;
    r->nodes[RIG_EAST].flaw = flaw;
    r->nodes[RIG_EAST].flaw_port = port;
    rig_kill_instance(rig_current(r));
    return r;
}

/* The one that was created in place has the flaw: it ends, and the next entry has its turn. */
static void is_passed_over(uint64_t seed, enum rig_flaw flaw, uint16_t port, const char *why)
{
    struct rig *r = with_flaw(seed, flaw, port);
    rig_run_until(r, rig_settled, 30000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 2); /* it never had a route */
    assert_int_equal(r->instance_count, 3);
    assert_int_equal(rig_alive(r), 1);
    if (!rig_was_told(r, "server", why))
        fail_msg("no event says \"%s\"", why);
    rig_free(r);
}

static void a_silent_one_gets_no_route(void **state)
{
    (void)state;
    is_passed_over(1, RIG_SILENT, 0,
                   "verification: port 25: 127.1.0.10:25: no answer in time, waiting for the greeting");
}

static void one_that_speaks_another_protocol_gets_no_route(void **state)
{
    (void)state;
    is_passed_over(2, RIG_BABBLES, 0, "verification: port 25: not an SMTP reply: SSH-2.0");
}

static void one_that_greets_as_an_earlier_instance_gets_no_route(void **state)
{
    (void)state;
    is_passed_over(
        3, RIG_AN_EARLIER, 0,
        "verification: port 25: another instance answers, this text was not seen: instance=2@east1");
}

static void one_whose_epoch_the_store_does_not_know_gets_no_route(void **state)
{
    (void)state;
    is_passed_over(4, RIG_UNKNOWN_EPOCH, 0, "verification: the store has epoch 1, not 2");
}

/* All that it offers is looked at. */
static void each_protocol_counts(void **state)
{
    static const uint16_t ports[] = {25, 24, 143, 110};
    static const enum rig_flaw flaws[] = {RIG_SILENT, RIG_BABBLES, RIG_AN_EARLIER};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        char why[64];
        snprintf(why, sizeof(why), "verification: port %u: ", ports[i]);
        for (size_t k = 0; k < ARRAY_LEN(flaws); k++)
            is_passed_over(10 + i, flaws[k], ports[i], why);
    }
}

static bool waits(struct rig *r)
{
    return str_eq(rig_record(r).state, STR("waiting"));
}

/* Nothing is left to try: the alarm is given, nobody is named, and it is tried again. */
static void while_none_can_be_verified_nobody_is_named(void **state)
{
    (void)state;
    struct rig *r = with_flaw(5, RIG_AN_EARLIER, 0);
    r->nodes[RIG_WEST].flaw = RIG_SILENT;
    rig_run_until(r, waits, 40000);
    assert_int_equal(rig_record(r).instance.address.len, 0);
    assert_int_equal(rig_record(r).generation, 1);
    assert_int_equal(rig_alive(r), 0);
    assert_true(rig_was_told(r, "alarm", ""));
    r->nodes[RIG_EAST].flaw = r->nodes[RIG_WEST].flaw = RIG_FLAWLESS;
    rig_run_until(r, rig_settled, 60000);
    rig_is_at(r, "east1", "127.1.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

/* A failover of a healthy one, ordered: the order's end is that of the whole plan. */
static void an_order_goes_on_to_what_can_be_verified(void **state)
{
    (void)state;
    struct rig *r = rig_started(6);
    r->on_view = no_flawed_one_is_named;
    r->nodes[RIG_EAST].flaw = RIG_SILENT;
    rig_order_ends(r, "failover", "done");
    rig_run_until(r, rig_settled, 10000);
    rig_is_at(r, "west1", "127.2.0.10");
    rig_free(r);
}

/* The next leader verifies anew; it takes over no half of a verification. */
static void a_flawed_one_gets_no_route_when_the_leader_dies(void **state)
{
    (void)state;
    struct rig *r = with_flaw(7, RIG_AN_EARLIER, 110);
    while (!str_eq(rig_record(r).state, STR("verifying")))
        rig_run_ms(r, 5);
    int leader = rig_leader(r);
    rig_kill_director(r, leader);
    rig_run_ms(r, RIG_LEASE_MS / 2); /* its node still counts as alive */
    rig_start_director(r, leader);
    rig_run_until(r, rig_settled, 40000);
    rig_is_at(r, "west1", "127.2.0.10");
    assert_int_equal(rig_record(r).generation, 2);
    rig_free(r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_one_gets_no_route),
        cmocka_unit_test(one_that_speaks_another_protocol_gets_no_route),
        cmocka_unit_test(one_that_greets_as_an_earlier_instance_gets_no_route),
        cmocka_unit_test(one_whose_epoch_the_store_does_not_know_gets_no_route),
        cmocka_unit_test(each_protocol_counts),
        cmocka_unit_test(while_none_can_be_verified_nobody_is_named),
        cmocka_unit_test(an_order_goes_on_to_what_can_be_verified),
        cmocka_unit_test(a_flawed_one_gets_no_route_when_the_leader_dies),
    };
    return cmocka_run_group_tests_name("director verify", tests, NULL, NULL);
}
