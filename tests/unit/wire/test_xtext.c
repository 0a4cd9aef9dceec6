#include "wire/xtext.h"

#include "base/err.h"

#include "unit/unit.h"

static void encode(const char *text, const char *expected)
{
    struct buf out;
    buf_init(&out, 1000);
    xtext_encode(&out, str_from(text));
    assert_str(buf_str(&out), expected);
    buf_clear(&out);
    assert_ok(xtext_decode(&out, str_from(expected)));
    assert_str(buf_str(&out), text);
    buf_fini(&out);
}

static void a_text_comes_back(void **state)
{
    (void)state;
    encode("", "");
    encode("alice@example.test", "alice@example.test");
    encode("a+b=c d", "a+2Bb+3Dc+20d");
    encode("\x7f\xff", "+7F+FF");
}

static void what_is_no_xtext_is_refused(void **state)
{
    static const char *const bad[] = {"a b", "a=b", "+", "+2", "+2b", "+G0", "a\x7f", "\xc3\xa4", "+2B+"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out;
        buf_init(&out, 100);
        assert_err(xtext_decode(&out, str_from(bad[i])), ERR_SYNTAX);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_comes_back),
        cmocka_unit_test(what_is_no_xtext_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
