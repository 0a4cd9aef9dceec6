/* A count in a time: at once, and then at an even pace. */
#include "base/rate.h"

#include "unit/unit.h"

static const struct mono_time start = {7LL * 86400 * 1000 * NS_PER_MS};

/* How many can be taken now. */
static int64_t take_all(const struct rate *r, struct rate_bucket *b, struct mono_time now)
{
    int64_t count = 0;
    for (; rate_wait_ms(r, b, now) == 0; count++)
        rate_take(r, b, now);
    return count;
}

static void all_at_once_then_one_by_one(void **state)
{
    static const struct rate rates[] = {{1, 1000}, {3, 10000}, {60, 60000}, {600, 3600000}, {7, 86400000}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        const struct rate *r = &rates[i];
        struct rate_bucket b = {{0}};
        assert_int_equal(take_all(r, &b, start), r->count);
        int64_t wait_ms = rate_wait_ms(r, &b, start);
        assert_in_range(wait_ms, r->per_ms / r->count, r->per_ms / r->count + 1);
        assert_int_equal(take_all(r, &b, mono_add_ms(start, wait_ms - 1)), 0);
        assert_int_equal(take_all(r, &b, mono_add_ms(start, wait_ms)), 1);
        assert_int_equal(take_all(r, &b, mono_add_ms(start, wait_ms + 10 * r->per_ms)), r->count);
    }
}

static void the_largest_counts_and_times(void **state)
{
    struct rate fast = {RATE_COUNT_MAX, RATE_PER_MIN_MS}, slow = {1, RATE_PER_MAX_MS};
    struct rate_bucket b = {{0}};
    (void)state;
    for (int i = 0; i < 1000; i++)
        rate_take(&fast, &b, start);
    assert_int_equal(rate_wait_ms(&fast, &b, start), 0);
    b = (struct rate_bucket){{0}};
    rate_take(&slow, &b, start);
    assert_int_equal(rate_wait_ms(&slow, &b, start), RATE_PER_MAX_MS);
}

static void without_a_count_there_is_no_limit(void **state)
{
    struct rate none = {0, 0};
    struct rate_bucket b = {mono_add_ms(start, 1000000)};
    (void)state;
    assert_int_equal(rate_wait_ms(&none, &b, start), 0);
    rate_take(&none, &b, start);
    assert_true(b.full_at.ns == mono_add_ms(start, 1000000).ns);
}

/* What was taken of an hour's keeps nobody waiting for longer than the minute that holds now. */
static void another_rate_holds_at_once(void **state)
{
    struct rate hour = {1, 3600000}, minute = {2, 60000};
    struct rate_bucket b = {{0}};
    (void)state;
    rate_take(&hour, &b, start);
    assert_int_equal(rate_wait_ms(&minute, &b, start), 30000);
    assert_int_equal(take_all(&minute, &b, mono_add_ms(start, 3600000)), 2);
}

static void texts(void **state)
{
    char text[RATE_TEXT_MAX];
    (void)state;
    rate_format(&(struct rate){600, 3600000}, text);
    assert_string_equal(text, "600/1h");
    rate_format(&(struct rate){RATE_COUNT_MAX, 1500}, text);
    assert_string_equal(text, "1000000000/1500ms");
    rate_format(&(struct rate){0, 0}, text);
    assert_string_equal(text, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_at_once_then_one_by_one),
        cmocka_unit_test(the_largest_counts_and_times),
        cmocka_unit_test(without_a_count_there_is_no_limit),
        cmocka_unit_test(another_rate_holds_at_once),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
