#include "base/str.h"

#include "base/err.h"
#include "unit/unit.h"

static void from_null_is_empty(void **state)
{
    (void)state;
    assert_int_equal(str_from(NULL).len, 0);
    assert_non_null(str_from(NULL).ptr);
    assert_str(str_from("abc"), "abc");
}

static void sub_is_clamped(void **state)
{
    (void)state;
    struct str s = STR("holdfast");
    assert_str(str_sub(s, 4, 4), "fast");
    assert_str(str_sub(s, 4, SIZE_MAX), "fast");
    assert_str(str_sub(s, 0, 4), "hold");
    assert_str(str_sub(s, 8, 1), "");
    assert_str(str_sub(s, SIZE_MAX, SIZE_MAX), "");
    assert_int_equal(str_sub((struct str){NULL, 0}, 1, 1).len, 0);
}

static void equality(void **state)
{
    (void)state;
    assert_true(str_eq(STR("a"), STR("a")));
    assert_false(str_eq(STR("a"), STR("A")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_true(str_eq(STR_EMPTY, (struct str){NULL, 0}));
    assert_true(str_ieq(STR("MAIL From"), STR("mail fROM")));
    assert_false(str_ieq(STR("["), STR("{"))); /* differ by 32 as letters do */
    assert_true(str_eq((struct str){"a\0b", 3}, (struct str){"a\0b", 3}));
    assert_false(str_eq((struct str){"a\0b", 3}, (struct str){"a\0c", 3}));
}

static void bytewise_order(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("b"), STR("a")) > 0);
    assert_true(str_cmp(STR("a"), STR("aa")) < 0);
    assert_true(str_cmp(STR("aa"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR("a"), STR("a")), 0);
    assert_true(str_cmp(STR("\x7f"), STR("\x80")) < 0); /* unsigned */
}

static void prefixes_and_suffixes(void **state)
{
    (void)state;
    assert_true(str_starts(STR("mail1.example"), STR("mail1")));
    assert_false(str_starts(STR("mail1"), STR("mail1.example")));
    assert_false(str_starts(STR("Mail1"), STR("mail")));
    assert_true(str_istarts(STR("Mail1"), STR("mail")));
    assert_true(str_ends(STR("mail1.example"), STR(".example")));
    assert_false(str_ends(STR("ple"), STR("example")));
    assert_false(str_ends(STR("x.EXAMPLE"), STR(".example")));
    assert_true(str_iends(STR("x.EXAMPLE"), STR(".example")));
    assert_true(str_starts(STR("x"), STR_EMPTY));
    assert_true(str_ends(STR("x"), STR_EMPTY));
}

static void find_from_a_start(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("a:b:c"), ':', 0), 1);
    assert_int_equal(str_find(STR("a:b:c"), ':', 2), 3);
    assert_true(str_find(STR("a:b:c"), ':', 4) == SIZE_MAX);
    assert_true(str_find(STR("a:b:c"), ':', 99) == SIZE_MAX);
    assert_true(str_find((struct str){NULL, 0}, ':', 0) == SIZE_MAX);
}

static void trim_takes_blanks_only(void **state)
{
    (void)state;
    assert_str(str_trim(STR(" \t a b\t ")), "a b");
    assert_str(str_trim(STR("\r\n")), "\r\n");
    assert_str(str_trim(STR(" \t ")), "");
    assert_str(str_trim(STR_EMPTY), "");
}

static void split_gives_every_piece(void **state)
{
    (void)state;
    struct str rest = STR("a,,b,"), head;
    const char *const expected[] = {"a", "", "b", ""};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(str_split(&rest, ',', &head));
        assert_str(head, expected[i]);
    }
    assert_false(str_split(&rest, ',', &head));
}

static void split_without_separator_gives_all(void **state)
{
    (void)state;
    struct str rest = STR("whole"), head;
    assert_true(str_split(&rest, ',', &head));
    assert_str(head, "whole");
    assert_false(str_split(&rest, ',', &head));
}

static void numbers_in_range(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_ok(str_to_u64(STR("0"), 10, &value));
    assert_int_equal(value, 0);
    assert_ok(str_to_u64(STR("0010"), 10, &value));
    assert_int_equal(value, 10);
    assert_ok(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
}

static void bad_numbers_leave_the_output(void **state)
{
    (void)state;
    uint64_t value = 7;
    const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "a"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(str_to_u64(str_from(bad[i]), UINT64_MAX, &value), ERR_SYNTAX);
    assert_err(str_to_u64(STR("11"), 10, &value), ERR_LIMIT);
    assert_err(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &value), ERR_LIMIT);
    assert_err(str_to_u64(STR("99999999999999999999"), UINT64_MAX, &value), ERR_LIMIT);
    assert_int_equal(value, 7);
}

static void dup_terminates(void **state)
{
    (void)state;
    char *copy = str_dup(str_sub(STR("holdfast"), 0, 4));
    assert_string_equal(copy, "hold");
    free(copy);
}

static void ascii_is_not_the_locale(void **state)
{
    (void)state;
    assert_int_equal(ascii_lower('Z'), 'z');
    assert_int_equal(ascii_lower('['), '[');
    assert_int_equal(ascii_upper('a'), 'A');
    assert_int_equal(ascii_upper('{'), '{');
    assert_int_equal(ascii_upper('\xe4'), '\xe4');
    assert_true(ascii_isdigit('0') && ascii_isdigit('9') && !ascii_isdigit(':') && !ascii_isdigit('/'));
    assert_true(ascii_isalpha('a') && ascii_isalpha('Z') && !ascii_isalpha('@') && !ascii_isalpha('\xe4'));
    assert_true(ascii_isalnum('5') && ascii_isalnum('x') && !ascii_isalnum('-'));
    assert_true(ascii_isprint(' ') && ascii_isprint('~'));
    assert_true(!ascii_isprint('\x7f') && !ascii_isprint('\x1f') && !ascii_isprint('\x80'));
    char text[] = "MiXed-1";
    ascii_lower_inplace(text, strlen(text));
    assert_string_equal(text, "mixed-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_null_is_empty),
        cmocka_unit_test(sub_is_clamped),
        cmocka_unit_test(equality),
        cmocka_unit_test(bytewise_order),
        cmocka_unit_test(prefixes_and_suffixes),
        cmocka_unit_test(find_from_a_start),
        cmocka_unit_test(trim_takes_blanks_only),
        cmocka_unit_test(split_gives_every_piece),
        cmocka_unit_test(split_without_separator_gives_all),
        cmocka_unit_test(numbers_in_range),
        cmocka_unit_test(bad_numbers_leave_the_output),
        cmocka_unit_test(dup_terminates),
        cmocka_unit_test(ascii_is_not_the_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
