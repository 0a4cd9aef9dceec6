/* The configuration of the rig's network. */
#include "base/mem.h"
#include "rig_parts.h"
#include "unit/unit.h"

static struct config_site sites[] = {{"east"}, {"west"}};
static struct config_node nodes[] = {
    {.name = "east1",
     .site = &sites[0],
     .roles = ROLE_DNS | ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX,
     .host = ""},
    {.name = "west1",
     .site = &sites[1],
     .roles = ROLE_DNS | ROLE_RELAY | ROLE_DIRECTOR | ROLE_MAILBOX,
     .host = ""},
};
static struct config_relay relays[] = {
    {.name = "relay-east", .node = &nodes[0]},
    {.name = "relay-west", .node = &nodes[1]},
};

struct owned_config {
    struct addr addresses[RIG_SERVERS];
    struct config_create create[2];
    struct config_server servers[RIG_SERVERS];
    struct config_server *standby[1];
    struct config_domain domains[RIG_SERVERS];
};

struct addr rig_ip(const char *text)
{
    struct addr a;
    assert_ok(addr_parse_ip(str_from(text), 0, &a));
    return a;
}

int rig_server_find(const struct rig *r, const char *name)
{
    const struct config_server *s = config_server_find(&r->config, name);
    assert_non_null(s);
    return (int)(s - r->config.servers);
}

static struct config_server server(const char *name, const char *hostname, struct config_site *site,
                                   struct addr *address)
{
    return (struct config_server){.name = name,
                                  .kind = SERVER_BUILTIN,
                                  .site = site,
                                  .hostname = hostname,
                                  .address = {address, 1},
                                  .smtp_port = 25,
                                  .lmtp_port = 24,
                                  .imap_port = 143,
                                  .pop3_port = 110};
}

static void make_create(struct config_create create[2])
{
    create[0] = (struct config_create){.site = &sites[0],
                                       .address_same = true,
                                       .provisioner = "process",
                                       .fence = "process",
                                       .timeout_ms = 5000};
    create[1] = (struct config_create){.site = &sites[1],
                                       .address = rig_ip("127.2.0.10"),
                                       .provisioner = "process",
                                       .fence = "epoch",
                                       .timeout_ms = 5000};
}

static struct owned_config *make_owned(bool standby)
{
    struct owned_config *o = mem_zalloc(sizeof(*o));
    o->addresses[RIG_MAIL1] = rig_ip("127.1.0.10");
    o->addresses[RIG_MAIL2] = rig_ip("127.2.0.20");
    make_create(o->create);
    o->servers[RIG_MAIL1] = server("mail1", "mail1.example.test", &sites[0], &o->addresses[RIG_MAIL1]);
    o->servers[RIG_MAIL2] = server("mail2", "mail2.example.test", &sites[1], &o->addresses[RIG_MAIL2]);
    o->standby[0] = &o->servers[RIG_MAIL2];
    o->servers[RIG_MAIL1].failover = (struct config_failover){.mode = FAILOVER_AUTOMATIC,
                                                              .standby = o->standby,
                                                              .standby_count = standby ? 1 : 0,
                                                              .create = o->create,
                                                              .create_count = 2};
    o->servers[RIG_MAIL2].failover.mode = FAILOVER_MANUAL;
    o->domains[RIG_MAIL1] = (struct config_domain){.name = "example.test", .server = &o->servers[RIG_MAIL1]};
    o->domains[RIG_MAIL2] = (struct config_domain){.name = "example.org", .server = &o->servers[RIG_MAIL2]};
    return o;
}

void rig_config_make(struct rig *r, bool standby)
{
    struct owned_config *o = make_owned(standby);
    r->config = (struct config){
        .path = "/sim/holdfast.conf",
        .dir = "/sim",
        .state_dir = "/sim/state",
        .lease_ms = RIG_LEASE_MS,
        .sites = sites,
        .site_count = 2,
        .nodes = nodes,
        .node_count = RIG_NODES,
        .relays = relays,
        .relay_count = 2,
        .domains = o->domains,
        .domain_count = standby ? 2 : 1,
        .servers = o->servers,
        .server_count = standby ? 2 : 1,
        .owner = o,
    };
    r->server = &o->servers[RIG_MAIL1];
}
