/* Runs a server session (smtp/server.h) over an accepted stream: reading with
 * back-pressure, one write for each batch of input, TLS after STARTTLS, the idle
 * timer (of a handshake, too), lingering close. For relay and mailbox. Threads: the loop's. */
#ifndef HOLDFAST_SMTP_SERVER_CONNECTION_H
#define HOLDFAST_SMTP_SERVER_CONNECTION_H

#include "loop/loop.h"
#include "net/admission.h"
#include "smtp/server.h"

struct smtp_server_connection;

/* Takes the stream. slot (NULL: none) has been let in and lives as long; what the session does is told to it,
 * leaving it is the owner's. ops->connect is asked from the loop, not from inside this call.
 * However the session ends, by itself (QUIT, errors, the peer, time) or by a function below, ops->cancel,
 * ops->reset (as open) and ops->closed fire, in this order, and all is freed.
 * options, ops and arg must live until then. */
struct smtp_server_connection *smtp_server_connection_new(struct loop *l, struct loop_stream *stream,
                                                          struct admission_slot *slot,
                                                          const struct smtp_server_options *options,
                                                          const struct smtp_server_ops *ops, void *arg);
/* To answer questions. Valid until ops->closed. */
struct smtp_server *smtp_server_connection_session(struct smtp_server_connection *c);
/* Says goodbye (421), unless it is amid something, and cuts the connection; as
 * smtp_server_connection_free in all else. Waits for nobody. */
void smtp_server_connection_make_room(struct smtp_server_connection *c);
/* Cuts the connection now and frees all: cancel, reset and closed fire from inside. Not from inside a
 * callback of ops. NULL is allowed. */
void smtp_server_connection_free(struct smtp_server_connection *c);

#endif
