#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"
#include "findings_of.h"

static struct config *load(const char *path, const char *state_dir)
{
    struct config *c = NULL;
    struct config_findings f;
    int err = config_load(path, state_dir, &c, &f);
    if (err < 0)
        config_findings_print(&f, stderr);
    assert_int_equal(err, 0);
    assert_int_equal(f.count, 0);
    config_findings_free(&f);
    return c;
}

static void assert_addr(const struct addr *a, const char *expected)
{
    char text[ADDR_TEXT_MAX];
    addr_format(a, text);
    assert_string_equal(text, expected);
}

static bool has_ip(const struct config *c, const char *ip)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(ip), 0, &a));
    return config_has_ip(c, &a);
}

/* Of our own parts; all others are clients, whose connections are limited. */
static void two_site_addresses(const struct config *c)
{
    static const char *const ours[] = {"127.1.0.2", "127.2.0.2",  "127.1.0.10", "127.2.0.10",
                                       "127.1.0.1", "127.1.0.53", "127.2.0.53"};
    static const char *const others[] = {"192.0.2.77", "127.0.0.1", "127.1.0.3", "::1", "0.0.0.0"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        assert_true(has_ip(c, ours[i]));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(has_ip(c, others[i]));
}

static void two_site_nodes(const struct config *c)
{
    assert_int_equal(c->site_count, 2);
    assert_int_equal(c->node_count, 2);
    const struct config_node *east = config_node_find(c, "east1");
    assert_ptr_equal(east->site, config_site_find(c, "east"));
    assert_int_equal(east->roles, ROLE_DNS | ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX);
    assert_string_equal(east->host, "");
    const struct config_dns *dns = config_dns_of_node(c, east);
    assert_string_equal(dns->hostname, "ns-east.example.test");
    assert_addr(&dns->address.addrs[0], "127.1.0.53:0");
    assert_addr(&dns->listen.addrs[0], "127.1.0.53:5300");
    assert_int_equal(dns->udp_threads, 0);
    assert_addr(&config_web_of_node(c, east)->listen.addrs[0], "127.1.0.1:8025");
    const struct config_relay *relay = config_relay_of_node(c, config_node_find(c, "west1"));
    assert_ptr_equal(relay, config_relay_find(c, "relay-west"));
    assert_addr(&relay->listen.addrs[0], "127.2.0.2:2525");
    assert_int_equal(relay->retry_ms, 1000);
    assert_int_equal(relay->retry_max_ms, 1800000);
    assert_true(relay->expire_ms == 5LL * 86400000);
    assert_true(relay->safety_net_ms == 2LL * 86400000);
    assert_true(relay->safety_net_max_bytes == 1024LL << 30);
    assert_int_equal(relay->message_size_max_bytes, 50 << 20);
    assert_int_equal(relay->connections_max, 2000);
    assert_int_equal(relay->client_connections_max, 200);
    assert_int_equal(relay->recipients_max, 1000);
    assert_int_equal(relay->idle_timeout_ms, 300000);
    assert_int_equal(relay->delivery_sessions_max, 10);
    assert_int_equal(relay->losses_max, 5);
}

static void two_site_server(const struct config *c)
{
    const struct config_server *server = config_server_find(c, "mail1");
    assert_int_equal(server->kind, SERVER_BUILTIN);
    assert_int_equal(server->protocol, SERVER_SMTP);
    assert_string_equal(server->site->name, "east");
    assert_int_equal(server->smtp_port, 2525);
    assert_int_equal(server->lmtp_port, 2424);
    assert_int_equal(server->submission_port, 2587);
    assert_int_equal(server->imap_port, 2143);
    assert_int_equal(server->pop3_port, 2110);
    assert_int_equal(server->check_count, 2);
    assert_int_equal(server->checks[1].kind, CHECK_IMAP);
    assert_int_equal(server->checks[1].interval_ms, 2000);
    assert_int_equal(server->checks[1].fall, 3);
    assert_int_equal(server->checks[1].rise, 1);
    const struct config_failover *failover = &server->failover;
    assert_int_equal(failover->mode, FAILOVER_AUTOMATIC);
    assert_int_equal(failover->attempts, 3);
    assert_int_equal(failover->after_ms, 2000);
    assert_int_equal(failover->standby_count, 0);
    assert_int_equal(failover->create_count, 2);
    assert_true(failover->create[0].address_same);
    assert_string_equal(failover->create[0].fence, "process");
    assert_false(failover->create[1].address_same);
    assert_addr(&failover->create[1].address, "127.2.0.10:0");
    assert_string_equal(failover->create[1].site->name, "west");
    assert_string_equal(failover->create[1].provisioner, "process");
    assert_string_equal(failover->create[1].fence, "epoch");
    assert_int_equal(failover->create[1].timeout_ms, 30000);
}

static void the_two_site_network(void **state)
{
    (void)state;
    struct config *c = load(SOURCE_ROOT "/examples/two-site.conf", "/var/lib/holdfast");
    assert_string_equal(c->path, SOURCE_ROOT "/examples/two-site.conf");
    assert_string_equal(c->dir, SOURCE_ROOT "/examples");
    assert_int_equal(c->store_engine, STORE_SQLITE);
    assert_string_equal(c->store_url, "sqlite:store");
    assert_string_equal(c->store_path, "/var/lib/holdfast/store");
    assert_string_equal(c->users_file, SOURCE_ROOT "/examples/example.test.users");
    assert_string_equal(c->user, "");
    assert_int_equal(c->lease_ms, 2500);
    two_site_nodes(c);
    two_site_addresses(c);
    two_site_server(c);
    assert_string_equal(c->zones[0].name, "example.test");
    assert_string_equal(c->zones[0].file, SOURCE_ROOT "/examples/example.test.zone");
    assert_int_equal(c->zones[0].ttl_ms, 15000);
    const struct config_domain *domain = config_domain_find(c, STR("EXAMPLE.test"));
    assert_ptr_equal(domain->server, config_server_find(c, "mail1"));
    assert_int_equal(domain->relay_count, 2);
    assert_string_equal(domain->relays[1]->name, "relay-west");
    assert_int_equal(domain->recipients, RECIPIENTS_DIRECTORY);
    assert_string_equal(domain->recipients_file, "");
    assert_int_equal(domain->unknown, UNKNOWN_DEFER);
    assert_int_equal(domain->verify_negative_refresh_ms, 10 * 60 * 1000);
    config_free(c);
}

static void the_backup_mx(void **state)
{
    (void)state;
    struct config *c = load(SOURCE_ROOT "/examples/backup-mx.conf", "/var/lib/holdfast");
    const struct config_server *server = config_server_find(c, "mail1");
    assert_int_equal(server->kind, SERVER_EXTERNAL);
    assert_int_equal(server->smtp_port, 2600);
    assert_int_equal(server->failover.mode, FAILOVER_MANUAL);
    assert_int_equal(c->domains[0].recipients, RECIPIENTS_ANY);
    assert_string_equal(c->zones[0].file, "");
    assert_null(config_server_find(c, "mail2"));
    assert_null(config_relay_find(c, "mail1"));
    assert_null(config_web_of_node(c, &c->nodes[0]));
    assert_null(config_domain_find(c, STR("example.org")));
    config_free(c);
}

static struct config *parse(const char *text)
{
    struct config *c = NULL;
    struct config_findings f;
    assert_ok(config_parse(str_from(text), "/etc/holdfast/test.conf", "/var/lib/holdfast", &c, &f));
    config_findings_free(&f);
    return c;
}

/* Of a network whose second relay keeps mail for longer. */
static void custody_outlives_what_may_come_again(void **state)
{
    static const struct {
        const char *keys;
        int days;
    } cases[] = {{"expire = \"20d\" safety_net = \"9d\"", 30},
                 {"expire = \"20d\" safety_net = \"10d\"", 31},
                 {"expire = \"90d\" safety_net = \"90d\"", 181}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *c = NULL;
        struct config_findings f;
        char *text =
            mem_asprintf("%s node \"n2\" { site = \"s\" roles = {\"relay\"} } relay \"r2\" { node = \"n2\" "
                         "hostname = \"r2.test\" address = {\"127.0.0.5\"} listen = {\"127.0.0.5:25\"} %s }",
                         NETWORK, cases[i].keys);
        assert_ok(config_parse(str_from(text), "/etc/holdfast/test.conf", "/var/lib/holdfast", &c, &f));
        for (size_t j = 0; j < 2; j++)
            assert_int_equal(c->relays[j].custody_age_ms, cases[i].days * 24 * 3600 * 1000LL);
        config_free(c);
        config_findings_free(&f);
        free(text);
    }
}

static void names_are_kept_in_lower_case(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK "zone \"EXAMPLE.Test.\" { } domain \"Example.TEST\" { server = \"m\" }");
    assert_string_equal(c->zones[0].name, "example.test");
    assert_string_equal(c->domains[0].name, "example.test");
    assert_int_equal(c->domains[0].relay_count, 0);
    config_free(c);
}

static void a_server_without_checks_gets_one_of_its_protocol(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK);
    assert_int_equal(c->servers[0].check_count, 1);
    assert_int_equal(c->servers[0].checks[0].kind, CHECK_SMTP);
    assert_int_equal(c->servers[0].checks[0].interval_ms, 1000);
    assert_int_equal(c->servers[0].checks[0].fall, 3);
    config_free(c);
    c = parse(SITE NODE DNS RELAY "server \"m\" { " SERVER_KEYS "protocol = \"lmtp\" lmtp_port = 24 }");
    assert_int_equal(c->servers[0].check_count, 1);
    assert_int_equal(c->servers[0].checks[0].kind, CHECK_LMTP);
    config_free(c);
}

static void paths_are_absolute(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK "users { file = \"/abs/users\" } store { url = \"sqlite:/srv/mail\" }\n"
                                     "zone \"t\" { file = \"zones/t\" }");
    assert_string_equal(c->users_file, "/abs/users");
    assert_string_equal(c->store_path, "/srv/mail");
    assert_string_equal(c->zones[0].file, "/etc/holdfast/zones/t");
    config_free(c);
}

static void relative_arguments_are_below_the_working_directory(void **state)
{
    (void)state;
    struct config *c;
    struct config_findings f;
    char *cwd = getcwd(NULL, 0);
    char *path = mem_asprintf("%s/sub/h.conf", cwd), *dir = mem_asprintf("%s/sub", cwd);
    char *store = mem_asprintf("%s/state/store", cwd);
    assert_ok(config_parse(STR(NETWORK), "sub/h.conf", "state", &c, &f));
    assert_string_equal(c->path, path);
    assert_string_equal(c->dir, dir);
    assert_string_equal(c->store_path, store);
    config_free(c);
    config_findings_free(&f);
    assert_ok(config_parse(STR(NETWORK), "/h.conf", "/", &c, &f));
    assert_string_equal(c->dir, "/");
    assert_string_equal(c->store_path, "/store");
    config_free(c);
    config_findings_free(&f);
    free(store);
    free(dir);
    free(path);
    free(cwd);
}

static void the_memory_store(void **state)
{
    (void)state;
    struct config *c = parse(NETWORK "store { url = \"memory:\" } system { user = \"holdfast\" }");
    assert_int_equal(c->store_engine, STORE_MEMORY);
    assert_string_equal(c->store_path, "");
    assert_string_equal(c->user, "holdfast");
    config_free(c);
}

static void the_postgresql_store(void **state)
{
    (void)state;
    struct config *c = parse(
        NETWORK
        "store { url = \"postgresql://hf@/holdfast\" durability = \"local\" password_file = \"secret\" }\n"
        "node \"b\" { site = \"s\" roles = {\"director\"} host = \"h2\" }");
    assert_int_equal(c->store_engine, STORE_POSTGRESQL);
    assert_string_equal(c->store_url, "postgresql://hf@/holdfast");
    assert_string_equal(c->store_path, "");
    assert_string_equal(c->store_password_file, "/etc/holdfast/secret");
    config_free(c);
    c = parse(NETWORK);
    assert_string_equal(c->store_password_file, "");
    config_free(c);
}

static void a_file_that_cannot_be_read(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct config_findings f;
    assert_err(config_load("/nonexistent/h.conf", "/s", &c, &f), ERR_NOT_FOUND);
    assert_null(c);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.items[0].line, 0);
    assert_string_equal(f.items[0].text,
                        "cannot be read: No such file or directory; name another file with -c");
    config_findings_free(&f);
    assert_err(config_load("/", "/s", &c, &f), ERR_IO);
    assert_string_equal(f.items[0].text, "cannot be read: Is a directory; name another file with -c");
    config_findings_free(&f);
}

static void a_file_without_end_is_refused(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct config_findings f;
    assert_err(config_load("/dev/zero", "/s", &c, &f), ERR_INVALID);
    assert_string_equal(f.items[0].text, "the file is larger than 1048576 bytes");
    config_findings_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_site_network),
        cmocka_unit_test(the_backup_mx),
        cmocka_unit_test(custody_outlives_what_may_come_again),
        cmocka_unit_test(names_are_kept_in_lower_case),
        cmocka_unit_test(a_server_without_checks_gets_one_of_its_protocol),
        cmocka_unit_test(paths_are_absolute),
        cmocka_unit_test(relative_arguments_are_below_the_working_directory),
        cmocka_unit_test(the_memory_store),
        cmocka_unit_test(the_postgresql_store),
        cmocka_unit_test(a_file_that_cannot_be_read),
        cmocka_unit_test(a_file_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
