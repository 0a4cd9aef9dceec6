#include "cli/demo_ledger.h"
#include "unit/unit.h"

/* Numbers 0 to count - 1, all accepted by taker 0. */
static void setup_accepted(struct ledger *l, uint32_t count)
{
    ledger_init(l);
    for (uint32_t i = 0; i < count; i++)
        ledger_settle(l, ledger_begin(l), LEDGER_ACCEPTED, 0);
}

static struct ledger_seen seen(uint32_t number)
{
    return (struct ledger_seen){.number = number, .flags_known = true, .whole = true};
}

static struct ledger_verdict compare(const struct ledger *l, const struct ledger_seen *list, size_t count)
{
    struct ledger_verdict v;
    ledger_compare(l, list, count, &v);
    return v;
}

static void test_each_seen_once_holds(void **state)
{
    (void)state;
    struct ledger l;
    setup_accepted(&l, 3);
    struct ledger_seen list[] = {seen(2), seen(0), seen(1)};
    struct ledger_verdict v = compare(&l, list, 3);
    assert_true(ledger_holds(&v));
    assert_int_equal(v.expected, 3);
    assert_int_equal(v.first_bad, LEDGER_FOREIGN);
    ledger_fini(&l);
}

static void test_lost_and_doubled_are_counted_apart(void **state)
{
    (void)state;
    struct ledger l;
    setup_accepted(&l, 4);
    struct ledger_seen list[] = {seen(3), seen(3), seen(3), seen(0)};
    struct ledger_verdict v = compare(&l, list, 4);
    assert_false(ledger_holds(&v));
    assert_int_equal(v.lost, 2);
    assert_int_equal(v.doubled, 2);
    assert_int_equal(v.first_bad, 1);
    ledger_fini(&l);
}

static void test_uncertain_is_allowed_once(void **state)
{
    (void)state;
    struct ledger l;
    setup_accepted(&l, 1);
    ledger_settle(&l, ledger_begin(&l), LEDGER_UNCERTAIN, 0);
    struct ledger_seen list[] = {seen(0), seen(1), seen(1)};
    struct ledger_verdict without = compare(&l, list, 1), once = compare(&l, list, 2),
                          twice = compare(&l, list, 3);
    assert_true(ledger_holds(&without));
    assert_true(ledger_holds(&once));
    assert_int_equal(twice.doubled, 1);
    ledger_fini(&l);
}

static void test_refused_and_expunged_stay_away(void **state)
{
    (void)state;
    struct ledger l;
    setup_accepted(&l, 2);
    ledger_settle(&l, ledger_begin(&l), LEDGER_REFUSED, 0);
    ledger_expunge(&l, 1);
    struct ledger_seen list[] = {seen(0), seen(1), seen(2)};
    struct ledger_verdict well = compare(&l, list, 1), back = compare(&l, list, 3);
    assert_true(ledger_holds(&well));
    assert_int_equal(well.expected, 1);
    assert_int_equal(back.returned, 2);
    ledger_fini(&l);
}

static void test_flags_are_those_that_were_set(void **state)
{
    (void)state;
    struct ledger l;
    setup_accepted(&l, 2);
    ledger_flag(&l, 0, LEDGER_SEEN);
    ledger_flag(&l, 0, LEDGER_FLAGGED);
    struct ledger_seen list[] = {seen(0), seen(1)};
    list[0].flags = LEDGER_SEEN | LEDGER_FLAGGED;
    struct ledger_verdict v = compare(&l, list, 2);
    assert_true(ledger_holds(&v));
    list[0].flags = LEDGER_SEEN;
    list[1].flags = LEDGER_SEEN;
    v = compare(&l, list, 2);
    assert_int_equal(v.misflagged, 2);
    list[0].flags_known = list[1].flags_known = false;
    v = compare(&l, list, 2);
    assert_true(ledger_holds(&v));
    ledger_fini(&l);
}

static void test_damaged_and_foreign_are_wrong(void **state)
{
    (void)state;
    struct ledger l;
    setup_accepted(&l, 1);
    struct ledger_seen list[] = {seen(0), seen(LEDGER_FOREIGN), seen(7)};
    list[0].whole = false;
    struct ledger_verdict v = compare(&l, list, 3);
    assert_int_equal(v.damaged, 1);
    assert_int_equal(v.foreign, 2);
    ledger_fini(&l);
}

static void test_totals_and_takers(void **state)
{
    (void)state;
    struct ledger l;
    struct ledger_totals t;
    setup_accepted(&l, 300);
    ledger_settle(&l, ledger_begin(&l), LEDGER_ACCEPTED, 2);
    ledger_settle(&l, ledger_begin(&l), LEDGER_UNSENT, 2);
    ledger_begin(&l);
    ledger_total(&l, &t);
    assert_int_equal(t.accepted, 301);
    assert_int_equal(t.unsent, 1);
    assert_int_equal(t.open, 1);
    assert_int_equal(ledger_taken_since(&l, 0, 2), 1);
    assert_int_equal(ledger_taken_since(&l, 250, 0), 50);
    assert_int_equal(ledger_expected(&l), 301);
    ledger_fini(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_seen_once_holds),
        cmocka_unit_test(test_lost_and_doubled_are_counted_apart),
        cmocka_unit_test(test_uncertain_is_allowed_once),
        cmocka_unit_test(test_refused_and_expunged_stay_away),
        cmocka_unit_test(test_flags_are_those_that_were_set),
        cmocka_unit_test(test_damaged_and_foreign_are_wrong),
        cmocka_unit_test(test_totals_and_takers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
