/* Listening sockets bound early, while the process may, and privileges dropped
 * after that. For the roles' mains. Any thread; no state but the process's. */
#ifndef HOLDFAST_NET_BIND_H
#define HOLDFAST_NET_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/err.h"

/* Binds TCP sockets (not yet listening) for loop_listen_fd, one per address.
 * role and name say in eb who tried: "relay relay-east cannot listen on
 * 127.1.0.2:2525: ...; what to do". On failure none stays open. The caller owns
 * ret_fds[0..count-1]. ERR_BUSY, ERR_DENIED, ERR_UNAVAILABLE. */
int net_bind_listen(const char *role, const char *name, const struct addr *addrs, size_t count, int *ret_fds,
                    struct err_buf *eb) MUST_USE;

/* When the process is root and user is not "": becomes that user with its
 * groups, for good, and still dies with its parent when it was to. Who is not
 * root after that has no capability left; keep_bind: none but
 * CAP_NET_BIND_SERVICE, where it had that, for itself and, as an ambient one,
 * for children that are started with keep_capabilities. Before other threads
 * are started. ERR_NOT_FOUND: no such user; ERR_DENIED. */
int net_drop_privileges(const char *user, bool keep_bind, struct err_buf *eb) MUST_USE;

#endif
