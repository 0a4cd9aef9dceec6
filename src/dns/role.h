/* The DNS role of one node: answers for all zones of the configuration, steered
 * by its own probes of servers and relays and by the routes that its caller
 * gives. Needs no store: routes that are not renewed are kept until their lease
 * runs out, then domains are answered with relays.
 *
 * One loop, one thread (UDP threads are its own business). Nothing survives a
 * crash: until routes are set and probes have answered, mail is steered to
 * relays. Every change of an answer is logged, once, in one line. */
#ifndef HOLDFAST_DNS_ROLE_H
#define HOLDFAST_DNS_ROLE_H

#include "base/err.h"
#include "config/config.h"
#include "dns/routes.h"
#include "loop/loop.h"

struct dns_role;

/* Loads the zones and binds the sockets, before privileges are dropped. config,
 * and dns, which is of config, must outlive the role. ERR_BUSY, ERR_DENIED,
 * ERR_UNAVAILABLE: an address cannot be bound; ERR_INVALID, ERR_NOT_FOUND, ...:
 * a zone cannot be loaded (`file:line: text` in eb). */
int dns_role_open(struct loop *l, const struct config *config, const struct config_dns *dns,
                  struct dns_role **ret_role, struct err_buf *eb) MUST_USE;
/* Begins to probe and to answer. Once. ERR_IO: no thread or no listener. */
int dns_role_start(struct dns_role *r, struct err_buf *eb) MUST_USE;

/* The routes as the store has them; copied. To be called after start, on every
 * change of them and to renew valid_until. */
void dns_role_set_routes(struct dns_role *r, const struct dns_routes *routes);

/* The configuration changed in place (config_exchange): reads the zones' files
 * again, and takes the checks' new numbers. On an error (as of open) the old zones
 * go on, and nothing was taken. After start only. */
int dns_role_reload(struct dns_role *r, struct err_buf *eb) MUST_USE;

/* The address bound by UDP and TCP, with its port. */
void dns_role_local(const struct dns_role *r, size_t index, struct addr *ret_addr);

/* Stops answering, frees. NULL is allowed; the loop must still be there. */
void dns_role_free(struct dns_role *r);

#endif
