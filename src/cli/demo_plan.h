/* What the demo plays with, found in the configuration: the domain, its server,
 * the node where it is at home, and the one in another site where it can be
 * created. Pure. */
#ifndef HOLDFAST_CLI_DEMO_PLAN_H
#define HOLDFAST_CLI_DEMO_PLAN_H

#include <stdbool.h>

#include "base/str.h"
#include "config/config.h"

#define DEMO_READER_MAX 320 /* RFC 5321 4.5.3.1: local part and domain */

struct demo_plan {
    const struct config *config;
    const struct config_domain *domain;
    const struct config_server *server;
    const struct config_node *home_node, *away_node;
    const struct config_relay *home_relay, *away_relay;
    struct addr home, away; /* the server's address at home, and created away; port 0 */
    char reader[DEMO_READER_MAX];
    const char *password;
};

/* ERR_UNSUPPORTED: the configuration is no such network; eb says what is
 * missing. The strings of c are kept. */
int demo_plan_make(const struct config *c, struct demo_plan *ret_plan, struct err_buf *eb) MUST_USE;

/* With a port of the server. */
struct addr demo_plan_at(const struct addr *address, int64_t port);
/* The port for mail to a host that DNS names; DNS tells no ports, ours are not
 * 25. 0: no host of the plan. */
uint16_t demo_plan_mail_port(const struct demo_plan *p, struct str hostname);
bool demo_plan_is_server(const struct demo_plan *p, struct str hostname);
/* A number for who took a message: 0 the server, from 1 on the relays in the
 * order of the configuration. And its name. */
unsigned demo_plan_taker(const struct demo_plan *p, struct str hostname);
unsigned demo_plan_relay_taker(const struct demo_plan *p, const struct config_relay *relay);
const char *demo_plan_taker_name(const struct demo_plan *p, unsigned taker);

#endif
