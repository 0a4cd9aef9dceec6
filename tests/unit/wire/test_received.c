#include "unit/unit.h"
#include "wire/received.h"

static const struct custody_id zero_id;

static void test_received_line(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 2048);
    struct received_line line = {
        .helo = STR("client\x01.test"),
        .client_ip = STR("192.0.2.1"),
        .by = STR("relay.test"),
        .with = "ESMTP",
        .for_one = STR("alice@example.test"),
        .id = &zero_id,
        .at = {0},
    };
    received_line_format(&out, &line);
    assert_string_equal(buf_data(&out),
                        "Received: from client?.test ([192.0.2.1])\r\n"
                        "\tby relay.test (Holdfast) with ESMTP id 00000000000000000000000000\r\n"
                        "\tfor <alice@example.test>;\r\n"
                        "\tThu, 01 Jan 1970 00:00:00 +0000\r\n");
    buf_fini(&out);
}

static void test_received_line_of_many_and_ipv6(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 2048);
    struct received_line line = {.client_name = STR("host.test"),
                                 .client_ip = STR("2001:db8::1"),
                                 .by = STR("r"),
                                 .tls = STR("TLSv1.3 SOME_CIPHER"),
                                 .with = "ESMTPS",
                                 .for_one = STR("")};
    received_line_format(&out, &line);
    assert_non_null(strstr(buf_data(&out), "from unknown (host.test [IPv6:2001:db8::1])\r\n"
                                           "\t(using TLSv1.3 SOME_CIPHER)\r\n"
                                           "\tby r (Holdfast) with ESMTPS;\r\n"));
    assert_null(strstr(buf_data(&out), "for <"));
    buf_fini(&out);
}

static void check_client(struct str name, const char *expected)
{
    struct buf out;
    struct received_line line = {
        .helo = STR("client.test"), .client_name = name, .by = STR("r"), .with = "SMTP"};
    buf_init(&out, 2048);
    received_line_format(&out, &line);
    assert_true(str_starts(buf_str(&out), str_from(expected)));
    buf_fini(&out);
}

static void test_received_line_of_who_is_not_known(void **state)
{
    (void)state;
    check_client(STR_EMPTY, "Received: from client.test (unknown)\r\n\tby r ");
    check_client(STR("host.test"), "Received: from client.test (host.test)\r\n\tby r ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_received_line),
        cmocka_unit_test(test_received_line_of_many_and_ipv6),
        cmocka_unit_test(test_received_line_of_who_is_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
