/* What records hold, also those of a stranger who means ill. */
#include "resolver/rdata.h"
#include "unit/unit.h"

#define MX(bytes) rdata_parse_mx((struct str){(bytes), sizeof(bytes) - 1}, &mx)

static void an_mx_has_preference_and_host(void **state)
{
    struct resolver_mx mx;
    (void)state;
    assert_ok(MX("\x01\x02\3Mx1\5a_b-c\7example\0"));
    assert_int_equal(mx.preference, 258);
    assert_string_equal(mx.host, "mx1.a_b-c.example");
    assert_ok(MX("\0\0\0")); /* RFC 7505 */
    assert_string_equal(mx.host, "");
}

static void what_is_no_host_is_refused(void **state)
{
    struct resolver_mx mx;
    (void)state;
    assert_err(MX(""), ERR_SYNTAX);
    assert_err(MX("\0\1"), ERR_SYNTAX);
    assert_err(MX("\0\1\3mx1"), ERR_SYNTAX);     /* no end */
    assert_err(MX("\0\1\3mx1\0x"), ERR_SYNTAX);  /* more behind it */
    assert_err(MX("\0\1\xc0\x0c"), ERR_SYNTAX);  /* a pointer, out of its message */
    assert_err(MX("\0\1\3m\r\n\0"), ERR_SYNTAX); /* would end a line of the log */
    assert_err(MX("\0\1\3m.x\0"), ERR_SYNTAX);   /* a dot in a label */
    assert_err(MX("\0\1\4m\xc3\xbcx\0"), ERR_SYNTAX);
}

static void the_longest_name_fits(void **state)
{
    char data[2 + 255];
    struct resolver_mx mx;
    (void)state;
    memset(data, 'a', sizeof(data));
    for (size_t at = 2; at < sizeof(data) - 1; at += 64)
        data[at] = (char)(at + 64 < sizeof(data) - 1 ? 63 : sizeof(data) - 2 - at);
    data[sizeof(data) - 1] = 0;
    assert_ok(rdata_parse_mx((struct str){data, sizeof(data)}, &mx));
    assert_int_equal(strlen(mx.host), 253);
}

static void addresses_have_their_length(void **state)
{
    struct addr a;
    char text[ADDR_TEXT_MAX];
    (void)state;
    assert_ok(rdata_parse_addr(STR("\xc0\0\2\1"), RESOLVER_A, &a));
    addr_format_ip(&a, text);
    assert_string_equal(text, "192.0.2.1");
    assert_ok(rdata_parse_addr(STR("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), RESOLVER_AAAA, &a));
    addr_format_ip(&a, text);
    assert_string_equal(text, "2001:db8::1");
    assert_err(rdata_parse_addr(STR("\xc0\0\2\1"), RESOLVER_AAAA, &a), ERR_SYNTAX);
    assert_err(rdata_parse_addr(STR("\xc0\0\2"), RESOLVER_A, &a), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_mx_has_preference_and_host),
        cmocka_unit_test(what_is_no_host_is_refused),
        cmocka_unit_test(the_longest_name_fits),
        cmocka_unit_test(addresses_have_their_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
