/* Chunks of a message: what is found out does not depend on where they are cut. */
#include "wire/smtp_chunk.h"

#include <string.h>

#include "base/err.h"
#include "unit/unit.h"

static struct smtp_chunk fed(struct str text, size_t piece_bytes)
{
    struct smtp_chunk c;
    smtp_chunk_init(&c, false);
    for (size_t at = 0; at < text.len; at += piece_bytes)
        smtp_chunk_feed(&c, str_sub(text, at, piece_bytes));
    smtp_chunk_end(&c);
    return c;
}

static void bare_ones_are_found_wherever_it_is_cut(void **state)
{
    static const struct {
        struct str text;
        bool bare, line_end;
    } table[] = {
        {STR(""), false, true},
        {STR("a"), false, false},
        {STR("a\r\n"), false, true},
        {STR("\r\n"), false, true},
        {STR("a\r\nb\r\n"), false, true},
        {STR("a\n"), true, true},
        {STR("\n"), true, true},
        {STR("a\r"), true, false},
        {STR("a\rb\r\n"), true, true},
        {STR("a\r\r\n"), true, true},
        {STR("a\r\n\n"), true, true},
        {STR("\ra\r\n"), true, true},
        {STR("ab\r\ncd\n"), true, true},
        {STR("a\r\n.\r\n"), false, true},
        {STR("a\r\nb\rc\nd\r\n"), true, true},
        {STR("a\r\nb\r\r"), true, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        for (size_t piece = 1; piece <= table[i].text.len + 1; piece++) {
            struct smtp_chunk c = fed(table[i].text, piece);
            if (c.bare != table[i].bare || (!c.bare && c.line_end != table[i].line_end))
                fail_msg("text %zu in pieces of %zu: bare %d, line_end %d", i, piece, c.bare, c.line_end);
        }
}

static void octets(void **state)
{
    (void)state;
    struct smtp_chunk c = fed(STR("a\0b\r\n"), 2);
    assert_true(c.nul);
    assert_false(c.eight_bit);
    c = fed(STR("a\xe4\r\n"), 1);
    assert_true(c.eight_bit);
    assert_false(c.nul);
}

static void arguments(void **state)
{
    static const struct {
        const char *args;
        int err;
        uint64_t size;
        bool last;
    } table[] = {
        {"0", 0, 0, false},
        {"17 LAST", 0, 17, true},
        {"17  last", 0, 17, true},
        {"18446744073709551615", 0, UINT64_MAX, false},
        {"18446744073709551616", ERR_LIMIT, 0, false},
        {"", ERR_SYNTAX, 0, false},
        {"LAST", ERR_SYNTAX, 0, false},
        {"-1", ERR_SYNTAX, 0, false},
        {"1 LASTLY", ERR_SYNTAX, 0, false},
        {"1 2", ERR_SYNTAX, 0, false},
        {"1 LAST LAST", ERR_SYNTAX, 0, false},
        {"000000000000000000001", ERR_SYNTAX, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        uint64_t size = 0;
        bool last = false;
        int rc = smtp_chunk_args_parse(str_from(table[i].args), &size, &last);
        if (rc != table[i].err || size != table[i].size || last != table[i].last)
            fail_msg("\"%s\": %d", table[i].args, rc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_ones_are_found_wherever_it_is_cut),
        cmocka_unit_test(octets),
        cmocka_unit_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
