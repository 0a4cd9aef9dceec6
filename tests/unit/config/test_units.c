#include "config/units.h"

#include "base/err.h"
#include "unit/unit.h"

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"500ms", 500}, {"0s", 0},        {"15s", 15000},
                {"5m", 300000}, {"4h", 14400000}, {"5d", 432000000}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        int64_t ms = -1;
        assert_ok(units_parse_duration(str_from(good[i].text), &ms));
        assert_true(ms == good[i].ms);
    }
    static const char *const bad[] = {"",    "5",    "s",  "5 s",  " 5s",  "5s ",
                                      "-5s", "1.5s", "5S", "5min", "5KiB", "0x5s"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t ms = 7;
        assert_err(units_parse_duration(str_from(bad[i]), &ms), ERR_SYNTAX);
        assert_true(ms == 7);
    }
}

static void sizes(void **state)
{
    (void)state;
    int64_t bytes = 7;
    assert_ok(units_parse_size(STR("64KiB"), &bytes));
    assert_true(bytes == 65536);
    assert_ok(units_parse_size(STR("512B"), &bytes));
    assert_true(bytes == 512);
    assert_ok(units_parse_size(STR("2GiB"), &bytes));
    assert_true(bytes == 2147483648LL);
    assert_err(units_parse_size(STR("2GB"), &bytes), ERR_SYNTAX);
    assert_err(units_parse_size(STR("2"), &bytes), ERR_SYNTAX);
    assert_err(units_parse_size(STR("KiB"), &bytes), ERR_SYNTAX);
}

static void rates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct rate rate;
    } good[] = {{"1/1s", {1, 1000}},
                {"600/1h", {600, 3600000}},
                {"1000000000/1d", {1000000000, 86400000}},
                {"5/1500ms", {5, 1500}},
                {"none", {0, 0}}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct rate rate = {7, 7};
        assert_ok(units_parse_rate(str_from(good[i].text), &rate));
        assert_true(rate.count == good[i].rate.count && rate.per_ms == good[i].rate.per_ms);
    }
    static const char *const bad[] = {"",      "/",     "5",     "5/",      "/1s", "5/s",
                                      "-5/1s", "5 /1s", "5/ 1s", "5/1s/1s", "None"};
    static const char *const beyond[] = {"0/1s", "5/999ms", "5/25h", "1000000001/1s",
                                         "5/9223372036854775808ms"};
    for (size_t i = 0; i < ARRAY_LEN(bad) + ARRAY_LEN(beyond); i++) {
        struct rate rate = {7, 7};
        bool is_bad = i < ARRAY_LEN(bad);
        const char *text = is_bad ? bad[i] : beyond[i - ARRAY_LEN(bad)];
        assert_err(units_parse_rate(str_from(text), &rate), is_bad ? ERR_SYNTAX : ERR_LIMIT);
        assert_true(rate.count == 7 && rate.per_ms == 7);
    }
}

static void products_do_not_overflow(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_ok(units_parse_size(STR("8589934591GiB"), &value));
    assert_true(value == 8589934591LL << 30);
    assert_err(units_parse_size(STR("8589934592GiB"), &value), ERR_LIMIT);
    assert_ok(units_parse_duration(STR("9223372036854775807ms"), &value));
    assert_true(value == INT64_MAX);
    assert_err(units_parse_duration(STR("9223372036854775808ms"), &value), ERR_LIMIT);
    assert_err(units_parse_duration(STR("106751991168d"), &value), ERR_LIMIT);
}

static void sizes_are_written_with_the_largest_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } cases[] = {{0, "0B"},       {1, "1B"},           {1024, "1KiB"},
                 {1025, "1025B"}, {52428800, "50MiB"}, {1LL << 30, "1GiB"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[32];
        units_format_size(cases[i].bytes, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

static void hostnames(void **state)
{
    (void)state;
    static const char *const good[] = {"a",     "mail1.example.test", "3com.com", "xn--bcher-kva.test",
                                       "A-b.C", LABEL_63 ".x"};
    static const char *const bad[] = {
        "",     ".",    "a.",           ".a",  "a..b",
        "-a.b", "a-.b", "a_b",          "a b", "127.0.0.1",
        "b.1",  "::1",  LABEL_63 "4.x", "a/b", LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(units_is_hostname(str_from(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(units_is_hostname(str_from(bad[i])));
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "relay-east", "1", "_x", "a.b_c-D", LABEL_63};
    static const char *const bad[] = {"", ".", "..", "-a", "a/b", "a b", "a\"", "\xc3\xa4", LABEL_63 "4"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(units_is_name(str_from(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(units_is_name(str_from(bad[i])));
}

static void users(void **state)
{
    (void)state;
    static const char *const good[] = {"holdfast", "_x", "a-1", "a2345678901234567890123456789012"};
    static const char *const bad[] = {
        "", "1a", "-a", "Root", "a b", "a:b", "a23456789012345678901234567890123"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(units_is_user(str_from(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(units_is_user(str_from(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(rates),
        cmocka_unit_test(products_do_not_overflow),
        cmocka_unit_test(sizes_are_written_with_the_largest_unit),
        cmocka_unit_test(hostnames),
        cmocka_unit_test(names),
        cmocka_unit_test(users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
