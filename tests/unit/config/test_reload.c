#include "config/schema.h"
#include "config/value.h"
#include "findings_of.h"

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct config_findings f;
    int err = config_parse(str_from(text), "/etc/holdfast/test.conf", "/var/lib/holdfast", &c, &f);
    if (err < 0)
        config_findings_print(&f, stderr);
    assert_int_equal(err, 0);
    config_findings_free(&f);
    return c;
}

static void check_reload(const char *old_text, const char *new_text, const char *expected)
{
    struct config *old_config = parse(old_text), *new_config = parse(new_text);
    struct config_findings f;
    struct buf found;
    config_reload_check(old_config, new_config, &f);
    print_findings(&f, &found);
    assert_string_equal(found.len ? buf_data(&found) : "", expected);
    buf_fini(&found);
    config_findings_free(&f);
    config_free(old_config);
    config_free(new_config);
}

#define SERVER_IN_FULL(failover) "server \"m\" {\n" SERVER_KEYS failover "}\n"

static void the_same_network_needs_nothing(void **state)
{
    (void)state;
    check_reload(NETWORK, NETWORK, "");
    check_reload(NETWORK "timing { lease = \"3s\" }", NETWORK "timing {\n lease = \"3000ms\" } # longer", "");
    check_reload(NETWORK "timing { lease = \"2500ms\" }", NETWORK, "");
    check_reload(SERVER SITE NODE RELAY DNS, NETWORK, "");
}

static void what_a_reload_applies_is_not_named(void **state)
{
    (void)state;
    check_reload(NETWORK "zone \"t\" { } domain \"t\" { server = \"m\" }",
                 NETWORK "zone \"t\" { file = \"f\" ttl = \"1s\" } "
                         "domain \"t\" { server = \"m\" recipients = \"any\" }",
                 "");
    check_reload(NETWORK "users { file = \"a\" }", NETWORK "users { file = \"b\" }", "");
    check_reload(NETWORK, SITE NODE DNS RELAY SERVER_IN_FULL("imap_port = 0 failover { after = \"1s\" } "),
                 "");
    check_reload(NETWORK,
                 SITE NODE DNS SERVER
                 "relay \"r\" { node = \"n\" hostname = \"r.test\" address = {\"127.0.0.2\"} listen = "
                 "{\"127.0.0.2:25\"} retry = \"9s\" connections_max = 7 }",
                 "");
}

static void what_needs_a_restart_is_named_with_its_role(void **state)
{
    (void)state;
    check_reload(NETWORK,
                 NETWORK "timing { lease = \"3s\" }\n"
                         "store { url = \"sqlite:elsewhere\" }\n"
                         "system { user = \"mail\" }",
                 "2: timing: lease changed; restart every role of every node\n"
                 "3: store: url changed; restart every role of every node\n"
                 "4: system: user changed; restart every role of every node\n");
    check_reload(NETWORK,
                 SITE NODE SERVER
                 "\nrelay \"r\" { node = \"n\" hostname = \"r2.test\"\naddress = {\"127.0.0.2\"}\n listen = "
                 "{\"127.0.0.2:25\", \"127.0.0.2:26\"} }\n"
                 "dns \"d\" { node = \"n\" hostname = \"d.test\" address = {\"127.0.0.1\"} listen = "
                 "{\"127.0.0.1:53\"} udp_threads = 3 }",
                 "2: relay \"r\": hostname changed; restart the role relay of node \"n\"\n"
                 "4: relay \"r\": listen changed; restart the role relay of node \"n\"\n"
                 "5: dns \"d\": udp_threads changed; restart the role dns of node \"n\"\n");
    check_reload(NETWORK,
                 SITE NODE DNS RELAY SERVER_IN_FULL("imap_port = 143\nmessage_size_max = \"60MiB\" "),
                 "2: server \"m\": imap_port changed; restart the instance of server \"m\"\n"
                 "3: server \"m\": message_size_max changed; restart the instance of server \"m\"\n");
}

static void sections_that_came_or_went(void **state)
{
    (void)state;
    static const char web[] = NETWORK "web \"w\" { node = \"n\" listen = {\"127.0.0.1:80\"} }";
    check_reload(NETWORK, web, "2: web \"w\" is new; restart the role director of node \"n\"\n");
    check_reload(web, NETWORK, "0: web \"w\" is gone; restart the role director of node \"n\"\n");
    check_reload(web, NETWORK "web \"v\" { node = \"n\" listen = {\"127.0.0.1:80\"} }",
                 "0: web \"w\" is gone; restart the role director of node \"n\"\n"
                 "2: web \"v\" is new; restart the role director of node \"n\"\n");
    check_reload(NETWORK, NETWORK "site \"t\" { }",
                 "2: site \"t\" is new; restart every role of every node\n");
}

#define NODE_B "node \"b\" { site = \"s\" roles = {\"director\"} }\n"

static void a_section_that_moved_concerns_both_nodes(void **state)
{
    (void)state;
    check_reload(NETWORK NODE_B "web \"w\" { node = \"n\" listen = {\"127.0.0.1:80\"} }",
                 NETWORK NODE_B "web \"w\" { node = \"b\" listen = {\"127.0.0.1:80\"} }",
                 "3: web \"w\": node changed; restart the role director of node \"b\"\n"
                 "3: web \"w\" left its node; restart the role director of node \"n\"\n");
}

static void what_others_use_too_concerns_every_role(void **state)
{
    (void)state;
    check_reload(NETWORK,
                 SITE NODE DNS SERVER
                 "relay \"r\" { node = \"n\" hostname = \"r.test\" listen = {\"127.0.0.2:25\"}\n"
                 "address = {\"127.0.0.7\"} }",
                 "2: relay \"r\": address changed; restart every role of every node\n");
    check_reload(NETWORK, NETWORK "zone \"t\" { }",
                 "2: zone \"t\" is new; restart the role dns of every node\n");
    check_reload(NETWORK, SITE NODE DNS RELAY SERVER_IN_FULL("check { kind = \"tcp\" } "),
                 "2: server \"m\" check: kind changed; restart every role of every node\n");
}

#define ZONE(keys) NETWORK "zone \"t\" { " keys " }"

static void what_is_exchanged_is_what_a_reload_applies(void **state)
{
    (void)state;
    struct config *a = parse(ZONE("ttl = \"7s\"") "timing { lease = \"3s\" }");
    struct config *b = parse(ZONE("ttl = \"9s\" file = \"f\"") "system { log = \"debug\" }");
    assert_true(config_exchange(a, b));
    assert_int_equal(a->zones[0].ttl_ms, 9000);
    assert_string_equal(a->zones[0].file, "/etc/holdfast/f");
    assert_int_equal(a->log_level, LOG_DEBUG);
    assert_int_equal(a->lease_ms, 3000);
    assert_int_equal(b->zones[0].ttl_ms, 7000);
    assert_string_equal(b->zones[0].file, "");
    assert_int_equal(b->log_level, LOG_INFO);
    assert_true(config_exchange(a, b)); /* back */
    assert_int_equal(a->zones[0].ttl_ms, 7000);
    assert_string_equal(a->zones[0].file, "");
    config_free(b);
    b = parse(ZONE("ttl = \"7s\""));
    assert_false(config_exchange(a, b));
    config_free(a);
    config_free(b);
}

/* A key of a type that cannot be would abort a role at its first reload. */
static void each_key_that_is_reloaded_can_be_exchanged_in(const struct schema_section *s)
{
    for (const struct schema_key *key = s->keys; key->name; key++) {
        char a[4096] = {0}, b[4096] = {0};
        if (key->reload == RELOAD_LIVE)
            value_exchange(key, a, b);
    }
    for (size_t i = 0; s->sections && s->sections[i]; i++) {
        assert_true(!s->sections[i]->many || s->sections[i]->reload != RELOAD_LIVE);
        each_key_that_is_reloaded_can_be_exchanged_in(s->sections[i]);
    }
}

static void each_key_that_is_reloaded_can_be_exchanged(void **state)
{
    (void)state;
    each_key_that_is_reloaded_can_be_exchanged_in(&schema_root);
}

static void every_type_is_compared(void **state)
{
    (void)state;
    check_reload(NETWORK,
                 SITE DNS RELAY SERVER
                 "\nnode \"n\" { site = \"s\" roles = {\"mailbox\", \"dns\", \"director\", "
                 "\"relay\"} }",
                 "");
    check_reload(NETWORK NODE_B, NETWORK "node \"b\" { site = \"s\" roles = {\"director\", \"mailbox\"} }",
                 "2: node \"b\": roles changed; restart every role of every node\n");
    check_reload(NETWORK "site \"t\" { } " NODE_B,
                 NETWORK "site \"t\" { } node \"b\" { site = \"t\" roles = {\"director\"} }",
                 "2: node \"b\": site changed; restart every role of every node\n");
    check_reload(NETWORK,
                 SITE NODE DNS RELAY
                 "server \"m\" { kind = \"external\" site = \"s\" hostname = \"m.test\"\naddress = "
                 "{\"127.0.0.4\"} }",
                 "1: server \"m\": kind changed; restart the instance of server \"m\"\n"
                 "2: server \"m\": address changed; restart the instance of server \"m\"\n");
}

static void an_address_or_same_is_compared(void **state)
{
    (void)state;
    struct config_create same = {.address_same = true}, again = same, there = {.address_same = false},
                         elsewhere = there;
    assert_ok(addr_parse_ip(STR("127.0.0.8"), 0, &there.address));
    assert_ok(addr_parse_ip(STR("127.0.0.9"), 0, &elsewhere.address));
    const struct schema_section *server = schema_section_find(&schema_root, "server");
    const struct schema_section *create =
        schema_section_find(schema_section_find(server, "failover"), "create");
    const struct schema_key *key = schema_key_find(create, "address");
    assert_true(value_equal(key, &same, &again));
    assert_true(value_equal(key, &there, &there));
    assert_false(value_equal(key, &same, &there));
    assert_false(value_equal(key, &there, &same));
    assert_false(value_equal(key, &there, &elsewhere));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_network_needs_nothing),
        cmocka_unit_test(what_a_reload_applies_is_not_named),
        cmocka_unit_test(what_needs_a_restart_is_named_with_its_role),
        cmocka_unit_test(sections_that_came_or_went),
        cmocka_unit_test(a_section_that_moved_concerns_both_nodes),
        cmocka_unit_test(what_others_use_too_concerns_every_role),
        cmocka_unit_test(what_is_exchanged_is_what_a_reload_applies),
        cmocka_unit_test(each_key_that_is_reloaded_can_be_exchanged),
        cmocka_unit_test(every_type_is_compared),
        cmocka_unit_test(an_address_or_same_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
