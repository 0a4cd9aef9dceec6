/* The two-site network as structs, for the tests of the DNS role: zone
 * example.test, server mail1, relays relay-east and relay-west, name servers
 * ns-east and ns-west. No file is read; tests may bend the parts. */
#ifndef HOLDFAST_TESTS_DNS_NETWORK_H
#define HOLDFAST_TESTS_DNS_NETWORK_H

#include "config/config.h"

struct network {
    struct config config;
    struct config_site sites[2];
    struct config_node nodes[2];
    struct config_dns dns[2];
    struct config_zone zones[2];
    struct config_relay relays[2];
    struct config_relay *domain_relays[2];
    struct config_domain domains[2];
    struct config_server servers[2];
    struct config_check check;
    struct addr addresses[16];
    size_t address_count;
};

/* mail2 is a standby server of example.test; sub.example.test is a domain whose
 * server is mail2 and that has no relay. */
void network_init(struct network *n);
/* One address, parsed; "ip" or "ip:port". */
struct config_listen network_listen(struct network *n, const char *text);

#endif
