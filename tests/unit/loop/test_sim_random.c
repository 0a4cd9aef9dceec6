#include "loop/sim_random.h"

#include "unit/unit.h"

static void same_seed_same_numbers(void **state)
{
    (void)state;
    struct sim_random a, b, other;
    sim_random_init(&a, 1);
    sim_random_init(&b, 1);
    sim_random_init(&other, 2);
    uint64_t first = sim_random_next(&a);
    assert_true(first == sim_random_next(&b));
    assert_true(first != sim_random_next(&other));
    assert_true(first != sim_random_next(&a));
}

static void range_is_uniform_enough(void **state)
{
    (void)state;
    struct sim_random r;
    sim_random_init(&r, 3);
    int counts[10] = {0};
    for (int i = 0; i < 100000; i++) {
        uint64_t value = sim_random_range(&r, 10);
        assert_true(value < 10);
        counts[value]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_true(sim_random_range(&r, 1) == 0);
}

static void fill_takes_any_length(void **state)
{
    (void)state;
    struct sim_random r;
    unsigned char bytes[20] = {0};
    sim_random_init(&r, 4);
    sim_random_fill(&r, bytes, 19);
    assert_int_equal(bytes[19], 0);
    assert_true(bytes[16] || bytes[17] || bytes[18]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(range_is_uniform_enough),
        cmocka_unit_test(fill_takes_any_length),
    };
    return cmocka_run_group_tests_name("loop sim_random", tests, NULL, NULL);
}
