#include <stdio.h>

#include "relay/remembered.h"
#include "unit/unit.h"

static struct str name_of(char *text, size_t size, const char *kind, int number)
{
    snprintf(text, size, "%s%d@t", kind, number);
    return str_from(text);
}

static int seen(const struct remembered *r, const char *kind, int number)
{
    char text[32];
    return (int)remembered_find(r, name_of(text, sizeof(text), kind, number)).seen;
}

static void put(struct remembered *r, const char *kind, int number, bool known)
{
    char text[32];
    remembered_put(r, name_of(text, sizeof(text), kind, number), known, (struct wall_time){number});
}

static void the_last_answer_holds(void **state)
{
    struct remembered r;
    (void)state;
    remembered_init(&r);
    assert_int_equal(seen(&r, "a", 1), VERDICT_NEVER);
    put(&r, "a", 1, true);
    assert_int_equal(seen(&r, "a", 1), VERDICT_KNOWN);
    assert_int_equal(remembered_find(&r, STR("a1@t")).at.ms, 1);
    put(&r, "a", 1, false);
    assert_int_equal(seen(&r, "a", 1), VERDICT_UNKNOWN);
    assert_int_equal(r.known.len, 0);
    put(&r, "a", 1, true);
    assert_int_equal(r.unknown.len, 0);
    remembered_fini(&r);
}

static void made_up_ones_push_out_nothing_known(void **state)
{
    struct remembered r;
    (void)state;
    remembered_init(&r);
    put(&r, "known", 1, true);
    for (int i = 0; i < REMEMBERED_UNKNOWN_MAX + REMEMBERED_KNOWN_MAX; i++)
        put(&r, "made-up", i, false);
    assert_int_equal(r.unknown.len, REMEMBERED_UNKNOWN_MAX);
    assert_int_equal(seen(&r, "known", 1), VERDICT_KNOWN);
    assert_int_equal(seen(&r, "made-up", 0), VERDICT_NEVER);
    remembered_fini(&r);
}

static void the_oldest_answer_goes_first(void **state)
{
    struct remembered r;
    (void)state;
    remembered_init(&r);
    for (int i = 0; i < REMEMBERED_KNOWN_MAX; i++)
        put(&r, "n", i, true);
    put(&r, "n", 0, true); /* said again: young now */
    put(&r, "more", 1, true);
    assert_int_equal(r.known.len, REMEMBERED_KNOWN_MAX);
    assert_int_equal(seen(&r, "n", 0), VERDICT_KNOWN);
    assert_int_equal(seen(&r, "n", 1), VERDICT_NEVER);
    remembered_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_answer_holds),
        cmocka_unit_test(made_up_ones_push_out_nothing_known),
        cmocka_unit_test(the_oldest_answer_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
