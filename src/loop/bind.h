/* Binding a socket without a loop: for servers that bind before they drop their
 * privileges, and for loop_listen itself. */
#ifndef HOLDFAST_LOOP_BIND_H
#define HOLDFAST_LOOP_BIND_H

#include "base/addr.h"
#include "base/err.h"

enum loop_transport { LOOP_TCP, LOOP_UDP };

/* A non-blocking, close-on-exec socket bound to `at` (IPv6 sockets take IPv6
 * only), not yet listening. TCP has SO_REUSEADDR, so that a restart need not
 * wait for old connections; none has SO_REUSEPORT, so that a port in use is
 * found out. The caller owns *ret_fd. ERR_BUSY (in use), ERR_DENIED,
 * ERR_UNAVAILABLE (no such address here); eb says address and reason. */
int loop_bind(enum loop_transport transport, const struct addr *at, int *ret_fd, struct err_buf *eb) MUST_USE;

#endif
