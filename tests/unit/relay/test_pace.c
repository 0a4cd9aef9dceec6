/* The pace of sessions by a server's answers, beside servers that are modelled by what their answers cost. */
#include "base/time.h"
#include "relay/pace.h"
#include "unit/unit.h"

#define MS NS_PER_MS

static struct pace make(int64_t max)
{
    struct pace p;
    pace_init(&p, max);
    return p;
}

/* A round: as many answers as the window holds, by a server that takes so long for so many at once. */
static void play(struct pace *p, int rounds, int64_t (*answer_ns)(int64_t sessions))
{
    for (; rounds > 0; rounds--)
        for (int64_t n = p->window, i = 0; i < n; i++)
            (void)pace_on_answer(p, answer_ns(n));
}

/* A disk's sync for all of them. */
static int64_t group_commit(int64_t sessions)
{
    (void)sessions;
    return 8 * MS;
}

/* Four are done at once, the others wait. */
static int64_t four_at_once(int64_t sessions)
{
    return 100 * MS * ((sessions + 3) / 4);
}

static int64_t one_at_a_time(int64_t sessions)
{
    return 100 * MS * sessions;
}

static int64_t overloaded(int64_t sessions)
{
    (void)sessions;
    return 2000 * MS;
}

static void it_begins_with_one_and_doubles(void **state)
{
    (void)state;
    struct pace p = make(100);
    assert_int_equal(p.window, 1);
    for (int64_t expect = 2; expect <= 64; expect *= 2) {
        play(&p, 1, group_commit);
        assert_int_equal(p.window, expect);
    }
    play(&p, 1, group_commit);
    assert_int_equal(p.window, 100);
}

static void it_tells_when_more_may_begin(void **state)
{
    (void)state;
    struct pace p = make(2);
    assert_true(pace_on_answer(&p, 5 * MS));
    assert_false(pace_on_answer(&p, 5 * MS));
}

static void it_stops_where_sessions_only_wait_for_each_other(void **state)
{
    (void)state;
    struct pace p = make(100);
    play(&p, 50, one_at_a_time);
    assert_in_range(p.window, 2, 4);
}

static void it_finds_what_a_server_does_at_once(void **state)
{
    (void)state;
    struct pace p = make(100);
    play(&p, 50, four_at_once);
    assert_in_range(p.window, 8, 16); /* two rounds' work at hand: none of the four is ever idle */
}

static void a_slow_round_takes_a_quarter_and_then_one_comes_back_a_round(void **state)
{
    (void)state;
    struct pace p = make(40);
    play(&p, 8, group_commit);
    assert_int_equal(p.window, 40);
    play(&p, 1, overloaded);
    assert_int_equal(p.window, 30);
    play(&p, 1, group_commit);
    assert_int_equal(p.window, 31);
    play(&p, 2, group_commit);
    assert_int_equal(p.window, 33);
}

static void it_never_goes_below_one(void **state)
{
    (void)state;
    struct pace p = make(10);
    play(&p, 8, group_commit);
    for (int64_t before = p.window; p.window > 1; before = p.window) {
        play(&p, 1, overloaded);
        assert_true(p.window < before);
    }
    play(&p, 1, overloaded);
    assert_int_equal(p.window, 1);
}

static void one_large_message_says_nothing(void **state)
{
    (void)state;
    struct pace p = make(10);
    play(&p, 8, group_commit);
    for (int i = 0; i < 100; i++)
        (void)pace_on_answer(&p, i % 10 == 0 ? 9000 * MS : 8 * MS);
    assert_int_equal(p.window, 10);
}

static void a_server_that_is_slower_for_good_is_not_starved(void **state)
{
    (void)state;
    struct pace p = make(10);
    play(&p, 8, group_commit);
    play(&p, 200, overloaded);
    assert_int_equal(p.window, 10);
}

static void another_most_holds_at_once(void **state)
{
    (void)state;
    struct pace p = make(10);
    play(&p, 8, group_commit);
    pace_set_max(&p, 4);
    assert_int_equal(p.window, 4);
    play(&p, 8, group_commit);
    assert_int_equal(p.window, 4);
}

static void no_answer_time_breaks_it(void **state)
{
    (void)state;
    struct pace p = make(1000);
    const int64_t times[] = {0, -1, INT64_MAX, INT64_MIN, 1};
    for (int i = 0; i < 100000; i++) {
        (void)pace_on_answer(&p, times[i % 5]);
        assert_in_range(p.window, 1, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_one_and_doubles),
        cmocka_unit_test(it_tells_when_more_may_begin),
        cmocka_unit_test(it_stops_where_sessions_only_wait_for_each_other),
        cmocka_unit_test(it_finds_what_a_server_does_at_once),
        cmocka_unit_test(a_slow_round_takes_a_quarter_and_then_one_comes_back_a_round),
        cmocka_unit_test(it_never_goes_below_one),
        cmocka_unit_test(one_large_message_says_nothing),
        cmocka_unit_test(a_server_that_is_slower_for_good_is_not_starved),
        cmocka_unit_test(another_most_holds_at_once),
        cmocka_unit_test(no_answer_time_breaks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
