#include "relay/tell.h"

#include "unit/unit.h"

static bool failure(unsigned notify, bool authenticated, enum config_bounce bounce)
{
    struct config_relay relay = {.bounce = bounce};
    struct tell t = {STR("a@b.test"), notify, authenticated};
    return tell_failure(&t, &relay);
}

static void a_failure_is_told_as_bounce_says(void **state)
{
    (void)state;
    assert_false(failure(0, true, BOUNCE_NEVER));
    assert_false(failure(DSN_NOTIFY_FAILURE, true, BOUNCE_NEVER));
    assert_true(failure(0, true, BOUNCE_AUTHENTICATED));
    assert_false(failure(0, false, BOUNCE_AUTHENTICATED));
    assert_false(failure(DSN_NOTIFY_FAILURE, false, BOUNCE_AUTHENTICATED));
    assert_true(failure(0, false, BOUNCE_ALWAYS));
    assert_true(failure(DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY, false, BOUNCE_ALWAYS));
    assert_false(failure(DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, true, BOUNCE_ALWAYS));
    assert_false(failure(DSN_NOTIFY_NEVER, true, BOUNCE_ALWAYS));
}

static bool delay(unsigned notify, bool authenticated, enum config_bounce bounce, int64_t after_ms)
{
    struct config_relay relay = {.bounce = bounce, .delay_notice_ms = after_ms};
    struct tell t = {STR("a@b.test"), notify, authenticated};
    return tell_delay(&t, &relay);
}

static void a_delay_is_told_to_who_asked(void **state)
{
    (void)state;
    assert_true(delay(DSN_NOTIFY_DELAY, false, BOUNCE_NEVER, 1));
    assert_false(delay(DSN_NOTIFY_DELAY, true, BOUNCE_ALWAYS, 0));
    assert_false(delay(0, true, BOUNCE_NEVER, 1));
    assert_true(delay(0, true, BOUNCE_AUTHENTICATED, 1));
    assert_false(delay(0, false, BOUNCE_AUTHENTICATED, 1));
    assert_true(delay(0, false, BOUNCE_ALWAYS, 1));
    assert_false(delay(DSN_NOTIFY_FAILURE, true, BOUNCE_ALWAYS, 1));
    assert_false(delay(DSN_NOTIFY_NEVER, true, BOUNCE_ALWAYS, 1));
}

static void success_is_told_once(void **state)
{
    struct tell t = {STR("a@b.test"), DSN_NOTIFY_SUCCESS, false};
    (void)state;
    assert_int_equal(tell_success(&t, true, false), QUEUE_OWES_DELIVERED);
    assert_int_equal(tell_success(&t, false, false), QUEUE_OWES_RELAYED);
    assert_int_equal(tell_success(&t, false, true), QUEUE_OWES_NOTHING);
    t.notify = DSN_NOTIFY_FAILURE;
    assert_int_equal(tell_success(&t, true, false), QUEUE_OWES_NOTHING);
    t.notify = 0;
    assert_int_equal(tell_success(&t, true, false), QUEUE_OWES_NOTHING);
}

static void nobody_is_told_nothing(void **state)
{
    struct config_relay relay = {.bounce = BOUNCE_ALWAYS, .delay_notice_ms = 1};
    static const char *const nobody[] = {"", "postmaster"}; /* whose domain would it be */
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nobody); i++) {
        struct tell t = {str_from(nobody[i]), DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY | DSN_NOTIFY_FAILURE,
                         true};
        assert_false(tell_failure(&t, &relay));
        assert_false(tell_delay(&t, &relay));
        assert_int_equal(tell_success(&t, true, false), QUEUE_OWES_NOTHING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_told_as_bounce_says),
        cmocka_unit_test(a_delay_is_told_to_who_asked),
        cmocka_unit_test(success_is_told_once),
        cmocka_unit_test(nobody_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
