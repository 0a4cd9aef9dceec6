#include "wire/smtp_command.h"

#include <stdio.h>

#include "unit/unit.h"

/* Reads all lines of text, fed in pieces; notes them as "[line]" or "!syntax", "!limit". */
static void read_in_pieces(const char *text, size_t len, size_t piece, char *ret_notes)
{
    struct smtp_line_reader r;
    smtp_line_reader_init(&r);
    ret_notes[0] = '\0';
    for (size_t at = 0; at < len; at += piece) {
        size_t have = len - at < piece ? len - at : piece, used;
        for (size_t off = 0; off < have; off += used) {
            struct str line;
            int rc = smtp_line_read(&r, text + at + off, have - off, &used, &line);
            assert_true(used > 0);
            char *end = ret_notes + strlen(ret_notes);
            if (rc == 1)
                sprintf(end, "[%.*s]", STR_ARG(line));
            else if (rc != 0)
                strcpy(end, rc == ERR_LIMIT ? "!limit" : "!syntax");
        }
    }
}

static void expect_lines(const char *text, size_t len, const char *expected)
{
    char notes[4096];
    for (size_t piece = 1; piece <= len; piece += piece < 8 ? 1 : 61) {
        read_in_pieces(text, len, piece, notes);
        assert_string_equal(notes, expected);
    }
}

#define EXPECT_LINES(literal, expected) expect_lines(literal, sizeof(literal) - 1, expected)

static void lines_end_at_crlf_alone(void **state)
{
    (void)state;
    EXPECT_LINES("NOOP\r\nQUIT\r\n", "[NOOP][QUIT]");
    EXPECT_LINES("\r\n\r\n", "[][]");
    EXPECT_LINES("NOOP", "");
    EXPECT_LINES("NOOP\nQUIT\r\nX\r\n", "!syntax[X]");
    EXPECT_LINES("NO\rOP\r\nX\r\n", "!syntax[X]");
    EXPECT_LINES("NOOP\r\r\nX\r\n", "!syntax[X]");
    EXPECT_LINES("\nX\r\nY\r\n", "!syntax[Y]");
    EXPECT_LINES("NO\0OP\r\nX\r\n", "!syntax[X]");
}

static void over_long_lines_are_skipped(void **state)
{
    char text[3 * SMTP_COMMAND_LINE_MAX], expected[2 * SMTP_COMMAND_LINE_MAX];
    (void)state;
    memset(text, 'a', sizeof(text));
    size_t longest = SMTP_COMMAND_LINE_MAX - 2;
    memcpy(text + longest, "\r\nX\r\n", 5);
    sprintf(expected, "[%.*s][X]", (int)longest, text);
    expect_lines(text, longest + 5, expected);

    memset(text, 'a', sizeof(text));
    memcpy(text + longest + 1, "\r\nX\r\n", 5);
    expect_lines(text, longest + 6, "!limit[X]");
    memset(text, 'a', sizeof(text));
    memcpy(text + 2000, "\nb\r\nX\r\n", 7);
    expect_lines(text, 2007, "!limit[X]");
}

static void commands(void **state)
{
    struct smtp_command c;
    (void)state;
    assert_ok(smtp_command_parse(STR("MAIL FROM:<a@b> SIZE=1  "), &c));
    assert_str(c.verb, "MAIL");
    assert_str(c.args, "FROM:<a@b> SIZE=1");
    assert_ok(smtp_command_parse(STR("quit"), &c));
    assert_str(c.verb, "quit");
    assert_str(c.args, "");
    assert_err(smtp_command_parse(STR(""), &c), ERR_SYNTAX);
    assert_err(smtp_command_parse(STR(" NOOP"), &c), ERR_SYNTAX);
    assert_err(smtp_command_parse(STR("MAIL:x"), &c), ERR_SYNTAX);
    assert_err(smtp_command_parse(STR("\x80"), &c), ERR_SYNTAX);
}

static void params(void **state)
{
    struct str rest = STR(" SIZE=12 X-Y  BODY=8BITMIME ");
    struct smtp_param p;
    (void)state;
    assert_int_equal(smtp_param_next(&rest, &p), 1);
    assert_str(p.keyword, "SIZE");
    assert_str(p.value, "12");
    assert_int_equal(smtp_param_next(&rest, &p), 1);
    assert_str(p.keyword, "X-Y");
    assert_null(p.value.ptr);
    assert_int_equal(smtp_param_next(&rest, &p), 1);
    assert_str(p.value, "8BITMIME");
    assert_int_equal(smtp_param_next(&rest, &p), 0);
    rest = STR("ORCPT=utf-8;j\xc3\xbcrgen@b.test");
    assert_int_equal(smtp_param_next(&rest, &p), 1);
    assert_str(p.value, "utf-8;j\xc3\xbcrgen@b.test");
}

static void bad_params(void **state)
{
    static const char *const bad[] = {"=1", "SIZE=", "-A=1", "A=b=c", "A\x80", "A=\x7f", "A;B", "A=b\tc"};
    struct smtp_param p;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str rest = str_from(bad[i]);
        assert_err(smtp_param_next(&rest, &p), ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_crlf_alone),
        cmocka_unit_test(over_long_lines_are_skipped),
        cmocka_unit_test(commands),
        cmocka_unit_test(params),
        cmocka_unit_test(bad_params),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
