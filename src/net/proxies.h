/* Connections of proxies that the configuration names: each must begin with a header of the PROXY protocol
 * (proxy_header.h), and is its client's from then on, for limits, logs and trace. For who takes connections,
 * before he asks whether a client is let in.
 *
 * A connection that the proxy makes for itself (LOCAL, UNKNOWN) stays the proxy's, and so does one that it
 * says comes from a loopback address, unless the proxy is on this machine: that would be the proxy's own
 * machine, not ours. What is no header closes the connection, with a line in the log; so do five seconds
 * without (the protocol asks for three at least, for a segment that is sent again). One that ends before its
 * first byte is a proxy's look whether we live, and is not told of.
 *
 * Memory and descriptors: PROXIES_WAITING_MAX connections wait at once; beyond it the first that came is
 * closed. Threads: the loop's. Nothing here survives a crash. */
#ifndef HOLDFAST_NET_PROXIES_H
#define HOLDFAST_NET_PROXIES_H

#include "loop/loop.h"
#include "net/log_limit.h"

/* A header comes in the first segment, so that these are connections of the last moment: as many as a
 * listener's backlog holds at once. */
#define PROXIES_WAITING_MAX 512

struct proxies;
typedef void proxy_client_fn(void *arg, struct loop_stream *stream, const struct addr *client);

/* log: NULL, nothing is logged; else it must outlive it. */
struct proxies *proxies_new(struct loop *l, struct log_limit *log);
void proxies_free(struct proxies *p); /* cuts what waits; NULL is allowed */

/* Takes the stream. on_client gets it back, with the client's address, once the header is read; from the
 * loop. protocol: for the log, static. */
void proxies_take(struct proxies *p, struct loop_stream *stream, const struct addr *proxy,
                  const char *protocol, proxy_client_fn *on_client, void *arg);

#endif
