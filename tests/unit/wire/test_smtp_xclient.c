/* What one server tells another of its client: read and written. */
#include "wire/smtp_xclient.h"

#include "base/err.h"
#include "unit/unit.h"

static struct smtp_xclient parse(const char *args)
{
    struct smtp_xclient x = {.helo = ""};
    assert_int_equal(smtp_xclient_parse(str_from(args), &x), 0);
    return x;
}

static void check_addr(const struct smtp_xclient *x, const char *expected)
{
    char text[ADDR_TEXT_MAX];
    assert_int_equal(x->addr_word, SMTP_XCLIENT_ADDR_KNOWN);
    addr_format(&x->addr, text);
    assert_string_equal(text, expected);
}

static void test_all_attributes(void **state)
{
    struct smtp_xclient x =
        parse("NAME=client.example ADDR=192.0.2.1 PORT=4711 PROTO=ESMTP HELO=mx.client.example "
              "DESTADDR=198.51.100.2 DESTPORT=25");
    (void)state;
    check_addr(&x, "192.0.2.1:4711");
    assert_string_equal(x.name, "client.example");
    assert_string_equal(x.helo, "mx.client.example");
    x = parse("addr=ipv6:2001:db8::1 proto=smtp");
    check_addr(&x, "[2001:db8::1]:0");
    x = parse("PORT=4711 ADDR=IPV6:::ffff:192.0.2.1");
    check_addr(&x, "192.0.2.1:4711");
}

static void test_what_is_not_known(void **state)
{
    struct smtp_xclient x = parse("ADDR=192.0.2.1 HELO=a NAME=b");
    (void)state;
    assert_int_equal(smtp_xclient_parse(STR("HELO=[UNAVAILABLE]"), &x), 0);
    check_addr(&x, "192.0.2.1:0"); /* the rest stays */
    assert_string_equal(x.helo, "");
    assert_string_equal(x.name, "b");
    assert_int_equal(smtp_xclient_parse(STR("ADDR=[TEMPUNAVAIL] NAME=[unavailable] PORT=[UNAVAILABLE]"), &x),
                     0);
    assert_int_equal(x.addr_word, SMTP_XCLIENT_ADDR_UNKNOWN);
    assert_int_equal(parse("HELO=a").addr_word, SMTP_XCLIENT_ADDR_UNSAID);
    assert_string_equal(x.name, "");
}

static void test_xtext_and_what_no_name_holds(void **state)
{
    struct smtp_xclient x = parse("HELO=a+2Bb+0D+0Ac+20d");
    (void)state;
    assert_string_equal(x.helo, "a?b??c?d");
}

static void test_what_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "ADDR",
        "ADDR=",
        "ADDR=2001:db8::1",
        "ADDR=IPV6:192.0.2.1",
        "ADDR=client.example",
        "LOGIN=alice",
        "PORT=0",
        "PORT=65536",
        "PORT=x",
        "PROTO=LMTP",
        "HELO=",
        "NAME=",
        "NAME=a+20b",
        "HELO=a+2",
        "HELO=a+2g",
        "HELO=a+0d",
        "HELO=\x80",
        "DESTPORT=0",
        "DESTADDR=mail",
        "NAME=a  HELO=b",
        "NAME=a WHAT=b",
        "HELO=a=b",
    };
    struct smtp_xclient x = parse("HELO=before");
    char name[400] = "HELO=";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(smtp_xclient_parse(str_from(bad[i]), &x), ERR_SYNTAX);
    memset(name + 5, 'a', 256);
    assert_int_equal(smtp_xclient_parse(str_from(name), &x), ERR_SYNTAX);
    assert_string_equal(x.helo, "before"); /* untouched */
    name[5 + 255] = '\0';
    assert_int_equal(smtp_xclient_parse(str_from(name), &x), 0);
}

static void test_written(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 200);
    smtp_xclient_put_addr(&out, STR("192.0.2.1"));
    smtp_xclient_put_addr(&out, STR("2001:db8::1"));
    smtp_xclient_put_addr(&out, STR_EMPTY);
    smtp_xclient_put_helo(&out, STR("a+b c"));
    smtp_xclient_put_helo(&out, STR_EMPTY);
    assert_string_equal(buf_data(&out),
                        " ADDR=192.0.2.1 ADDR=IPV6:2001:db8::1 ADDR=[UNAVAILABLE] HELO=a+2Bb+20c"
                        " HELO=[UNAVAILABLE]");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_attributes),
        cmocka_unit_test(test_what_is_not_known),
        cmocka_unit_test(test_xtext_and_what_no_name_holds),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
