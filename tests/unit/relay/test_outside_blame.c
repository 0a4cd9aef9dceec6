#include "relay/outside_blame.h"

#include "unit/unit.h"

static const struct outside_blame_view among_others = {.others_wait = true};

static void test_one_other_message_is_tried_before_a_place_is_given_up(void **state)
{
    (void)state;
    struct outside_blame b = {0};
    struct blame_mark m[4] = {{0}};
    assert_int_equal(outside_blame_judge(&b, &m[0], &among_others), OUTSIDE_BLAME_OPEN);
    assert_int_equal(outside_blame_judge(&b, &m[1], &among_others), OUTSIDE_BLAME_PLACE);
    outside_blame_moved(&b);
    assert_int_equal(outside_blame_judge(&b, &m[2], &among_others), OUTSIDE_BLAME_OPEN);
    outside_blame_answered(&b, false); /* it serves */
    assert_int_equal(outside_blame_judge(&b, &m[3], &among_others), OUTSIDE_BLAME_OPEN);
}

static void test_where_others_pass_it_is_the_message(void **state)
{
    (void)state;
    struct outside_blame b = {0};
    struct blame_mark m = {0};
    assert_int_equal(outside_blame_judge(&b, &m, &among_others), OUTSIDE_BLAME_OPEN);
    outside_blame_answered(&b, true);
    assert_int_equal(outside_blame_judge(&b, &m, &among_others), OUTSIDE_BLAME_MESSAGE);
}

static void test_one_that_is_alone_is_put_off_alone_after_the_last_place(void **state)
{
    (void)state;
    struct outside_blame b = {0};
    struct blame_mark m = {0};
    assert_int_equal(outside_blame_judge(&b, &m, &(struct outside_blame_view){.places_left = true}),
                     OUTSIDE_BLAME_PLACE);
    outside_blame_moved(&b);
    assert_int_equal(outside_blame_judge(&b, &m, &(struct outside_blame_view){0}), OUTSIDE_BLAME_MESSAGE);
}

static void test_a_session_that_had_enough_says_nothing_of_the_place(void **state)
{
    (void)state;
    const struct outside_blame_view served = {.served = true};
    struct outside_blame b = {0};
    struct blame_mark m[3] = {{0}};
    for (int i = 0; i < 3; i++)
        assert_int_equal(outside_blame_judge(&b, &m[i], &served), OUTSIDE_BLAME_OPEN);
}

static void test_nothing_is_tried_without_end(void **state)
{
    (void)state;
    const struct outside_blame_view served = {.served = true};
    struct outside_blame b = {0};
    struct blame_mark m = {0};
    for (int i = 1; i < BLAME_TIMES; i++)
        assert_int_equal(outside_blame_judge(&b, &m, &served), OUTSIDE_BLAME_OPEN);
    assert_int_equal(outside_blame_judge(&b, &m, &served), OUTSIDE_BLAME_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_other_message_is_tried_before_a_place_is_given_up),
        cmocka_unit_test(test_where_others_pass_it_is_the_message),
        cmocka_unit_test(test_one_that_is_alone_is_put_off_alone_after_the_last_place),
        cmocka_unit_test(test_a_session_that_had_enough_says_nothing_of_the_place),
        cmocka_unit_test(test_nothing_is_tried_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
