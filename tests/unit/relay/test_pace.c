/* The pace of sessions by a server's answers, beside servers that are modelled by what their answers cost. */
#include <string.h>

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

static int64_t thirty_ms(int64_t sessions)
{
    (void)sessions;
    return 30 * MS;
}

/* 30 ms is neither soon nor slow beside the one answer of a millisecond. */
static void one_lucky_answer_holds_up_nothing(void **state)
{
    (void)state;
    struct pace p = make(40);
    (void)pace_on_answer(&p, 1 * MS);
    play(&p, 60, thirty_ms);
    assert_int_equal(p.window, 40);
}

static void it_holds_up_nothing_after_a_slow_round_either(void **state)
{
    (void)state;
    struct pace p = make(10);
    play(&p, 8, group_commit);
    play(&p, 1, overloaded);
    (void)pace_on_answer(&p, 1 * MS);
    play(&p, 60, thirty_ms);
    assert_int_equal(p.window, 10);
}

static int64_t most_of(struct pace *p, int rounds, int64_t (*answer_ns)(int64_t sessions))
{
    int64_t most = 0;
    for (; rounds > 0; rounds--) {
        most = p->window > most ? p->window : most;
        play(p, 1, answer_ns);
    }
    return most;
}

/* Looks find that fewer sessions are answered sooner: the best stays what it was. */
static void looking_again_lets_no_more_in_where_sessions_wait_for_each_other(void **state)
{
    (void)state;
    struct pace one = make(100), four = make(100);
    assert_true(most_of(&one, 2000, one_at_a_time) <= 4);
    assert_true(most_of(&four, 2000, four_at_once) <= 16);
    assert_int_equal(one.best_ns, 100 * MS);
    assert_int_equal(four.best_ns, 100 * MS);
}

/* Of what a server of four could do, while looks take sessions away. */
static void looking_again_leaves_it_busy(void **state)
{
    (void)state;
    struct pace p = make(100);
    play(&p, 50, four_at_once);
    for (int i = 0; i < 1000; i++) {
        assert_true(p.window >= 4);
        play(&p, 1, four_at_once);
    }
}

/* A server that does four at once, in the order in which they come; answers come while others are under way.
 */
struct queueing {
    int64_t now, free_at[4];       /* of each that it does at once */
    int64_t begun[100], ends[100]; /* under way, the next to end first */
    int64_t count;
};

static void begin_one(struct queueing *q)
{
    int64_t *first = &q->free_at[0];
    for (int i = 1; i < 4; i++)
        if (q->free_at[i] < *first)
            first = &q->free_at[i];
    *first = (*first > q->now ? *first : q->now) + 100 * MS;
    q->begun[q->count] = q->now;
    q->ends[q->count++] = *first;
}

static int64_t end_one(struct queueing *q)
{
    int64_t taken = q->ends[0] - q->begun[0];
    q->now = q->ends[0];
    q->count--;
    memmove(q->ends, q->ends + 1, (size_t)q->count * sizeof(*q->ends));
    memmove(q->begun, q->begun + 1, (size_t)q->count * sizeof(*q->begun));
    return taken;
}

static void looking_again_is_not_deceived_by_what_is_under_way(void **state)
{
    (void)state;
    struct pace p = make(100);
    struct queueing q = {.count = 0};
    for (int i = 0; i < 20000; i++) {
        assert_true(i < 1000 || p.window <= 16);
        while (q.count < p.window)
            begin_one(&q);
        (void)pace_on_answer(&p, end_one(&q));
    }
    assert_int_equal(p.best_ns, 100 * MS);
    assert_true(q.now < 20000LL * 100 * MS / 4 * 11 / 10); /* nor is it idle for more than a tenth */
}

static void another_most_holds_in_a_look_too(void **state)
{
    (void)state;
    struct pace p = make(40);
    play(&p, 8, group_commit);
    for (int i = 0; p.phase != PACE_LOOKING; i++) {
        assert_true(i < 10000);
        (void)pace_on_answer(&p, 40 * MS);
    }
    assert_int_equal(p.window, 20);
    pace_set_max(&p, 10);
    for (int i = 0; i < 200; i++) {
        assert_in_range(p.window, 1, 10);
        (void)pace_on_answer(&p, 40 * MS);
    }
}

static void one_that_was_turned_away_is_not_begun_again_at_once(void **state)
{
    (void)state;
    struct pace p = make(100);
    play(&p, 4, group_commit);
    assert_int_equal(p.window, 16);
    pace_on_turned_away(&p, 10);
    play(&p, 50, group_commit);
    assert_int_equal(p.window, 10);
    play(&p, 20, group_commit);
    assert_in_range(p.window, 11, 20);
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
        cmocka_unit_test(one_lucky_answer_holds_up_nothing),
        cmocka_unit_test(it_holds_up_nothing_after_a_slow_round_either),
        cmocka_unit_test(looking_again_lets_no_more_in_where_sessions_wait_for_each_other),
        cmocka_unit_test(looking_again_leaves_it_busy),
        cmocka_unit_test(looking_again_is_not_deceived_by_what_is_under_way),
        cmocka_unit_test(another_most_holds_in_a_look_too),
        cmocka_unit_test(one_that_was_turned_away_is_not_begun_again_at_once),
        cmocka_unit_test(another_most_holds_at_once),
        cmocka_unit_test(no_answer_time_breaks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
