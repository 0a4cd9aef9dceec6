#include "unit/unit.h"

#include <stdio.h>

#include "fake_server.h"
#include "health/monitor.h"
#include "loop/real.h"

struct fixture {
    struct loop *loop;
    struct fake_server server;
    struct config_check check;
    struct monitor *monitor;
    struct monitor_target target;
    struct loop_timer *guard;
    enum health_state wanted;
    char changes[64]; /* initials of the states that were told */
    int outcomes;
};

static void on_outcome(void *arg, struct monitor *m, const struct monitor_outcome *outcome)
{
    struct fixture *f = arg;
    (void)m;
    assert_int_equal(outcome->kind, CHECK_SMTP);
    f->outcomes++;
}

static void on_change(void *arg, struct monitor *m, enum health_state before)
{
    struct fixture *f = arg;
    enum health_state now = monitor_word(m)->state;
    assert_int_not_equal(now, before);
    f->changes[strlen(f->changes)] = "UOSIRFCX"[now];
    if (now == f->wanted)
        loop_stop(f->loop);
}

static void on_guard(void *arg)
{
    (void)arg;
    fail_msg("the state never came");
}

static void wait_for(struct fixture *f, enum health_state state)
{
    f->wanted = state;
    loop_timer_start(f->guard, 20000);
    loop_run(f->loop);
    loop_timer_stop(f->guard);
    assert_int_equal(monitor_word(f->monitor)->state, state);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct monitor_events events = {on_outcome, on_change};
    f->loop = loop_real_new();
    f->guard = loop_timer_new(f->loop, on_guard, f);
    f->check = (struct config_check){
        .kind = CHECK_SMTP, .interval_ms = 5, .timeout_ms = 5000, .fall = 2, .rise = 2, .command = ""};
    struct monitor_spec spec = {.name = "mail1", .checks = &f->check, .check_count = 1, .helo = "dns1"};
    fake_server_start(&f->server, f->loop, "220 m\r\n", "250 m epoch=1\r\n");
    f->monitor = monitor_new(f->loop, &spec, &events, f);
    f->target =
        (struct monitor_target){.address = f->server.at, .smtp_port = addr_port(&f->server.at), .epoch = 1};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    monitor_free(f->monitor);
    fake_server_stop(&f->server);
    loop_timer_free(f->guard);
    loop_real_free(f->loop);
    free(f);
    return 0;
}

static void it_follows_a_server_down_and_up(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(monitor_name(f->monitor), "mail1");
    assert_int_equal(monitor_word(f->monitor)->state, HEALTH_UNKNOWN);
    monitor_set_target(f->monitor, &f->target);
    wait_for(f, HEALTH_OPERATIONAL);
    f->server.greeting = "421 no\r\n";
    wait_for(f, HEALTH_INOPERABLE);
    assert_string_equal(monitor_word(f->monitor)->detail, "greeting: 421 no");
    f->server.greeting = "220 m\r\n";
    wait_for(f, HEALTH_OPERATIONAL);
    assert_string_equal(f->changes, "OSIRO");
    assert_true(f->outcomes >= 5);
}

static void failed_deliveries_count(void **state)
{
    struct fixture *f = *state;
    f->check.interval_ms = 3600 * 1000; /* only what is reported, and what that sets off */
    monitor_set_target(f->monitor, &f->target);
    wait_for(f, HEALTH_OPERATIONAL);
    f->server.greeting = "421 no\r\n";
    monitor_report(f->monitor, HEALTH_FAIL, STR("connection lost"));
    assert_string_equal(f->changes, "O"); /* not from inside the call */
    wait_for(f, HEALTH_INOPERABLE);       /* the failure made it probe at once */
    assert_int_equal(f->outcomes, 2);
}

static void another_epoch_is_another_instance(void **state)
{
    struct fixture *f = *state;
    monitor_set_target(f->monitor, &f->target);
    wait_for(f, HEALTH_OPERATIONAL);
    monitor_set_target(f->monitor, &f->target); /* the same: nothing happens */
    assert_int_equal(monitor_word(f->monitor)->state, HEALTH_OPERATIONAL);
    f->target.epoch = 2;
    f->target.expect = "epoch=2";
    monitor_set_target(f->monitor, &f->target);
    assert_int_equal(monitor_word(f->monitor)->state, HEALTH_UNKNOWN);
    wait_for(f, HEALTH_INOPERABLE); /* the old one still answers there */
    f->server.answer = "250 m epoch=2\r\n";
    wait_for(f, HEALTH_OPERATIONAL);
    assert_string_equal(f->changes, "OUIRO");
}

static void without_a_target_nothing_is_known(void **state)
{
    struct fixture *f = *state;
    monitor_set_target(f->monitor, &f->target);
    wait_for(f, HEALTH_OPERATIONAL);
    monitor_set_target(f->monitor, NULL);
    wait_for(f, HEALTH_UNKNOWN);
    monitor_report(f->monitor, HEALTH_FAIL, STR("late news"));
    assert_int_equal(monitor_word(f->monitor)->history_len, 0);
}

static void a_check_of_a_port_that_is_not_offered_fails(void **state)
{
    struct fixture *f = *state;
    f->target.smtp_port = 0;
    monitor_set_target(f->monitor, &f->target);
    wait_for(f, HEALTH_INOPERABLE);
    assert_string_equal(monitor_word(f->monitor)->detail, "the server has no port for this check");
}

static void without_checks_it_probes_what_mail_comes_to(void **state)
{
    struct fixture *f = *state;
    struct monitor_events events = {on_outcome, on_change};
    struct monitor_spec spec = {.name = "relay", .protocol = SERVER_SMTP};
    monitor_free(f->monitor);
    f->monitor = monitor_new(f->loop, &spec, &events, f);
    monitor_set_target(f->monitor, &f->target);
    wait_for(f, HEALTH_OPERATIONAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_follows_a_server_down_and_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_deliveries_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_epoch_is_another_instance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_target_nothing_is_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_check_of_a_port_that_is_not_offered_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_checks_it_probes_what_mail_comes_to, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
