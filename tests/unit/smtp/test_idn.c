/* International domain names in the form that they are compared in. */
#include "smtp/idn.h"

#include "base/err.h"
#include "unit/unit.h"

static void test_names(void **state)
{
    static const char *const cases[][2] = {
        {"example.test", "example.test"},
        {"EXAMPLE.Test", "example.test"},
        {"", ""},
        {"[192.0.2.1]", "[192.0.2.1]"},
        {"b\xc3\xbc"
         "cher.test",
         "xn--bcher-kva.test"},
        {"B\xc3\x9c"
         "CHER.test",
         "xn--bcher-kva.test"},
        {"fa\xc3\x9f.test", "xn--fa-hia.test"},           /* nontransitional */
        {"u\xcc\x88.test", "xn--tda.test"},               /* decomposed */
        {"\xe4\xbe\x8b\xe3\x80\x82test", "xn--fsq.test"}, /* with an ideographic full stop */
    };
    char out[IDN_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(idn_to_ascii(str_from(cases[i][0]), out), 0);
        assert_string_equal(out, cases[i][1]);
    }
}

static void test_what_is_no_name(void **state)
{
    char out[IDN_NAME_MAX + 1] = "untouched", label[IDN_NAME_MAX + 2];
    (void)state;
    assert_int_equal(idn_to_ascii(STR("\xe2\x98\x83.test"), out), ERR_SYNTAX); /* a symbol */
    memset(label, 'a', sizeof(label));
    memcpy(label, "\xc3\xbc", 2);
    assert_int_equal(idn_to_ascii((struct str){label, 200}, out), ERR_SYNTAX);
    assert_int_equal(idn_to_ascii((struct str){label, sizeof(label)}, out), ERR_SYNTAX);
    assert_string_equal(out, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
