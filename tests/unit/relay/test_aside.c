/* What a walk goes past, each with a back-off of its own. */
#include "relay/aside.h"
#include "unit/unit.h"

static struct mono_time at_ms(int64_t ms)
{
    return (struct mono_time){ms * NS_PER_MS};
}

static void test_it_is_tried_again_with_growing_pauses(void **state)
{
    (void)state;
    struct aside a;
    bool first;
    int64_t now = 0;
    aside_init(&a);
    for (unsigned tries = 0; tries < ASIDE_TRIES_MAX; tries++) {
        assert_int_equal(aside_ask(&a, 7, at_ms(now)), ASIDE_READ);
        assert_int_equal(aside_failed(&a, 7, at_ms(now), &first), ASIDE_PAST);
        assert_int_equal(first, tries == 0); /* it is said once */
        int64_t pause = (int64_t)ASIDE_FIRST_MS << tries;
        assert_int_equal(aside_ask(&a, 7, at_ms(now + pause - 1)), ASIDE_PAST);
        assert_int_equal(aside_next(&a).ns, at_ms(now + pause).ns);
        now += pause;
    }
    assert_int_equal(aside_ask(&a, 7, at_ms(now)), ASIDE_WITHOUT);
}

static void test_others_are_read_meanwhile(void **state)
{
    (void)state;
    struct aside a;
    bool first;
    aside_init(&a);
    assert_int_equal(aside_next(&a).ns, MONO_NEVER.ns);
    (void)aside_failed(&a, 7, at_ms(0), &first);
    (void)aside_failed(&a, 8, at_ms(500), &first);
    assert_true(first);
    assert_int_equal(aside_next(&a).ns, at_ms(1000).ns);
    assert_int_equal(aside_ask(&a, 9, at_ms(1)), ASIDE_READ);
    aside_drop(&a, 7);
    aside_drop(&a, 9);
    assert_int_equal(aside_ask(&a, 7, at_ms(1)), ASIDE_READ);
    assert_int_equal(aside_next(&a).ns, at_ms(1500).ns);
}

static void test_without_room_there_is_no_waiting(void **state)
{
    (void)state;
    struct aside a;
    bool first;
    aside_init(&a);
    for (int64_t id = 1; id <= ASIDE_MAX; id++)
        assert_int_equal(aside_failed(&a, id, at_ms(0), &first), ASIDE_PAST);
    assert_int_equal(aside_ask(&a, ASIDE_MAX + 1, at_ms(0)), ASIDE_READ);
    assert_int_equal(aside_failed(&a, ASIDE_MAX + 1, at_ms(0), &first), ASIDE_WITHOUT);
}

static void test_what_is_owed_no_more_is_forgotten(void **state)
{
    (void)state;
    struct aside a;
    bool first;
    aside_init(&a);
    (void)aside_failed(&a, 1, at_ms(0), &first);
    (void)aside_failed(&a, 2, at_ms(0), &first);
    aside_walk_begin(&a);
    assert_int_equal(aside_ask(&a, 2, at_ms(0)), ASIDE_PAST);
    aside_walk_end(&a);
    assert_int_equal(aside_ask(&a, 1, at_ms(0)), ASIDE_READ);
    assert_int_equal(aside_ask(&a, 2, at_ms(0)), ASIDE_PAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_tried_again_with_growing_pauses),
        cmocka_unit_test(test_others_are_read_meanwhile),
        cmocka_unit_test(test_without_room_there_is_no_waiting),
        cmocka_unit_test(test_what_is_owed_no_more_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
