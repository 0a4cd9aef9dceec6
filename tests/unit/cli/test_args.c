#include "cli/args.h"
#include "unit/unit.h"

static const char *file;
static bool json;
static const struct args_option options[] = {
    {"c", &file, NULL}, {"state-dir", &file, NULL}, {"json", NULL, &json}, {0}};

static int parse(struct args *args, struct err_buf *eb, int argc, const char **argv)
{
    file = NULL;
    json = false;
    return args_parse(argc, (char **)(uintptr_t)argv, options, args, eb);
}

static void test_options_and_operands_in_any_order(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(parse(&args, NULL, 5, (const char *[]){"list", "-c", "x.conf", "name", "--json"}), 0);
    assert_int_equal(args.operand_count, 2);
    assert_string_equal(args.operands[1], "name");
    assert_string_equal(file, "x.conf");
    assert_true(json);
}

static void test_value_behind_an_equals_sign(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(parse(&args, NULL, 1, (const char *[]){"--state-dir=/x=y"}), 0);
    assert_string_equal(file, "/x=y");
}

static void test_two_dashes_end_the_options(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(parse(&args, NULL, 3, (const char *[]){"-", "--", "--json"}), 0);
    assert_int_equal(args.operand_count, 2);
    assert_false(json);
}

static void test_refusals_name_the_word(void **state)
{
    (void)state;
    struct args args;
    struct err_buf eb;
    assert_int_equal(parse(&args, &eb, 1, (const char *[]){"--nonsense"}), ERR_INVALID);
    assert_string_equal(eb.text, "unknown option --nonsense");
    assert_int_equal(parse(&args, &eb, 1, (const char *[]){"-c"}), ERR_INVALID);
    assert_string_equal(eb.text, "option -c needs a value");
    assert_int_equal(parse(&args, &eb, 1, (const char *[]){"--json=yes"}), ERR_INVALID);
    assert_string_equal(eb.text, "option --json=yes takes no value");
}

static void test_operands_are_bounded(void **state)
{
    (void)state;
    struct args args;
    const char *argv[ARGS_OPERANDS_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(argv); i++)
        argv[i] = "x";
    assert_int_equal(parse(&args, NULL, ARGS_OPERANDS_MAX, argv), 0);
    assert_int_equal(parse(&args, NULL, ARGS_OPERANDS_MAX + 1, argv), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_operands_in_any_order),
        cmocka_unit_test(test_value_behind_an_equals_sign),
        cmocka_unit_test(test_two_dashes_end_the_options),
        cmocka_unit_test(test_refusals_name_the_word),
        cmocka_unit_test(test_operands_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
