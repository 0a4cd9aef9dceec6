/* TLS as the client: what must hold with one server (base/tls.h), and the streams to it. For
 * deliveries.
 *
 * Threads: the loop's. Nothing here survives a crash. */
#ifndef HOLDFAST_NET_TLS_CLIENT_H
#define HOLDFAST_NET_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/tls.h"
#include "net/tls_stream.h"

struct tls_client;

struct tls_client_options {
    enum tls_policy policy;
    const char *name;           /* the server's: told to it (SNI), and proved by it where TLS_REQUIRED */
    const char *ca_file;        /* TLS_REQUIRED: authorities in PEM; NULL or "": those of the system */
    const struct tls_pin *pins; /* TLS_PINNED: one of them is its key's; copied */
    size_t pin_count;
};

/* Its policy is TLS_NONE until tls_client_set. */
struct tls_client *tls_client_new(struct loop *l);
/* For streams made from now on, and those whose handshake is under way; what options point to is copied. An
 * error (ERR_NOT_FOUND, ERR_DENIED, ERR_SYNTAX: the authorities cannot be read; eb says it) changes nothing
 * where it was TLS_REQUIRED before; else it is now, and trusts nobody. */
int tls_client_set(struct tls_client *t, const struct tls_client_options *options,
                   struct err_buf *eb) MUST_USE;
/* Its streams must be gone. NULL is allowed. */
void tls_client_free(struct tls_client *t);

enum tls_policy tls_client_policy(const struct tls_client *t); /* NULL: TLS_NONE */
/* Whether the file holds authorities, for check-config. Errors as tls_client_set. */
int tls_client_check_authorities(const char *ca_file, struct err_buf *eb) MUST_USE;

/* A handshake with `to` got no answer in time: nothing is tried with it for minutes, where plain text will
 * do, so that not every session waits as long. Forgotten by tls_client_set. */
void tls_client_note_mute(struct tls_client *t, const struct addr *to);
bool tls_client_is_mute(const struct tls_client *t, const struct addr *to); /* t NULL: false */

/* Takes the stream; the handshake begins. With TLS_OPPORTUNISTIC any certificate will do. See tls_stream.h.
 */
struct loop_stream *tls_client_stream(struct tls_client *t, struct loop_stream *under, tls_ready_fn *on_ready,
                                      void *arg) MUST_USE;

#endif
