#include "relay/schedule.h"
#include "unit/unit.h"

static const struct schedule_options options = {
    .retry_ms = 1000, .attempts_limit = 3, .after_ms = 2000, .sessions_max = 4};

static struct mono_time at(int64_t ms)
{
    return (struct mono_time){ms * NS_PER_MS};
}

static struct schedule make(void)
{
    struct schedule s;
    schedule_init(&s, &options);
    return s;
}

static void up(struct schedule *s, int64_t ms)
{
    schedule_on_server(s, SCHEDULE_UP, at(ms));
}

static void test_first_attempt_is_at_once(void **state)
{
    (void)state;
    struct schedule s = make();
    assert_int_equal(schedule_sessions_free(&s, at(0)), 1);
}

static void test_down_attempts_are_one_at_a_time_and_periodic(void **state)
{
    (void)state;
    struct schedule s = make();
    schedule_on_session_start(&s, at(0));
    assert_int_equal(schedule_sessions_free(&s, at(5000)), 0);
    schedule_on_session_end(&s, true, at(5000));
    assert_int_equal(schedule_sessions_free(&s, at(5999)), 0);
    assert_int_equal(schedule_next(&s).ns, at(6000).ns);
    assert_int_equal(schedule_sessions_free(&s, at(6000)), 1);
}

/* Nothing is known of the server by it. */
static void test_what_was_not_tried_is_no_attempt(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    for (int64_t ms = 0; ms < 10000; ms += 1000) {
        assert_int_equal(schedule_sessions_free(&s, at(ms)), 1);
        schedule_on_session_start(&s, at(ms));
        schedule_on_session_untried(&s, at(ms));
        assert_int_equal(schedule_sessions_free(&s, at(ms + 999)), 0);
        assert_int_equal(schedule_next(&s).ns, at(ms + 1000).ns);
    }
    assert_int_equal(s.failed_attempts, 0);
    assert_int_equal(schedule_down_for_ms(&s, at(10000)), 0);
    schedule_on_session_start(&s, at(10000));
    (void)schedule_on_session_progress(&s, 5 * NS_PER_MS);
    assert_true(schedule_sessions_free(&s, at(10000)) > 0);
}

static void test_recovery_allows_sessions_at_once_and_grows(void **state)
{
    (void)state;
    struct schedule s = make();
    schedule_on_server(&s, SCHEDULE_DOWN, at(0));
    schedule_on_session_start(&s, at(0));
    schedule_on_session_end(&s, true, at(1));
    schedule_on_server(&s, SCHEDULE_RECOVERING, at(10));
    assert_int_equal(schedule_sessions_free(&s, at(10)), 1);
    up(&s, 20);
    assert_int_equal(schedule_sessions_free(&s, at(20)), 1);
    schedule_on_session_start(&s, at(20));
    for (int i = 0; i < 10; i++)
        (void)schedule_on_session_progress(&s, 5 * NS_PER_MS);
    assert_int_equal(schedule_sessions_free(&s, at(20)), 3);
}

/* What it refused says nothing about how soon it takes mail. */
static void test_only_what_was_taken_sets_the_pace(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    schedule_on_session_start(&s, at(0));
    assert_false(schedule_on_session_progress(&s, -1));
    assert_int_equal(schedule_sessions_allowed(&s), 1);
    assert_true(schedule_on_session_progress(&s, 100 * NS_PER_MS));
    assert_int_equal(schedule_sessions_allowed(&s), 2);
    for (int i = 0; i < 10; i++)
        assert_false(schedule_on_session_progress(&s, 380 * NS_PER_MS)); /* slower, not slow */
    assert_int_equal(schedule_sessions_allowed(&s), 2);
    for (int i = 0; i < 2; i++)
        (void)schedule_on_session_progress(&s, 5000 * NS_PER_MS);
    assert_int_equal(schedule_sessions_allowed(&s), 1);
}

/* Whatever was planned: the first message goes at the moment of the good probe. */
static void test_the_first_good_probe_lets_a_message_go(void **state)
{
    (void)state;
    struct schedule s = make();
    schedule_on_server(&s, SCHEDULE_DOWN, at(0));
    schedule_on_session_start(&s, at(1000));
    schedule_on_session_end(&s, true, at(1000));
    assert_int_equal(schedule_sessions_free(&s, at(1001)), 0);
    schedule_on_server(&s, SCHEDULE_RECOVERING, at(1001));
    assert_int_equal(schedule_sessions_free(&s, at(1001)), 1);
}

static void test_recovering_takes_one_session_only(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    for (int i = 0; i < 10; i++)
        (void)schedule_on_session_progress(&s, 5 * NS_PER_MS);
    schedule_on_server(&s, SCHEDULE_RECOVERING, at(1));
    assert_int_equal(schedule_sessions_free(&s, at(1)), 1);
}

static void test_a_failed_session_backs_off_while_the_monitor_still_says_up(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    schedule_on_session_start(&s, at(0));
    schedule_on_session_end(&s, true, at(5));
    assert_int_equal(schedule_sessions_free(&s, at(6)), 0);
    assert_int_equal(schedule_next(&s).ns, at(1005).ns);
    assert_int_equal(schedule_sessions_free(&s, at(1005)), 1);
}

static void test_invocation_needs_attempts_and_time(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    for (int i = 0; i < 3; i++) {
        schedule_on_session_start(&s, at(100 + i));
        schedule_on_session_end(&s, true, at(100 + i));
    }
    schedule_on_server(&s, SCHEDULE_DOWN, at(110));
    assert_false(schedule_wants_invocation(&s, at(2099)));
    assert_true(schedule_wants_invocation(&s, at(2100)));
    assert_int_equal(schedule_down_for_ms(&s, at(2100)), 2000);
}

static void test_time_alone_does_not_invoke(void **state)
{
    (void)state;
    struct schedule s = make();
    schedule_on_server(&s, SCHEDULE_UP, at(0));
    schedule_on_server(&s, SCHEDULE_DOWN, at(1));
    schedule_on_session_start(&s, at(2));
    schedule_on_session_end(&s, true, at(3));
    assert_false(schedule_wants_invocation(&s, at(100000)));
}

static void test_probes_count_only_when_nothing_waits(void **state)
{
    (void)state;
    struct schedule s = make();
    for (int i = 0; i < 5; i++)
        schedule_on_probe_failed(&s, true, at(i));
    assert_false(schedule_wants_invocation(&s, at(100000)));
    for (int i = 0; i < 3; i++)
        schedule_on_probe_failed(&s, false, at(i));
    assert_true(schedule_wants_invocation(&s, at(100000)));
}

static void test_probes_count_while_an_attempt_hangs(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    schedule_on_session_start(&s, at(100));
    schedule_on_server(&s, SCHEDULE_DOWN, at(4000));
    for (int i = 0; i < 5; i++)
        schedule_on_probe_failed(&s, true, at(4999));
    assert_false(schedule_wants_invocation(&s, at(100000)));
    for (int i = 0; i < 3; i++)
        schedule_on_probe_failed(&s, true, at(5000 + i));
    assert_true(schedule_wants_invocation(&s, at(6000)));
}

static void test_up_ends_the_outage(void **state)
{
    (void)state;
    struct schedule s = make();
    for (int i = 0; i < 3; i++)
        schedule_on_probe_failed(&s, false, at(i));
    up(&s, 5000);
    assert_false(schedule_wants_invocation(&s, at(100000)));
    assert_int_equal(schedule_down_for_ms(&s, at(100000)), 0);
}

/* Failures that healed before the server counted as down are no part of the next outage. */
static void test_healed_failures_are_forgotten(void **state)
{
    const int64_t day_ms = 86400000;
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    schedule_on_probe_failed(&s, false, at(0));
    schedule_on_probe_failed(&s, false, at(1000));
    schedule_on_well(&s);
    assert_int_equal(schedule_down_for_ms(&s, at(day_ms)), 0);
    for (int i = 0; i < options.attempts_limit; i++)
        schedule_on_probe_failed(&s, false, at(day_ms));
    schedule_on_server(&s, SCHEDULE_DOWN, at(day_ms));
    assert_false(schedule_wants_invocation(&s, at(day_ms + options.after_ms - 1)));
    assert_true(schedule_wants_invocation(&s, at(day_ms + options.after_ms)));
}

static void test_an_answer_ends_the_doubt(void **state)
{
    (void)state;
    struct schedule s = make();
    up(&s, 0);
    schedule_on_probe_failed(&s, false, at(0));
    schedule_on_session_start(&s, at(1000));
    (void)schedule_on_session_progress(&s, -1);
    assert_int_equal(schedule_down_for_ms(&s, at(100000)), 0);
}

/* What is not up may answer a message and die again: that is one outage. */
static void test_an_answer_while_down_does_not_end_the_outage(void **state)
{
    (void)state;
    struct schedule s = make();
    schedule_on_probe_failed(&s, false, at(0));
    schedule_on_session_start(&s, at(1000));
    (void)schedule_on_session_progress(&s, -1);
    schedule_on_well(&s);
    assert_int_equal(schedule_down_for_ms(&s, at(5000)), 5000);
}

static void test_a_new_instance_gets_new_chances(void **state)
{
    (void)state;
    struct schedule s = make();
    schedule_on_session_start(&s, at(0));
    schedule_on_session_end(&s, true, at(0));
    for (int i = 0; i < 3; i++)
        schedule_on_probe_failed(&s, false, at(i));
    schedule_on_instance(&s, at(9000));
    assert_false(schedule_wants_invocation(&s, at(9001)));
    assert_int_equal(schedule_sessions_free(&s, at(9000)), 1);
}

static void test_other_limits_hold_at_once_and_keep_what_was_counted(void **state)
{
    (void)state;
    struct schedule s = make();
    struct schedule_options other = {.retry_ms = 50, .attempts_limit = 2, .after_ms = 100, .sessions_max = 2};
    up(&s, 0);
    for (int i = 0; i < 10; i++)
        (void)schedule_on_session_progress(&s, 5 * NS_PER_MS);
    assert_int_equal(schedule_sessions_free(&s, at(0)), 4);
    schedule_configure(&s, &other);
    assert_int_equal(schedule_sessions_free(&s, at(0)), 2);
    schedule_on_server(&s, SCHEDULE_DOWN, at(1000));
    assert_int_equal(schedule_next(&s).ns, at(1050).ns);
    schedule_on_probe_failed(&s, false, at(1000));
    schedule_configure(&s, &options);
    schedule_on_probe_failed(&s, false, at(2000));
    assert_false(schedule_wants_invocation(&s, at(3500)));
    schedule_configure(&s, &other);
    assert_true(schedule_wants_invocation(&s, at(3500)));
}

static void test_loss_backoff_outlasts_a_failing_server(void **state)
{
    (void)state;
    assert_int_equal(schedule_loss_backoff_ms(1000, 1), 1000);
    assert_int_equal(schedule_loss_backoff_ms(1000, 2), 8000);
    assert_int_equal(schedule_loss_backoff_ms(1000, 4), 512000);
    assert_int_equal(schedule_loss_backoff_ms(1000, 4000000000U), 3600000);
}

static const struct config_relay relay = {.retry_ms = 1000, .retry_max_ms = 60000};

static void check_backoff(uint32_t attempts, int64_t most)
{
    for (int64_t id = 1; id <= 100; id++)
        assert_in_range(schedule_message_backoff_ms(&relay, attempts, id), most - most / 4, most);
}

static void test_message_backoff_doubles_up_to_its_limit(void **state)
{
    (void)state;
    check_backoff(1, 1000);
    check_backoff(2, 2000);
    check_backoff(6, 32000);
    check_backoff(7, 60000);
    check_backoff(4000000000U, 60000);
}

static void test_what_was_put_off_together_does_not_come_back_together(void **state)
{
    (void)state;
    int by_quarter[4] = {0};
    for (int64_t id = 1; id <= 400; id++)
        by_quarter[(60000 - schedule_message_backoff_ms(&relay, 9, id)) * 4 / 15001]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(by_quarter[i], 50, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_attempt_is_at_once),
        cmocka_unit_test(test_down_attempts_are_one_at_a_time_and_periodic),
        cmocka_unit_test(test_what_was_not_tried_is_no_attempt),
        cmocka_unit_test(test_recovery_allows_sessions_at_once_and_grows),
        cmocka_unit_test(test_only_what_was_taken_sets_the_pace),
        cmocka_unit_test(test_the_first_good_probe_lets_a_message_go),
        cmocka_unit_test(test_recovering_takes_one_session_only),
        cmocka_unit_test(test_a_failed_session_backs_off_while_the_monitor_still_says_up),
        cmocka_unit_test(test_invocation_needs_attempts_and_time),
        cmocka_unit_test(test_time_alone_does_not_invoke),
        cmocka_unit_test(test_probes_count_only_when_nothing_waits),
        cmocka_unit_test(test_probes_count_while_an_attempt_hangs),
        cmocka_unit_test(test_up_ends_the_outage),
        cmocka_unit_test(test_healed_failures_are_forgotten),
        cmocka_unit_test(test_an_answer_ends_the_doubt),
        cmocka_unit_test(test_an_answer_while_down_does_not_end_the_outage),
        cmocka_unit_test(test_a_new_instance_gets_new_chances),
        cmocka_unit_test(test_other_limits_hold_at_once_and_keep_what_was_counted),
        cmocka_unit_test(test_message_backoff_doubles_up_to_its_limit),
        cmocka_unit_test(test_what_was_put_off_together_does_not_come_back_together),
        cmocka_unit_test(test_loss_backoff_outlasts_a_failing_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
