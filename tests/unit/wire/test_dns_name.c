#include "unit/unit.h"

#include "base/err.h"
#include "wire/dns_name.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name n;
    assert_ok(dns_name_from_text(str_from(text), &n));
    return n;
}

static void text_becomes_lower_cased_wire(void **state)
{
    (void)state;
    struct dns_name n = name_of("Mail1.Example.TEST."), same = name_of("mail1.example.test");
    assert_int_equal(n.len, 20);
    assert_memory_equal(n.wire, "\5mail1\7example\4test", 20);
    assert_true(dns_name_eq(&n, &same));
    assert_int_equal(name_of(".").len, 1);
}

static void text_and_wire_agree_on_escapes(void **state)
{
    (void)state;
    char text[DNS_NAME_TEXT_MAX];
    struct dns_name n = name_of("a\\.b\\000.x");
    assert_memory_equal(n.wire, "\4a.b\0\1x", 8);
    dns_name_format(&n, text);
    assert_string_equal(text, "a\\.b\\000.x");
    n = name_of(".");
    dns_name_format(&n, text);
    assert_string_equal(text, ".");
}

static void bad_text_is_refused(void **state)
{
    (void)state;
    struct dns_name n;
    const char *bad[] = {"", "a..b", ".a", "a\\", "a\\25", "a\\256", "a\\2x5"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_err(dns_name_from_text(str_from(bad[i]), &n), ERR_SYNTAX);
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    struct dns_name n;
    char text[300];
    memset(text, 'a', sizeof(text));
    assert_err(dns_name_from_text((struct str){text, 64}, &n), ERR_LIMIT);
    assert_ok(dns_name_from_text((struct str){text, 63}, &n));
    for (size_t i = 1; i < sizeof(text); i += 2)
        text[i] = '.';
    assert_ok(dns_name_from_text((struct str){text, 254}, &n)); /* 127 labels of one byte */
    assert_int_equal(n.len, 255);
    uint8_t offsets[DNS_LABELS_MAX];
    assert_int_equal(dns_name_labels(&n, offsets), 127);
    assert_err(dns_name_from_text((struct str){text, 256}, &n), ERR_LIMIT);
}

static void the_root_label_counts(void **state)
{
    (void)state;
    struct dns_name n;
    char text[300];
    memset(text, 'a', sizeof(text));
    text[63] = text[127] = text[191] = '.';
    assert_ok(dns_name_from_text((struct str){text, 192 + 61}, &n));
    assert_int_equal(n.len, DNS_NAME_MAX);
    assert_err(dns_name_from_text((struct str){text, 192 + 62}, &n), ERR_LIMIT);
}

static void wire_is_read_without_trust(void **state)
{
    (void)state;
    struct dns_name n;
    assert_ok(dns_name_from_wire((const uint8_t *)"\1A\0rest", 7, &n));
    assert_int_equal(n.len, 3);
    assert_int_equal(n.wire[1], 'a');
    assert_err(dns_name_from_wire((const uint8_t *)"\2a", 2, &n), ERR_SYNTAX);
    assert_err(dns_name_from_wire((const uint8_t *)"\1a", 2, &n), ERR_SYNTAX);
    assert_err(dns_name_from_wire((const uint8_t *)"\300\14", 2, &n), ERR_SYNTAX);
    assert_err(dns_name_from_wire((const uint8_t *)"\100", 1, &n), ERR_SYNTAX);
    uint8_t wide[260];
    memset(wide, 1, sizeof(wide)); /* labels of one byte, 130 of them */
    assert_err(dns_name_from_wire(wide, sizeof(wide), &n), ERR_SYNTAX);
}

static void skipping_stops_at_a_pointer_and_never_passes_the_end(void **state)
{
    (void)state;
    size_t pos = 1;
    assert_ok(dns_name_skip((const uint8_t *)"x\1a\300\0y", 6, &pos));
    assert_int_equal(pos, 5);
    pos = 0;
    assert_err(dns_name_skip((const uint8_t *)"\300", 1, &pos), ERR_SYNTAX);
    assert_err(dns_name_skip((const uint8_t *)"\5ab", 3, &pos), ERR_SYNTAX);
    assert_err(dns_name_skip((const uint8_t *)"\200", 1, &pos), ERR_SYNTAX);
    assert_int_equal(pos, 0);
}

static void within_compares_whole_labels(void **state)
{
    (void)state;
    struct dns_name apex = name_of("example.test"), below = name_of("a.example.test");
    struct dns_name beside = name_of("anexample.test"), root = name_of("."), above = name_of("test");
    assert_true(dns_name_within(&below, &apex));
    assert_true(dns_name_within(&apex, &apex));
    assert_true(dns_name_within(&apex, &root));
    assert_false(dns_name_within(&beside, &apex));
    assert_false(dns_name_within(&above, &apex));
}

static void wildcards_and_tails(void **state)
{
    (void)state;
    struct dns_name n = name_of("wild.test"), w, tail;
    assert_ok(dns_name_wildcard(&n, &w));
    assert_true(dns_name_is_wildcard(&w));
    assert_false(dns_name_is_wildcard(&n));
    dns_name_tail(&w, 2, &tail);
    assert_true(dns_name_eq(&tail, &n));
    char text[300];
    memset(text, 'a', sizeof(text));
    for (size_t i = 1; i < sizeof(text); i += 2)
        text[i] = '.';
    assert_ok(dns_name_from_text((struct str){text, 254}, &n));
    assert_err(dns_name_wildcard(&n, &w), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_becomes_lower_cased_wire),
        cmocka_unit_test(text_and_wire_agree_on_escapes),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(the_root_label_counts),
        cmocka_unit_test(wire_is_read_without_trust),
        cmocka_unit_test(skipping_stops_at_a_pointer_and_never_passes_the_end),
        cmocka_unit_test(within_compares_whole_labels),
        cmocka_unit_test(wildcards_and_tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
