/* What a server says after EHLO that it can take. */
#include "wire/smtp_offers.h"

#include "unit/unit.h"

static void test_lines(void **state)
{
    struct smtp_offers o = {.known = true};
    (void)state;
    smtp_offers_take(&o, STR("mail.example.test at your service"));
    smtp_offers_take(&o, STR("PIPELINING"));
    assert_false(o.eight_bit_mime || o.smtputf8 || o.size);
    smtp_offers_take(&o, STR("8bitmime"));
    smtp_offers_take(&o, STR("SMTPUTF8"));
    smtp_offers_take(&o, STR("SIZE 1000"));
    assert_true(o.eight_bit_mime && o.smtputf8 && o.size);
    assert_int_equal(o.size_max_bytes, 1000);
}

static void test_no_limit(void **state)
{
    static const char *const lines[] = {"SIZE", "SIZE 0", "SIZE x", "SIZE 99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct smtp_offers o = {.known = true};
        smtp_offers_take(&o, str_from(lines[i]));
        assert_true(o.size);
        assert_int_equal(o.size_max_bytes, 0);
    }
}

static void test_limits(void **state)
{
    struct smtp_offers o = {.known = true};
    (void)state;
    smtp_offers_take(&o, STR("LIMITS RCPTDOMAINMAX=1 rcptmax=20 MAILMAX=0 RCPTMAX MAILMAX=x"));
    assert_int_equal(o.recipients_max, 20);
    assert_int_equal(o.messages_max, 0);
    assert_int_equal(o.domains_max, 1);
    smtp_offers_take(&o, STR("LIMITS  MAILMAX=5"));
    assert_int_equal(o.messages_max, 5);
    smtp_offers_take(&o, STR("LIMITS"));
}

/* By probes: the newer holds, but plain text never against TLS. */
static void test_seen(void **state)
{
    struct smtp_offers known = {.known = false};
    struct smtp_offers plain = {.size = true, .size_max_bytes = 1000},
                       spoofed = {.size = true, .size_max_bytes = 1};
    struct smtp_offers tls = {.tls = true, .smtputf8 = true, .size = true, .size_max_bytes = 5000};
    (void)state;
    smtp_offers_seen(&known, &plain);
    assert_true(known.known && !known.smtputf8);
    assert_int_equal(known.size_max_bytes, 1000);
    smtp_offers_seen(&known, &tls);
    assert_true(known.known && known.smtputf8);
    smtp_offers_seen(&known, &spoofed);
    assert_true(known.smtputf8 && known.tls);
    assert_int_equal(known.size_max_bytes, 5000);
    spoofed.size_max_bytes = 0;
    spoofed.eight_bit_mime = true;
    smtp_offers_seen(&known, &spoofed);
    assert_false(known.eight_bit_mime);
    tls.smtputf8 = false; /* the server was told to take less */
    tls.size_max_bytes = 2000;
    smtp_offers_seen(&known, &tls);
    assert_false(known.smtputf8);
    assert_int_equal(known.size_max_bytes, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
