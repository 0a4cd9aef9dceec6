#include "wire/smtp_reply.h"

#include <stdio.h>

#include "unit/unit.h"

static void expect_format(struct smtp_reply r, bool enhanced, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    smtp_reply_format(&out, &r, enhanced);
    assert_str(buf_str(&out), expected);
    buf_fini(&out);
}

static void formats(void **state)
{
    (void)state;
    expect_format(SMTP_REPLY(250, 2, 1, 5, "Ok"), true, "250 2.1.5 Ok\r\n");
    expect_format(SMTP_REPLY(250, 2, 1, 5, "Ok"), false, "250 Ok\r\n");
    expect_format(SMTP_REPLY(354, 3, 0, 0, "Go"), true, "354 Go\r\n");
    expect_format(SMTP_REPLY(250, 0, 0, 0, "host\nSIZE 1\nHELP"), true,
                  "250-host\r\n250-SIZE 1\r\n250 HELP\r\n");
    expect_format(SMTP_REPLY(550, 5, 7, 1, "no\nnever"), true, "550-5.7.1 no\r\n550 5.7.1 never\r\n");
    expect_format((struct smtp_reply){.code = 250}, true, "250 \r\n");
}

static void nothing_from_outside_breaks_a_line(void **state)
{
    (void)state;
    expect_format(SMTP_REPLY(550, 5, 0, 0, "a\r\tb\x80"), true, "550 5.0.0 a??b?\r\n");
}

static void lines_are_at_most_512_octets(void **state)
{
    char text[1500];
    struct buf out;
    (void)state;
    memset(text, 'x', sizeof(text));
    buf_init(&out, 1 << 16);
    struct smtp_reply r = {550, {5, 7, 1}, {text, sizeof(text)}};
    smtp_reply_format(&out, &r, true);
    struct str rest = buf_str(&out), line;
    size_t letters = 0;
    while (str_split(&rest, '\n', &line)) {
        assert_true(line.len + 1 <= 512);
        for (size_t i = 0; i < line.len; i++)
            letters += line.ptr[i] == 'x';
    }
    assert_int_equal(letters, sizeof(text));
    buf_fini(&out);
}

static void describes_on_one_line(void **state)
{
    char text[32];
    (void)state;
    assert_int_equal(smtp_reply_describe(&SMTP_REPLY(550, 5, 1, 1, "no\nsuch\r"), text, sizeof(text)), 18);
    assert_string_equal(text, "550 5.1.1 no such?");
    smtp_reply_describe(&(struct smtp_reply){.text = STR("connection lost")}, text, 11);
    assert_string_equal(text, "connection");
}

static void enhanced_codes(void **state)
{
    struct smtp_enhanced e = {9, 9, 9};
    struct str text = STR("5.1.1 unknown");
    (void)state;
    assert_true(smtp_enhanced_parse(&text, 550, &e));
    assert_int_equal(e.class, 5);
    assert_str(text, "unknown");
    static const char *const bad[] = {"", "5", "5.1", "5.1.1x", "5.1.1000 a", "2.1.1 a", "5..1 a", "x.1.1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        text = str_from(bad[i]);
        assert_false(smtp_enhanced_parse(&text, 550, &e));
        assert_str(text, bad[i]);
    }
}

/* Parses text in pieces; the number of replies, or the error. */
static int parse(const char *text, size_t piece, uint16_t *ret_code, char *ret_text)
{
    struct smtp_reply_parser p;
    struct smtp_reply reply;
    struct str line;
    int count = 0;
    smtp_reply_parser_init(&p);
    for (size_t at = 0, len = strlen(text); at < len; at += piece) {
        size_t have = len - at < piece ? len - at : piece, used;
        for (size_t off = 0; off < have; off += used) {
            int rc = smtp_reply_parse(&p, text + at + off, have - off, &used, &line, &reply);
            if (rc < 0)
                return rc;
            if (rc == 2) {
                count++;
                *ret_code = reply.code;
                sprintf(ret_text, "%d:%.*s", reply.enhanced.class, STR_ARG(reply.text));
            }
        }
    }
    return count;
}

static void parses(void **state)
{
    uint16_t code;
    char text[1024];
    (void)state;
    for (size_t piece = 1; piece < 40; piece++) {
        assert_int_equal(parse("250 2.1.0 Ok\r\n", piece, &code, text), 1);
        assert_int_equal(code, 250);
        assert_string_equal(text, "2:Ok");
        assert_int_equal(parse("250-host\r\n250-SIZE 10\r\n250 HELP\r\n", piece, &code, text), 1);
        assert_string_equal(text, "0:host\nSIZE 10\nHELP");
        assert_int_equal(parse("220 a\r\n354\r\n", piece, &code, text), 2);
        assert_int_equal(code, 354);
        assert_string_equal(text, "0:");
        assert_int_equal(parse("550-5.7.1 no\n550 5.7.1 \x07never\n", piece, &code, text), 1);
        assert_string_equal(text, "5:no\n?never");
    }
}

static void refuses_what_is_no_reply(void **state)
{
    static const char *const bad[] = {"\r\n",      "25\r\n",    "2x0 a\r\n",          "199 a\r\n",
                                      "600 a\r\n", "250+a\r\n", "250-a\r\n251 b\r\n", "HTTP/1.1 200 OK\r\n"};
    uint16_t code;
    char text[1024];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(parse(bad[i], 3, &code, text), ERR_SYNTAX);
}

static void bounded(void **state)
{
    struct smtp_reply_parser p;
    struct smtp_reply reply;
    struct str line;
    size_t used;
    char long_line[SMTP_REPLY_LINE_MAX + 1];
    (void)state;
    memset(long_line, '2', sizeof(long_line));
    smtp_reply_parser_init(&p);
    assert_err(smtp_reply_parse(&p, long_line, sizeof(long_line), &used, &line, &reply), ERR_LIMIT);
    smtp_reply_parser_init(&p);
    for (int i = 0; i < SMTP_REPLY_LINES_MAX; i++)
        assert_int_equal(smtp_reply_parse(&p, "250-0123456789\r\n", 16, &used, &line, &reply), 1);
    assert_err(smtp_reply_parse(&p, "250 x\r\n", 7, &used, &line, &reply), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(nothing_from_outside_breaks_a_line),
        cmocka_unit_test(lines_are_at_most_512_octets),
        cmocka_unit_test(describes_on_one_line),
        cmocka_unit_test(enhanced_codes),
        cmocka_unit_test(parses),
        cmocka_unit_test(refuses_what_is_no_reply),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
