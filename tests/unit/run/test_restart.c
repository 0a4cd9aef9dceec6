#include "run/restart.h"

#include "unit/unit.h"

static void delays_double_up_to_the_most(void **state)
{
    (void)state;
    struct restart r = {0};
    const int64_t expected[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(restart_next_ms(&r, 10), expected[i]);
}

static void a_long_life_resets(void **state)
{
    (void)state;
    struct restart r = {0};
    for (int i = 0; i < 10; i++)
        (void)restart_next_ms(&r, 0);
    assert_int_equal(restart_next_ms(&r, RESTART_RESET_MS - 1), RESTART_MAX_MS);
    assert_int_equal(restart_next_ms(&r, RESTART_RESET_MS), RESTART_FIRST_MS);
    assert_int_equal(restart_next_ms(&r, 0), 2 * RESTART_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_the_most),
        cmocka_unit_test(a_long_life_resets),
    };
    return cmocka_run_group_tests_name("run restart", tests, NULL, NULL);
}
