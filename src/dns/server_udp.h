/* The UDP side of the server: threads of their own, each with a socket on every
 * address (SO_REUSEPORT: the kernel spreads the askers), receiving and sending
 * many datagrams a call. For server.c. */
#ifndef HOLDFAST_DNS_SERVER_UDP_H
#define HOLDFAST_DNS_SERVER_UDP_H

#include "base/addr.h"
#include "base/err.h"
#include "dns/snapshot.h"

struct dns_udp;

/* Binds; 1 to DNS_READERS_MAX threads. ERR_BUSY, ERR_DENIED, ERR_UNAVAILABLE
 * with eb as loop_bind gives them. */
int dns_udp_open(const struct addr *addrs, size_t count, size_t threads, struct dns_udp **ret_udp,
                 struct err_buf *eb) MUST_USE;
/* Starts the threads, which use the slots 0 to threads - 1 of current. ERR_IO: no more threads. */
int dns_udp_start(struct dns_udp *u, struct dns_current *current, struct err_buf *eb) MUST_USE;
/* Ends and joins the threads (they wait for nothing but the network), closes. NULL is allowed. */
void dns_udp_free(struct dns_udp *u);

#endif
