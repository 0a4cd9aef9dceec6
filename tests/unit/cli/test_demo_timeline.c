#include "cli/demo_timeline.h"
#include "loop/real.h"
#include "unit/unit.h"

struct fixture {
    struct loop *loop;
    struct timeline timeline;
};

static int setup_with(void **state, bool strict)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->loop = loop_real_new();
    timeline_init(&f->timeline, f->loop, NULL, strict);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, false);
}

static int setup_strict(void **state)
{
    return setup_with(state, true);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    timeline_fini(&f->timeline);
    loop_real_free(f->loop);
    free(f);
    return 0;
}

static void assert_line(enum timeline_kind kind, bool colour, const char *expected)
{
    char who[] = "dns", what[] = "names it";
    struct timeline_event e = {.at_ms = 12034, .kind = kind, .act = 2, .who = who, .what = what};
    struct buf out;
    buf_init(&out, 1024);
    timeline_format(&out, &e, colour);
    assert_string_equal(buf_data(&out), expected);
    buf_fini(&out);
}

static void test_lines(void **state)
{
    (void)state;
    assert_line(TIMELINE_ACT, false, "\n2. names it\n");
    assert_line(TIMELINE_EVENT, false, "  12.034  dns        names it\n");
    assert_line(TIMELINE_HELD, false, "  12.034  dns        ok: names it\n");
    assert_line(TIMELINE_BROKEN, false, "  12.034  dns        BROKEN: names it\n");
}

static void test_colour_is_only_for_terminals(void **state)
{
    (void)state;
    assert_line(TIMELINE_EVENT, true, "  12.034  dns        names it\n");
    assert_line(TIMELINE_BROKEN, true, "  12.034  dns        \033[1;31mBROKEN: names it\033[0m\n");
}

static void test_it_holds_when_all_checks_do(void **state)
{
    struct timeline *t = &((struct fixture *)*state)->timeline;
    timeline_say(t, "demo", "nothing was checked yet");
    assert_false(timeline_held(t));
    assert_true(timeline_check(t, true, "demo", "%d", 1));
    assert_true(timeline_held(t));
    assert_false(timeline_check(t, false, "demo", "%d", 2));
    timeline_check(t, true, "demo", "%d", 3);
    assert_false(timeline_held(t));
    assert_int_equal(timeline_count(t, TIMELINE_HELD), 2);
}

static void test_a_late_time_is_printed(void **state)
{
    struct timeline *t = &((struct fixture *)*state)->timeline;
    timeline_check(t, true, "demo", "it works");
    timeline_measure(t, "steered_ms", "until it was steered", 2001, 2000);
    assert_true(timeline_held(t));
    struct buf out;
    buf_init(&out, 4096);
    timeline_format_report(&out, t, &(struct ledger_totals){.accepted = 42});
    assert_non_null(strstr(buf_data(&out), "2001 ms   OVER 2000 ms\n"));
    assert_non_null(strstr(buf_data(&out), "All held: 1 checks held, 0 did not\n"));
    buf_fini(&out);
}

static void test_a_late_time_fails_a_strict_demo(void **state)
{
    struct timeline *t = &((struct fixture *)*state)->timeline;
    timeline_measure(t, "a_ms", "in time", 2000, 2000);
    assert_true(timeline_held(t));
    timeline_measure(t, "b_ms", "without limit", 99999, 0);
    assert_true(timeline_held(t));
    timeline_measure(t, "c_ms", "late", 2001, 2000);
    assert_false(timeline_held(t));
}

static void test_json_says_the_same(void **state)
{
    struct timeline *t = &((struct fixture *)*state)->timeline;
    timeline_act(t, "The first");
    timeline_say(t, "dns", "hears \"quotes\"");
    timeline_check(t, false, "reader", "one is lost");
    timeline_measure(t, "drain_ms", "the drain", 10, 20);
    json_t *all = timeline_json(t, &(struct ledger_totals){.accepted = 7, .uncertain = 1});
    assert_non_null(all);
    assert_true(json_is_false(json_object_get(all, "held")));
    assert_int_equal(json_array_size(json_object_get(all, "timeline")), 3);
    assert_int_equal(json_array_size(json_object_get(all, "checks")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "messages"), "accepted")), 7);
    const json_t *time = json_object_get(json_object_get(all, "times"), "drain_ms");
    assert_int_equal(json_integer_value(json_object_get(time, "ms")), 10);
    assert_true(json_is_true(json_object_get(time, "within")));
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_colour_is_only_for_terminals),
        cmocka_unit_test_setup_teardown(test_it_holds_when_all_checks_do, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_time_is_printed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_time_fails_a_strict_demo, setup_strict, teardown),
        cmocka_unit_test_setup_teardown(test_json_says_the_same, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
