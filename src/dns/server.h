/* The server: UDP by threads, TCP on the loop, both answering from the snapshot
 * that was published last. For the DNS role and tests.
 *
 * Opened before privileges are dropped (it binds), started after. One loop; the
 * calls are for its thread. Nothing here survives a crash. */
#ifndef HOLDFAST_DNS_SERVER_H
#define HOLDFAST_DNS_SERVER_H

#include "base/addr.h"
#include "base/err.h"
#include "config/config.h"
#include "dns/snapshot.h"
#include "loop/loop.h"

struct dns_server;

/* Binds UDP and TCP on each address. udp_threads 0: one per core, at most 8.
 * ERR_BUSY, ERR_DENIED, ERR_UNAVAILABLE, with the address in eb. */
int dns_server_open(const struct config_listen *listen, int64_t udp_threads, struct dns_server **ret_server,
                    struct err_buf *eb) MUST_USE;
/* Answers from first (taken in any case) from now on. Once. ERR_IO: no thread or no listener. */
int dns_server_start(struct dns_server *s, struct loop *l, struct dns_snapshot *first,
                     struct err_buf *eb) MUST_USE;
/* Queries that come after the call are answered from next, which is taken. After start only. */
void dns_server_publish(struct dns_server *s, struct dns_snapshot *next);
/* The address bound, with its port. */
void dns_server_local(const struct dns_server *s, size_t index, struct addr *ret_addr);
/* Joins the threads, cuts connections, closes. NULL is allowed. */
void dns_server_free(struct dns_server *s);

#endif
