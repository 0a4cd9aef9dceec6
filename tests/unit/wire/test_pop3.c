#include "wire/pop3.h"

#include "base/err.h"
#include "unit/unit.h"

static void commands(void **state)
{
    (void)state;
    struct pop3_command c;
    pop3_command_parse(STR("pass  two words "), &c);
    assert_str(c.verb, "pass");
    assert_str(c.rest, " two words ");
    assert_int_equal(c.arg_count, 2);
    assert_str(c.arg[1], "words");
    pop3_command_parse(STR("TOP 1 2 3"), &c);
    assert_int_equal(c.arg_count, 3);
    pop3_command_parse(STR("QUIT"), &c);
    assert_int_equal(c.arg_count, 0);
    pop3_command_parse(STR_EMPTY, &c);
    assert_str(c.verb, "");
}

static void messages_are_stuffed_however_they_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        uint64_t lines;
        const char *response;
    } cases[] = {
        {"H: 1\r\n\r\n.a\r\n..\r\nb\r\n", POP3_ALL_LINES, "H: 1\r\n\r\n..a\r\n...\r\nb\r\n.\r\n"},
        {"no end", POP3_ALL_LINES, "no end\r\n.\r\n"},
        {"", POP3_ALL_LINES, ".\r\n"},
        {".", POP3_ALL_LINES, "..\r\n.\r\n"},
        {"H: 1\r\n\r\na\r\nb\r\n", 0, "H: 1\r\n\r\n.\r\n"},
        {"H: 1\r\n\r\na\r\n\r\nb\r\n", 2, "H: 1\r\n\r\na\r\n\r\n.\r\n"},
        {"H: 1\n\na\nb\n", 1, "H: 1\n\na\n.\r\n"},
        {"H: 1\r\n\r\na\r\n", 5, "H: 1\r\n\r\na\r\n.\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str message = str_from(cases[i].message);
        for (size_t piece = 1; piece <= message.len + 1; piece++) {
            struct pop3_stuffer p;
            struct buf out;
            buf_init(&out, 1000);
            pop3_stuffer_init(&p, cases[i].lines);
            for (size_t at = 0; at < message.len; at += piece)
                pop3_stuffer_feed(&p, str_sub(message, at, piece), &out);
            pop3_stuffer_finish(&p, &out);
            assert_str(buf_str(&out), cases[i].response);
            buf_fini(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),
        cmocka_unit_test(messages_are_stuffed_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
