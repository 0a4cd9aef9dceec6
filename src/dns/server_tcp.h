/* The TCP side of the server, on the loop (RFC 7766): queries one after the
 * other or pipelined, answered in order; bounded in connections, idle time and
 * unsent replies. For server.c. */
#ifndef HOLDFAST_DNS_SERVER_TCP_H
#define HOLDFAST_DNS_SERVER_TCP_H

#include "base/addr.h"
#include "base/err.h"
#include "dns/snapshot.h"
#include "loop/loop.h"

#define DNS_TCP_CONNECTIONS_MAX 256   /* then the one idle for longest makes place */
#define DNS_TCP_IDLE_MS         10000 /* since the last query: RFC 7766 6.2.3, "a few seconds" */

struct dns_tcp;

/* Binds. Errors as of loop_bind. */
int dns_tcp_open(const struct addr *addrs, size_t count, struct dns_tcp **ret_tcp,
                 struct err_buf *eb) MUST_USE;
/* The address bound, with its port. */
void dns_tcp_local(const struct dns_tcp *t, size_t index, struct addr *ret_addr);
int dns_tcp_start(struct dns_tcp *t, struct loop *l, struct dns_current *current,
                  struct err_buf *eb) MUST_USE;
void dns_tcp_free(struct dns_tcp *t); /* cuts all connections; NULL is allowed */

#endif
