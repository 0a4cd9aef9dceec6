#include "cli/usage.h"
#include "unit/unit.h"

static char *format(const char *command, const char *verb, bool explain)
{
    struct buf out;
    buf_init(&out, 8192);
    usage_format(&out, command, verb, explain);
    assert_false(out.overflow);
    return buf_steal(&out);
}

static void test_a_command_has_a_line_for_each_verb(void **state)
{
    (void)state;
    char *text = format("site", NULL, false);
    assert_non_null(strstr(text, "usage: holdfast site list [--json]\n       holdfast site lost NAME"));
    assert_non_null(strstr(text, "holdfast site back NAME"));
    assert_null(strstr(text, "records"));
    assert_non_null(strstr(text, "`holdfast help site`"));
    assert_non_null(strstr(text, "--state-dir"));
    free(text);
}

static void test_a_verb_has_its_own(void **state)
{
    (void)state;
    char *text = format("queue", "move", true);
    assert_ptr_equal(strstr(text, "usage: holdfast queue move --to SERVER "), text);
    assert_null(strstr(text, "queue hold"));
    assert_non_null(strstr(text, "another server its home"));
    assert_non_null(strstr(text, "--limit      that many"));
    assert_null(strstr(text, "--timeout"));
    free(text);
}

static void test_an_unknown_verb_is_shown_all(void **state)
{
    (void)state;
    char *all = format("user", NULL, true), *unknown = format("user", "rename", true);
    assert_string_equal(all, unknown);
    free(all);
    free(unknown);
}

static void test_a_command_without_words(void **state)
{
    (void)state;
    char *text = format("check-config", "", false);
    assert_ptr_equal(strstr(text, "usage: holdfast check-config\nEvery command"), text);
    free(text);
}

static bool is_asked(int argc, const char **argv)
{
    return usage_is_asked(argc, (char **)(uintptr_t)argv);
}

static void test_help_is_asked_for_before_two_dashes(void **state)
{
    (void)state;
    assert_true(is_asked(1, (const char *[]){"--help"}));
    assert_true(is_asked(3, (const char *[]){"list", "--json", "-h"}));
    assert_false(is_asked(0, (const char *[]){NULL}));
    assert_false(is_asked(2, (const char *[]){"--", "--help"}));
    assert_false(is_asked(2, (const char *[]){"help", "--why=--help"}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_has_a_line_for_each_verb),
        cmocka_unit_test(test_a_verb_has_its_own),
        cmocka_unit_test(test_an_unknown_verb_is_shown_all),
        cmocka_unit_test(test_a_command_without_words),
        cmocka_unit_test(test_help_is_asked_for_before_two_dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
