/* TLS as the server: the certificates of one role, and the streams that use them. The client's word of the
 * host that it wants (SNI) chooses the certificate: the first that is for that name; more than one when they
 * are of different kinds (RSA and ECDSA); the first of all when none is, or when it named none.
 *
 * The files are read when it is made, by tls_server_set, and soon after they have changed (base/file_look.h).
 * What cannot be read leaves the old one in use; each reading is logged here. Sessions that are open go on
 * with what they have.
 *
 * Threads: the loop's. Nothing here survives a crash, tickets of sessions neither. */
#ifndef HOLDFAST_NET_TLS_SERVER_H
#define HOLDFAST_NET_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/tls.h"
#include "net/tls_stream.h"

struct tls_server;

/* What files point to is copied, as tls_server_set does. */
struct tls_server *tls_server_new(struct loop *l, struct tls_files *const *files, size_t count);
/* Its streams must be gone. NULL is allowed. */
void tls_server_free(struct tls_server *t);

/* Reads all of them now (a reload). One of a name that it has keeps the old certificate when it cannot be
 * read. */
void tls_server_set(struct tls_server *t, struct tls_files *const *files, size_t count);

/* Whether it has a certificate at all: only then TLS may be offered. */
bool tls_server_usable(const struct tls_server *t);

/* Takes the stream; the client's handshake is awaited. What the client sent before, and was not read, is
 * taken for a part of it, and so refused. See tls_stream.h. */
struct loop_stream *tls_server_stream(struct tls_server *t, struct loop_stream *under, tls_ready_fn *on_ready,
                                      void *arg) MUST_USE;

#endif
