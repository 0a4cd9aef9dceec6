#include "base/addr.h"

#include "base/err.h"
#include "unit/unit.h"

static struct addr parsed(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_from(text), &a));
    return a;
}

static void assert_formats(const char *text, const char *expected)
{
    char out[ADDR_TEXT_MAX];
    struct addr a = parsed(text);
    addr_format(&a, out);
    assert_string_equal(out, expected);
}

static void round_trips(void **state)
{
    (void)state;
    assert_formats("127.1.0.2:2525", "127.1.0.2:2525");
    assert_formats("0.0.0.0:0", "0.0.0.0:0");
    assert_formats("[::1]:25", "[::1]:25");
    assert_formats("[2001:0db8:0:0::1]:65535", "[2001:db8::1]:65535");
    assert_formats("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
                   "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void bad_texts_leave_the_output(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "127.0.0.1",      "127.0.0.1:", ":25",     "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0:25", "host:25",        "::1:25",     "[::1]",   "[::1]:",          "[::1",
        "[]:25",      "[127.0.0.1]:25", "[::1] :25",  "[::1]25", "[::1%eth0]:1"};
    struct addr a = parsed("1.2.3.4:5");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(addr_parse(str_from(bad[i]), &a), ERR_SYNTAX);
    assert_err(addr_parse((struct str){"1.2.3.4\0:25", 11}, &a), ERR_SYNTAX);
    struct addr same = parsed("1.2.3.4:5");
    assert_true(addr_eq(&a, &same));
}

static void ip_without_port(void **state)
{
    (void)state;
    struct addr a;
    char out[ADDR_TEXT_MAX];
    assert_ok(addr_parse_ip(STR("::1"), 2525, &a));
    assert_int_equal(addr_port(&a), 2525);
    addr_format_ip(&a, out);
    assert_string_equal(out, "::1");
    assert_int_equal(addr_len(&a), sizeof(struct sockaddr_in6));
    assert_ok(addr_parse_ip(STR("127.1.0.2"), 25, &a));
    assert_int_equal(addr_len(&a), sizeof(struct sockaddr_in));
    assert_err(addr_parse_ip(STR("127.1.0.2:25"), 25, &a), ERR_SYNTAX);
    assert_err(addr_parse_ip((struct str){"::1\0", 4}, 25, &a), ERR_SYNTAX);
}

static void overlong_text(void **state)
{
    (void)state;
    char text[4096];
    struct addr a;
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 2] = ':';
    assert_err(addr_parse((struct str){text, sizeof(text)}, &a), ERR_SYNTAX);
}

static void port_is_set_in_both_families(void **state)
{
    (void)state;
    struct addr a = parsed("127.0.0.1:1"), b = parsed("[::1]:1");
    addr_set_port(&a, 65535);
    addr_set_port(&b, 2525);
    assert_int_equal(addr_port(&a), 65535);
    assert_int_equal(addr_port(&b), 2525);
}

static void equality_with_and_without_port(void **state)
{
    (void)state;
    struct addr a = parsed("127.0.0.1:1"), b = parsed("127.0.0.1:2"), c = parsed("127.0.0.2:1");
    struct addr six = parsed("[::ffff:127.0.0.1]:1"), other = parsed("[::1]:1");
    assert_false(addr_eq(&a, &b));
    assert_true(addr_ip_eq(&a, &b));
    assert_false(addr_ip_eq(&a, &c));
    assert_false(addr_ip_eq(&a, &six));
    assert_false(addr_ip_eq(&six, &other));
    assert_true(addr_eq(&other, &other));
}

static void loopback(void **state)
{
    (void)state;
    struct addr yes[] = {parsed("127.0.0.1:1"), parsed("127.255.0.9:1"), parsed("[::1]:1")};
    struct addr no[] = {parsed("126.255.255.255:1"), parsed("128.0.0.1:1"), parsed("[::2]:1"),
                        parsed("[::]:1")};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        assert_true(addr_is_loopback(&yes[i]));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        assert_false(addr_is_loopback(&no[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(bad_texts_leave_the_output),
        cmocka_unit_test(ip_without_port),
        cmocka_unit_test(overlong_text),
        cmocka_unit_test(port_is_set_in_both_families),
        cmocka_unit_test(equality_with_and_without_port),
        cmocka_unit_test(loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
