#include "mailbox/tenure.h"

#include "unit/unit.h"

#define EVENTS (TENURE_FENCED + 1)

static enum tenure after(enum tenure t, const enum tenure_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        t = tenure_next(t, events[i]);
    return t;
}

#define AFTER(from, ...)                                                                                     \
    after(from, (const enum tenure_event[]){__VA_ARGS__},                                                    \
          sizeof((const enum tenure_event[]){__VA_ARGS__}) / sizeof(enum tenure_event))

static void who_starts_waits_for_the_lease_of_another(void **state)
{
    (void)state;
    assert_int_equal(AFTER(TENURE_STARTING, TENURE_TAKEN, TENURE_TAKEN, TENURE_HELD), TENURE_STARTING);
    assert_int_equal(AFTER(TENURE_STARTING, TENURE_HELD, TENURE_COMPLETE), TENURE_SERVING);
    assert_int_equal(AFTER(TENURE_STARTING, TENURE_FENCED), TENURE_OVER);
}

static void a_lease_is_not_enough_to_return(void **state)
{
    (void)state;
    assert_int_equal(AFTER(TENURE_SERVING, TENURE_LOST), TENURE_KEEPING);
    assert_int_equal(AFTER(TENURE_SERVING, TENURE_LOST, TENURE_HELD), TENURE_RETURNING);
    assert_int_equal(AFTER(TENURE_SERVING, TENURE_LOST, TENURE_HELD, TENURE_CURRENT), TENURE_SERVING);
    assert_int_equal(AFTER(TENURE_SERVING, TENURE_LOST, TENURE_HELD, TENURE_LOST), TENURE_KEEPING);
}

static void nor_is_an_epoch(void **state)
{
    (void)state;
    assert_int_equal(AFTER(TENURE_SERVING, TENURE_LOST, TENURE_CURRENT), TENURE_KEEPING);
    assert_int_equal(AFTER(TENURE_SERVING, TENURE_LOST, TENURE_COMPLETE), TENURE_KEEPING);
}

static void who_was_replaced_ends(void **state)
{
    (void)state;
    for (enum tenure t = TENURE_SERVING; t <= TENURE_OVER; t++) {
        assert_int_equal(tenure_next(t, TENURE_TAKEN), TENURE_OVER);
        assert_int_equal(tenure_next(t, TENURE_FENCED), TENURE_OVER);
    }
    for (enum tenure_event e = 0; e < EVENTS; e++)
        assert_int_equal(tenure_next(TENURE_OVER, e), TENURE_OVER);
}

static void only_who_serves_takes_mail(void **state)
{
    (void)state;
    for (enum tenure t = TENURE_STARTING; t <= TENURE_OVER; t++)
        assert_int_equal(tenure_takes_mail(t), t == TENURE_SERVING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_starts_waits_for_the_lease_of_another),
        cmocka_unit_test(a_lease_is_not_enough_to_return),
        cmocka_unit_test(nor_is_an_epoch),
        cmocka_unit_test(who_was_replaced_ends),
        cmocka_unit_test(only_who_serves_takes_mail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
