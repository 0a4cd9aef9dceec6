/* Steering: which mail exchangers a domain has, by the states of its server
 * and relays. Pure. For the DNS role, and for whoever shows what DNS answers.
 *
 *   operational, suspect            the instance's host, then the living relays
 *   recovering, unknown             the living relays, then the host
 *   inoperable, fenced, creating,
 *   retired, route lease run out    the living relays
 *
 * A dead relay is left out. When nothing would be left, all relays are named
 * with the host last: a wrong try costs less than none. Unknown is what a
 * process that has just started sees: mail to a relay is never wrong. */
#ifndef HOLDFAST_DNS_STEERING_H
#define HOLDFAST_DNS_STEERING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "config/config.h"
#include "health/words.h"

#define DNS_ADDRESSES_MAX 8  /* of one host: a handful of each family */
#define DNS_HOSTS_MAX     32 /* exchangers of one domain; more do not fit into 512 bytes with their names */

/* A server as DNS sees it: its word, overruled by its route. */
struct dns_view_server {
    enum health_state state;
    bool leased;                              /* a route is known and its lease runs */
    struct addr addresses[DNS_ADDRESSES_MAX]; /* of the current instance; ports are not looked at */
    size_t address_count;
};

/* The states that answers depend on; arrays go with those of the config. */
struct dns_view {
    struct dns_view_server *servers;
    enum health_state *relays;
    size_t *domain_servers; /* index of the server that has each domain's mail now */
};

#define DNS_HOST_SERVER ((size_t)-1)

struct dns_exchangers {
    size_t hosts[DNS_HOSTS_MAX]; /* index into the given relays, or DNS_HOST_SERVER; most preferred first */
    size_t count;
};

bool dns_relay_lives(enum health_state relay);
/* relays: the states of the domain's relays, in its order; beyond
 * DNS_HOSTS_MAX - 1 they are passed over. */
void dns_steer(enum health_state server, bool leased, const enum health_state *relays, size_t relay_count,
               struct dns_exchangers *ret_exchangers);
/* The same for a domain of the config; hosts are indexes into its relays. */
void dns_steer_domain(const struct config *c, const struct dns_view *v, size_t domain,
                      struct dns_exchangers *ret_exchangers);

/* All states unknown, no routes, addresses as configured. To be freed by dns_view_fini. */
void dns_view_init(struct dns_view *v, const struct config *c);
void dns_view_copy(struct dns_view *to, const struct dns_view *from,
                   const struct config *c); /* to is not initialised */
bool dns_view_eq(const struct dns_view *a, const struct dns_view *b, const struct config *c);
void dns_view_fini(struct dns_view *v);

#endif
