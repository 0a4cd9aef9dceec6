#include "relay/blame.h"

#include "unit/unit.h"

static void test_a_server_that_takes_none_is_to_blame(void **state)
{
    (void)state;
    struct blame b = {0};
    struct blame_mark m[3] = {{0}};
    for (int round = 0; round < 10 * BLAME_TIMES; round++)
        for (int i = 0; i < 3; i++) {
            assert_int_equal(blame_judge(&b, &m[i], false), BLAME_SERVER);
            assert_false(blame_enough(&m[i]));
        }
}

static void test_one_that_took_others_until_now_is_not_yet(void **state)
{
    (void)state;
    struct blame b = {0};
    struct blame_mark m[2] = {{0}};
    blame_taken(&b);
    assert_int_equal(blame_judge(&b, &m[0], false), BLAME_OPEN);
    assert_int_equal(blame_judge(&b, &m[1], false), BLAME_SERVER);
}

static void test_where_others_pass_the_message_is(void **state)
{
    (void)state;
    struct blame b = {0};
    struct blame_mark m[2] = {{0}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(blame_judge(&b, &m[i], false), BLAME_SERVER);
    blame_taken(&b);
    for (int i = 0; i < 2; i++)
        assert_int_equal(blame_judge(&b, &m[i], false), BLAME_MESSAGE);
}

static void test_one_that_is_alone_is_put_off_in_the_end(void **state)
{
    (void)state;
    struct blame b = {0};
    struct blame_mark m = {0};
    assert_int_equal(blame_judge(&b, &m, false), BLAME_SERVER);
    for (int i = 2; i <= BLAME_TIMES; i++) {
        assert_false(blame_enough(&m));
        assert_int_equal(blame_judge(&b, &m, false), BLAME_NOBODY);
    }
    assert_true(blame_enough(&m));
}

static void test_one_that_is_alone_at_last_is_not_put_off_at_once(void **state)
{
    (void)state;
    struct blame b = {0};
    struct blame_mark m[2] = {{0}};
    for (int round = 0; round < 2 * BLAME_TIMES; round++)
        for (int i = 0; i < 2; i++)
            assert_int_equal(blame_judge(&b, &m[i], false), BLAME_SERVER);
    assert_int_equal(blame_judge(&b, &m[1], false), BLAME_NOBODY);
    assert_false(blame_enough(&m[1]));
}

static void test_a_server_that_is_down_is_to_blame_for_one_that_is_alone(void **state)
{
    (void)state;
    struct blame b = {0};
    struct blame_mark m = {0};
    for (int i = 0; i < 2 * BLAME_TIMES; i++) {
        assert_int_equal(blame_judge(&b, &m, true), BLAME_SERVER);
        assert_false(blame_enough(&m));
    }
    assert_int_equal(blame_judge(&b, &m, false), BLAME_NOBODY); /* it is up again */
    blame_taken(&b);
    assert_int_equal(blame_judge(&b, &m, true), BLAME_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_that_takes_none_is_to_blame),
        cmocka_unit_test(test_one_that_took_others_until_now_is_not_yet),
        cmocka_unit_test(test_where_others_pass_the_message_is),
        cmocka_unit_test(test_one_that_is_alone_is_put_off_in_the_end),
        cmocka_unit_test(test_one_that_is_alone_at_last_is_not_put_off_at_once),
        cmocka_unit_test(test_a_server_that_is_down_is_to_blame_for_one_that_is_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
