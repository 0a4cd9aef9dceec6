/* Blocks of addresses: written, and who is in them. */
#include "base/addr_block.h"

#include "base/err.h"
#include "unit/unit.h"

static struct addr_block block(const char *text)
{
    struct addr_block b;
    assert_int_equal(addr_block_parse(str_from(text), &b), 0);
    return b;
}

static bool has(const char *text, const char *ip)
{
    struct addr_block b = block(text);
    struct addr a;
    assert_int_equal(addr_parse_ip(str_from(ip), 2525, &a), 0);
    return addr_block_has(&b, &a);
}

static void test_who_is_in(void **state)
{
    (void)state;
    assert_true(has("192.0.2.1", "192.0.2.1"));
    assert_false(has("192.0.2.1", "192.0.2.2"));
    assert_true(has("192.0.2.0/24", "192.0.2.255"));
    assert_false(has("192.0.2.0/24", "192.0.3.0"));
    assert_true(has("192.0.2.128/25", "192.0.2.130"));
    assert_false(has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_false(has("::/0", "192.0.2.1"));
}

static void test_ipv4_in_ipv6(void **state)
{
    (void)state;
    assert_true(has("192.0.2.0/24", "::ffff:192.0.2.7"));
    assert_true(has("::ffff:192.0.2.7", "192.0.2.7"));
}

static void test_what_is_no_block(void **state)
{
    static const char *const bad[] = {
        "",           "192.0.2.0/33", "192.0.2/24",  "192.0.2.0/", "192.0.2.0/+8",
        "2001::/129", "192.0.2.0/ 8", "192.0.2.0/x", "/24",        "mail.test/24"};
    struct addr_block b;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(addr_block_parse(str_from(bad[i]), &b), ERR_SYNTAX);
    assert_int_equal(addr_block_parse(STR("192.0.2.1/24"), &b), ERR_INVALID);
    assert_int_equal(addr_block_parse(STR("2001:db8::1/64"), &b), ERR_INVALID);
}

static void test_equal(void **state)
{
    struct addr_block a = block("192.0.2.0/24"), b = block("192.0.2.0/25"), c = block("::ffff:192.0.2.7");
    struct addr_block d = block("192.0.2.7/32");
    (void)state;
    assert_true(addr_block_eq(&a, &a));
    assert_false(addr_block_eq(&a, &b));
    assert_true(addr_block_eq(&c, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_in),
        cmocka_unit_test(test_ipv4_in_ipv6),
        cmocka_unit_test(test_what_is_no_block),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
