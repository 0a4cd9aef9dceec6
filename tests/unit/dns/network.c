#include "network.h"

#include <string.h>

struct config_listen network_listen(struct network *n, const char *text)
{
    struct addr *a = &n->addresses[n->address_count++];
    CHECK(n->address_count <= ARRAY_LEN(n->addresses));
    CHECK(addr_parse(str_from(text), a) == 0 || addr_parse_ip(str_from(text), 0, a) == 0);
    return (struct config_listen){a, 1};
}

static void init_sites(struct network *n)
{
    n->sites[0] = (struct config_site){.name = "east"};
    n->sites[1] = (struct config_site){.name = "west"};
    n->nodes[0] = (struct config_node){.name = "east1", .site = &n->sites[0], .roles = ROLE_DNS, .host = ""};
    n->nodes[1] = (struct config_node){.name = "west1", .site = &n->sites[1], .roles = ROLE_DNS, .host = ""};
    n->dns[0] =
        (struct config_dns){.name = "ns-east", .node = &n->nodes[0], .hostname = "ns-east.example.test"};
    n->dns[1] =
        (struct config_dns){.name = "ns-west", .node = &n->nodes[1], .hostname = "ns-west.example.test"};
    n->dns[0].address = network_listen(n, "127.1.0.53");
    n->dns[1].address = network_listen(n, "127.2.0.53");
    n->dns[0].listen = network_listen(n, "127.0.0.1:0");
    n->dns[1].listen = network_listen(n, "127.0.0.1:0");
    n->dns[0].udp_threads = n->dns[1].udp_threads = 2;
}

static void init_mail(struct network *n)
{
    n->relays[0] = (struct config_relay){
        .name = "relay-east", .node = &n->nodes[0], .hostname = "relay-east.example.test"};
    n->relays[1] = (struct config_relay){
        .name = "relay-west", .node = &n->nodes[1], .hostname = "relay-west.example.test"};
    n->relays[0].address = network_listen(n, "127.1.0.2");
    n->relays[1].address = network_listen(n, "127.2.0.2");
    n->relays[0].listen = network_listen(n, "127.1.0.2:2525");
    n->relays[1].listen = network_listen(n, "127.2.0.2:2525");
    n->check = (struct config_check){
        .kind = CHECK_SMTP, .interval_ms = 20, .timeout_ms = 2000, .fall = 2, .rise = 2, .command = ""};
    n->servers[0] = (struct config_server){.name = "mail1",
                                           .kind = SERVER_BUILTIN,
                                           .site = &n->sites[0],
                                           .hostname = "mail1.example.test",
                                           .smtp_port = 2525,
                                           .imap_port = 2143};
    n->servers[1] = (struct config_server){.name = "mail2",
                                           .kind = SERVER_EXTERNAL,
                                           .site = &n->sites[1],
                                           .hostname = "mail2.example.test",
                                           .smtp_port = 2525};
    n->servers[0].address = network_listen(n, "127.1.0.10");
    n->servers[1].address = network_listen(n, "::1");
    n->servers[0].checks = n->servers[1].checks = &n->check;
    n->servers[0].check_count = n->servers[1].check_count = 1;
}

void network_init(struct network *n)
{
    memset(n, 0, sizeof(*n));
    init_sites(n);
    init_mail(n);
    n->domain_relays[0] = &n->relays[0];
    n->domain_relays[1] = &n->relays[1];
    n->domains[0] = (struct config_domain){
        .name = "example.test", .server = &n->servers[0], .relays = n->domain_relays, .relay_count = 2};
    n->domains[1] = (struct config_domain){.name = "sub.example.test", .server = &n->servers[1]};
    n->zones[0] = (struct config_zone){.name = "example.test", .file = "", .ttl_ms = 15000};
    n->config = (struct config){.path = "test.conf",
                                .dir = "",
                                .state_dir = "",
                                .sites = n->sites,
                                .site_count = 2,
                                .nodes = n->nodes,
                                .node_count = 2,
                                .dns = n->dns,
                                .dns_count = 2,
                                .zones = n->zones,
                                .zone_count = 1,
                                .relays = n->relays,
                                .relay_count = 2,
                                .domains = n->domains,
                                .domain_count = 2,
                                .servers = n->servers,
                                .server_count = 2};
}
