#include "cli/demo_plan.h"
#include "unit/unit.h"

#define NODE(name, site)                                                                                     \
    "node \"" name "\" { site = \"" site "\" roles = {\"dns\", \"relay\", \"director\", \"mailbox\"} }\n"
#define DNS(name, node, ip)                                                                                  \
    "dns \"" name "\" { node = \"" node "\" hostname = \"" name ".example.test\" address = {\"" ip           \
    "\"} listen = {\"" ip ":5300\"} }\n"
#define RELAY(name, node, ip)                                                                                \
    "relay \"" name "\" { node = \"" node "\" hostname = \"" name ".example.test\" address = {\"" ip         \
    "\"} listen = {\"" ip ":2526\"} }\n"
#define NETWORK                                                                                              \
    "store { url = \"sqlite:store\" }\nsite \"east\" { }\nsite \"west\" { }\n" NODE("east1", "east") NODE(   \
        "west1", "west") DNS("ns1", "east1", "127.1.0.53") DNS("ns2", "west1", "127.2.0.53")                 \
        RELAY("relay1", "east1", "127.1.0.2") RELAY(                                                         \
            "relay2", "west1",                                                                               \
            "127.2.0.2") "zone \"example.test\" { }\n"                                                       \
                         "domain \"example.test\" { server = \"mail1\" relays = {\"relay1\", \"relay2\"} "   \
                         "recipients = \"directory\" }\n"
#define SERVER(creates)                                                                                      \
    "server \"mail1\" { kind = \"builtin\" site = \"east\" hostname = \"mail1.example.test\" "               \
    "address = {\"127.1.0.10\"} smtp_port = 2525 imap_port = 2143 pop3_port = 2110\n"                        \
    "failover { mode = \"automatic\" " creates " } }\n"
#define CREATE_SAME "create { site = \"east\" address = \"same\" fence = \"process\" }\n"
#define CREATE_AWAY "create { site = \"west\" address = \"127.2.0.10\" }\n"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct config_findings findings = {0};
    int rc = config_parse(str_from(text), "test.conf", ".", &c, &findings);
    config_findings_print(&findings, stderr);
    config_findings_free(&findings);
    assert_ok(rc);
    return c;
}

static void test_the_parts_are_found(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK SERVER(CREATE_SAME CREATE_AWAY));
    struct demo_plan p;
    struct err_buf eb;
    char away[ADDR_TEXT_MAX];
    assert_ok(demo_plan_make(c, &p, &eb));
    assert_string_equal(p.home_node->name, "east1");
    assert_string_equal(p.away_node->name, "west1");
    assert_string_equal(p.away_relay->name, "relay2");
    assert_string_equal(p.reader, "alice@example.test");
    addr_format_ip(&p.away, away);
    assert_string_equal(away, "127.2.0.10");
    config_free(c);
}

static void test_a_database_of_others_is_left_alone(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK SERVER(CREATE_SAME CREATE_AWAY));
    struct demo_plan p;
    struct err_buf eb;
    c->store_engine = STORE_POSTGRESQL;
    assert_err(demo_plan_make(c, &p, &eb), ERR_UNSUPPORTED);
    assert_non_null(strstr(eb.text, "store of its own"));
    config_free(c);
}

static void test_hosts_have_ports_and_numbers(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK SERVER(CREATE_SAME CREATE_AWAY));
    struct demo_plan p;
    assert_ok(demo_plan_make(c, &p, NULL));
    assert_true(demo_plan_is_server(&p, STR("MAIL1.example.test")));
    assert_int_equal(demo_plan_mail_port(&p, STR("mail1.example.test")), 2525);
    assert_int_equal(demo_plan_mail_port(&p, STR("relay2.example.test")), 2526);
    assert_int_equal(demo_plan_mail_port(&p, STR("other.example.test")), 0);
    assert_int_equal(demo_plan_taker(&p, STR("mail1.example.test")), 0);
    assert_string_equal(demo_plan_taker_name(&p, demo_plan_taker(&p, STR("relay2.example.test"))), "relay2");
    config_free(c);
}

static void test_another_network_is_refused(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK SERVER(CREATE_SAME));
    struct demo_plan p;
    struct err_buf eb = {""};
    assert_err(demo_plan_make(c, &p, &eb), ERR_UNSUPPORTED);
    assert_non_null(strstr(eb.text, "examples/two-site.conf"));
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_parts_are_found),
        cmocka_unit_test(test_a_database_of_others_is_left_alone),
        cmocka_unit_test(test_hosts_have_ports_and_numbers),
        cmocka_unit_test(test_another_network_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
