/* Connects and runs a client session (smtp/client.h) over the stream: writing
 * in bulk with back-pressure, deadlines, TLS, close. Where plain text will do, a
 * handshake that failed means a second connection, without it. For the relay's delivery and
 * for probes. Threads: the loop's. */
#ifndef HOLDFAST_SMTP_CLIENT_CONNECTION_H
#define HOLDFAST_SMTP_CLIENT_CONNECTION_H

#include "base/addr.h"
#include "loop/loop.h"
#include "smtp/client.h"

struct smtp_client_connection;

/* No callback fires from inside this call. A failure to connect is told by
 * ops->end (SMTP_END_CONNECT). from may be NULL. After ops->end the stream is
 * closed; the connection stays allocated until it is freed. */
struct smtp_client_connection *smtp_client_connection_new(struct loop *l, const struct addr *to,
                                                          const struct addr *from, int64_t connect_timeout_ms,
                                                          const struct smtp_client_options *options,
                                                          const struct smtp_client_ops *ops, void *arg);
/* To send messages. Valid until the connection is freed. */
struct smtp_client *smtp_client_connection_session(struct smtp_client_connection *c);
/* Cuts what is open; no callback fires. Allowed inside a callback of ops, ops->end
 * included. NULL is allowed. */
void smtp_client_connection_free(struct smtp_client_connection *c);

#endif
