#include "wire/imap_parse.h"

#include <stdio.h>

#include "base/err.h"
#include "unit/unit.h"
#include "wire/imap_utf7.h"
#include "wire/imap_write.h"

static struct arena arena;

static struct imap_cursor at(const char *text)
{
    arena_clear(&arena);
    return (struct imap_cursor){str_from(text), &arena};
}

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void astrings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value; /* NULL: ERR_SYNTAX */
    } cases[] = {
        {"abc]", "abc]"},
        {"\"a b\"", "a b"},
        {"\"a\\\"\\\\\"", "a\"\\"},
        {"{3}\r\na\nb", "a\nb"},
        {"{3+}\r\nabc", "abc"},
        {"\"\"", ""},
        {"", NULL},
        {"\"abc", NULL},
        {"\"a\\b\"", NULL},
        {"{4}\r\nabc", NULL},
        {"{x}\r\nabc", NULL},
        {"(", NULL},
        {"\"a\r\"", NULL},
        {"{3}abc", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct imap_cursor c = at(cases[i].text);
        struct str value;
        int err = imap_parse_astring(&c, &value);
        if (!cases[i].value) {
            assert_err(err, ERR_SYNTAX);
            continue;
        }
        assert_ok(err);
        assert_str(value, cases[i].value);
        assert_true(imap_at_end(&c));
    }
}

static void sets_are_resolved_and_merged(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t greatest;
        const char *has;
    } cases[] = {
        {"1", 5, "1"},           {"2:4,3:7", 9, "2:7"},
        {"7:2", 9, "2:7"},       {"*", 5, "5"},
        {"4:*", 5, "4:5"},       {"9:*", 5, "5:9"},
        {"5,1,3,2", 9, "1:3,5"}, {"1:4294967295", 3, "1:4294967295"},
        {"1,2,4:*", 4, "1:2,4"}, {"*:1", 0, "0:1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct imap_cursor c = at(cases[i].text);
        struct imap_set set;
        char text[128] = "";
        assert_ok(imap_parse_set(&c, &set));
        imap_set_resolve(&set, cases[i].greatest);
        for (size_t r = 0; r < set.count; r++) {
            struct imap_range range = set.ranges[r];
            size_t len = strlen(text);
            snprintf(text + len, sizeof(text) - len, range.low == range.high ? "%s%u" : "%s%u:%u",
                     r ? "," : "", range.low, range.high);
        }
        assert_string_equal(text, cases[i].has);
    }
    const char *const bad[] = {"", "0", "1:", ":1", "1,", "a", "4294967296", "1:0", "-1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct imap_cursor c = at(bad[i]);
        struct imap_set set;
        assert_err(imap_parse_set(&c, &set), ERR_SYNTAX);
    }
}

static void a_set_knows_its_numbers(void **state)
{
    (void)state;
    struct imap_range ranges[] = {{10, 12}, {1, 2}, {20, 20}};
    struct imap_set set = {ranges, 3};
    imap_set_resolve(&set, 30);
    for (uint32_t n = 1; n <= 30; n++)
        assert_int_equal(imap_set_has(&set, n), n <= 2 || (n >= 10 && n <= 12) || n == 20);
    assert_int_equal(imap_set_high(&set), 20);
}

static void flags_and_keywords(void **state)
{
    (void)state;
    struct imap_flags flags;
    struct imap_cursor c = at("(\\Seen $Junk \\deleted \\Recent b $Junk)");
    assert_ok(imap_parse_flag_list(&c, &flags));
    assert_int_equal(flags.system, IMAP_SEEN | IMAP_DELETED);
    assert_str(flags.keywords, "$Junk b");
    assert_true(imap_keywords_have(flags.keywords, STR("$junk")));
    assert_false(imap_keywords_have(flags.keywords, STR("$jun")));
    c = at("\\Flagged x");
    assert_ok(imap_parse_store_flags(&c, &flags));
    assert_int_equal(flags.system, IMAP_FLAGGED);
    c = at("()");
    assert_ok(imap_parse_flag_list(&c, &flags));
    assert_int_equal(flags.system, 0);
    const char *const bad[] = {"(\\Unknown)", "(a", "(a  b)", "a)", "(\\)", "(*)"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        c = at(bad[i]);
        assert_err(imap_parse_flag_list(&c, &flags), ERR_SYNTAX);
    }
    char many[3000] = "(";
    for (int i = 0; i < 600; i++)
        snprintf(many + strlen(many), 8, "k%d ", i);
    many[strlen(many) - 1] = ')';
    c = at(many);
    assert_err(imap_parse_flag_list(&c, &flags), ERR_LIMIT);
}

static void dates_and_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: ERR_SYNTAX */
    } cases[] = {
        {"\"01-Jan-1970 00:00:00 +0000\"", 0},
        {"\"17-Jul-1996 02:44:25 -0700\"", 837596665},
        {"\" 1-Mar-2024 00:00:00 +0100\"", 1709247600},
        {"\"29-Feb-2023 00:00:00 +0000\"", -1},
        {"\"1-Mar-2024 00:00:00 +0000\"", -1},
        {"\"01-Mar-2024 24:00:00 +0000\"", -1},
        {"\"01-Mar-2024 00:00:00\"", -1},
        {"01-Mar-2024 00:00:00 +0000", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct imap_cursor c = at(cases[i].text);
        struct wall_time t;
        int err = imap_parse_date_time(&c, &t);
        assert_int_equal(err, cases[i].seconds < 0 ? ERR_SYNTAX : 0);
        if (!err)
            assert_int_equal(t.ms, cases[i].seconds * 1000);
    }
    int64_t days;
    struct imap_cursor c = at("1-Feb-1970");
    assert_ok(imap_parse_date(&c, &days));
    assert_int_equal(days, 31);
    c = at("\"11-feb-1970\"");
    assert_ok(imap_parse_date(&c, &days));
    assert_int_equal(days, 41);
}

static void a_written_time_is_read_again(void **state)
{
    (void)state;
    for (int64_t ms = -86400000LL * 800; ms < 86400000LL * 40000; ms += 86400000LL * 97 + 3661000) {
        struct buf out;
        struct wall_time t;
        buf_init(&out, 64);
        imap_write_date_time(&out, (struct wall_time){ms});
        struct imap_cursor c = at(buf_data(&out));
        assert_ok(imap_parse_date_time(&c, &t));
        assert_int_equal(t.ms, ms / 1000 * 1000);
        buf_fini(&out);
    }
}

static void mailbox_names(void **state)
{
    (void)state;
    static const struct {
        const char *wire, *name;
        int err;
    } cases[] = {
        {"inbox", "INBOX", 0},
        {"Inbox/a", "INBOX/a", 0},
        {"Inboxes", "Inboxes", 0},
        {"&ZeVnLIqe-/x", "日本語/x", 0},
        {"a&-b", "a&b", 0},
        {"\"Entw&APw-rfe\"", "Entwürfe", 0},
        {"\"Entwürfe\"", NULL, ERR_INVALID}, /* UTF-8 as it is */
        {"&2D3cAA-", "\xf0\x9f\x90\x80", 0},
        {"&AGE-", NULL, ERR_INVALID}, /* not what the encoder gives */
        {"{2}\r\na\x01", NULL, ERR_INVALID},
        {"\"\xff\"", NULL, ERR_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct imap_cursor c = at(cases[i].wire);
        struct str name;
        assert_err(imap_parse_mailbox(&c, &name), cases[i].err);
        if (cases[i].name)
            assert_str(name, cases[i].name);
    }
}

static void utf7_there_and_back(void **state)
{
    (void)state;
    const char *const names[] = {
        "", "plain", "a&b", "ä", "äö", "日本語", "~peter/mail/台北/日本語", "\xf0\x9f\x90\x80x"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf wire, back;
        buf_init(&wire, 1000);
        buf_init(&back, 1000);
        assert_ok(imap_utf7_encode(str_from(names[i]), &wire));
        for (size_t b = 0; b < wire.len; b++)
            assert_true(ascii_isprint(buf_data(&wire)[b]));
        assert_ok(imap_utf7_decode(buf_str(&wire), &back));
        assert_str(buf_str(&back), names[i]);
        buf_fini(&wire);
        buf_fini(&back);
    }
}

static void strings_are_quoted_or_literal(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wire;
    } cases[] = {{"a b", "\"a b\""},
                 {"a\"\\", "\"a\\\"\\\\\""},
                 {"a\r\nb", "{4}\r\na\r\nb"},
                 {"ä", "{2}\r\nä"},
                 {"", "\"\""}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 100);
        imap_write_string(&out, str_from(cases[i].text));
        assert_str(buf_str(&out), cases[i].wire);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(astrings),
        cmocka_unit_test(sets_are_resolved_and_merged),
        cmocka_unit_test(a_set_knows_its_numbers),
        cmocka_unit_test(flags_and_keywords),
        cmocka_unit_test(dates_and_times),
        cmocka_unit_test(a_written_time_is_read_again),
        cmocka_unit_test(mailbox_names),
        cmocka_unit_test(utf7_there_and_back),
        cmocka_unit_test(strings_are_quoted_or_literal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
