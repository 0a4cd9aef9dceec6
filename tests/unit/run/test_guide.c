#include "run/guide.h"

#include "unit/unit.h"

static struct addr at(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_from(text), &a));
    return a;
}

/* Two sites, as small as they can be. */
static void tells_where_to_send_read_and_kill(void **state)
{
    (void)state;
    struct addr relay = at("127.1.0.2:2525"), server = at("127.1.0.10:0"), dns = at("127.1.0.53:5300");
    struct config_site sites[] = {{"east"}, {"west"}};
    struct config_node nodes[] = {{.name = "east1", .site = &sites[0]}, {.name = "west1", .site = &sites[1]}};
    struct config_relay relays[] = {{.name = "relay-east", .listen = {&relay, 1}}};
    struct config_dns names[] = {{.name = "ns-east", .listen = {&dns, 1}}};
    struct config_server servers[] = {{.name = "mail1",
                                       .kind = SERVER_BUILTIN,
                                       .address = {&server, 1},
                                       .imap_port = 2143,
                                       .pop3_port = 2110}};
    struct config_domain domains[] = {{.name = "example.test"}};
    struct config c = {
        .path = "/etc/two.conf",
        .state_dir = "/var/lib/two",
        .nodes = nodes,
        .node_count = 2,
        .relays = relays,
        .relay_count = 1,
        .dns = names,
        .dns_count = 1,
        .servers = servers,
        .server_count = 1,
        .domains = domains,
        .domain_count = 1,
    };
    const char *const wanted[] = {
        "east1 in east, supervisor's pid 41",
        "west1 in west, supervisor's pid 42",
        "SMTP to 127.1.0.2:2525 (relay-east), for @example.test\n",
        "mail1 at 127.1.0.10: IMAP 2143, POP3 2110",
        "DNS at 127.1.0.53:5300",
        "holdfast status --watch -c /etc/two.conf --state-dir /var/lib/two\n",
        "a server: `kill -9` the pid",
        "Ctrl-C",
    };
    struct buf out;
    buf_init(&out, 1 << 16);
    guide_network(&out, &c, "holdfast", (const pid_t[]){41, 42});
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!strstr(buf_data(&out), wanted[i]))
            fail_msg("no \"%s\" in:\n%s", wanted[i], buf_data(&out));
    buf_clear(&out);
    servers[0].kind = SERVER_EXTERNAL;
    guide_network(&out, &c, "holdfast", (const pid_t[]){41, 42});
    assert_null(strstr(buf_data(&out), "a server: "));
    assert_non_null(strstr(buf_data(&out), "kill    a node"));
    buf_clear(&out);
    guide_node_again(&out, &c, "holdfast", &nodes[0]);
    assert_non_null(
        strstr(buf_data(&out), "\n  holdfast run --node east1 -c /etc/two.conf --state-dir /var/lib/two\n"));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_where_to_send_read_and_kill)};
    return cmocka_run_group_tests_name("run guide", tests, NULL, NULL);
}
