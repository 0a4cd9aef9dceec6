/* The listening side of a service: any number of addresses, one limit on its
 * connections in all and by client. For roles; knows no protocol.
 * Threads: the loop's. Owns the listening sockets, not the connections. */
#ifndef HOLDFAST_NET_LISTENER_H
#define HOLDFAST_NET_LISTENER_H

#include "base/buf.h"
#include "loop/loop.h"
#include "net/conn.h"
#include "net/quota.h"

#define NET_REFUSAL_MAX 512 /* bytes of a refusal's line (RFC 5321 section 4.5.3.1.5) */

struct net_listener;

struct net_listener_ops {
    /* A connection within the limits. The callee owns c: it sets its ops here,
     * and counts as long as c lives. */
    void (*on_accept)(void *arg, struct net_conn *c, const struct addr *peer);
    /* One beyond them: it is closed after this. A line may be appended to reply
     * (NET_REFUSAL_MAX); under a flood it is not sent. NULL is allowed. */
    void (*on_refuse)(void *arg, enum net_refusal why, const struct addr *peer, struct buf *reply);
};

/* connections_max and per_client_max: 0 is no limit. ops must live as long as
 * the listener. */
struct net_listener *net_listener_new(struct loop *l, size_t connections_max, size_t per_client_max,
                                      const struct net_listener_ops *ops, void *arg);
/* Listens at one more address; errors as loop_listen. */
int net_listener_add(struct net_listener *li, const struct addr *at, struct err_buf *eb) MUST_USE;
/* At a socket bound before (net/bind.h); takes the descriptor. */
int net_listener_add_fd(struct net_listener *li, int fd, struct err_buf *eb) MUST_USE;
/* Leaves new connections in the kernel's backlog, at all addresses, those added
 * later too. */
void net_listener_pause(struct net_listener *li, bool paused);
size_t net_listener_connections(const struct net_listener *li); /* that live now */
/* Connections that were accepted go on. NULL is allowed. */
void net_listener_free(struct net_listener *li);

#endif
