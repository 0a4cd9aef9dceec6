#include "relay/turn.h"
#include "unit/unit.h"

static struct turn_view view(size_t normal, size_t lossy, size_t busy, int64_t now_ms)
{
    return (struct turn_view){.up = true,
                              .normal = normal,
                              .lossy = lossy,
                              .busy = busy,
                              .patience_ms = 1000,
                              .now = {now_ms * NS_PER_MS}};
}

#define ASK(t, ...) turn_ask(t, (struct turn_view[]){view(__VA_ARGS__)})

static void test_lossy_mail_comes_last(void **state)
{
    (void)state;
    struct turn t;
    turn_init(&t);
    assert_int_equal(ASK(&t, 5, 1, 0, 0), TURN_NORMAL);
    assert_int_equal(ASK(&t, 0, 1, 2, 10), TURN_NORMAL); /* others are under way: not alone */
    assert_int_equal(ASK(&t, 0, 1, 0, 20), TURN_LOSSY);
}

static void test_its_patience_ends_and_sessions_run_dry(void **state)
{
    (void)state;
    struct turn t;
    turn_init(&t);
    assert_int_equal(ASK(&t, 5, 1, 2, 0), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 1, 2, 999), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 1, 2, 1000), TURN_NOBODY);
    assert_int_equal(ASK(&t, 5, 1, 1, 1050), TURN_NOBODY);
    assert_int_equal(ASK(&t, 5, 1, 0, 1100), TURN_LOSSY);
    turn_begin(&t, (struct mono_time){1100 * NS_PER_MS});
    assert_int_equal(ASK(&t, 5, 0, 0, 1150), TURN_NOBODY);
}

static void test_a_batch_of_them_leaves_the_others_their_share(void **state)
{
    (void)state;
    struct turn t;
    turn_init(&t);
    (void)ASK(&t, 5, 9, 2, 0);
    (void)ASK(&t, 5, 9, 2, 1000);
    assert_int_equal(ASK(&t, 5, 9, 0, 1100), TURN_LOSSY);
    turn_begin(&t, (struct mono_time){1100 * NS_PER_MS});
    turn_end(&t, (struct mono_time){1200 * NS_PER_MS}); /* it took 200 ms in all */
    assert_int_equal(ASK(&t, 5, 8, 2, 1200), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 8, 2, 1799), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 8, 2, 1800), TURN_NOBODY);
}

static void test_none_is_the_first_that_a_recovered_server_gets(void **state)
{
    (void)state;
    struct turn t;
    turn_init(&t);
    (void)ASK(&t, 5, 1, 2, 0);
    struct turn_view down = view(5, 1, 0, 5000);
    down.up = false;
    assert_int_equal(turn_ask(&t, &down), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 1, 0, 6000), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 1, 0, 6999), TURN_NORMAL);
    assert_int_equal(ASK(&t, 5, 1, 0, 7000), TURN_LOSSY);
}

static void test_a_stop_ends_when_none_is_there_any_more(void **state)
{
    (void)state;
    struct turn t;
    turn_init(&t);
    (void)ASK(&t, 5, 1, 2, 0);
    assert_int_equal(ASK(&t, 5, 1, 2, 1000), TURN_NOBODY);
    assert_int_equal(ASK(&t, 5, 0, 2, 1010), TURN_NORMAL); /* held by an operator */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lossy_mail_comes_last),
        cmocka_unit_test(test_its_patience_ends_and_sessions_run_dry),
        cmocka_unit_test(test_a_batch_of_them_leaves_the_others_their_share),
        cmocka_unit_test(test_none_is_the_first_that_a_recovered_server_gets),
        cmocka_unit_test(test_a_stop_ends_when_none_is_there_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
