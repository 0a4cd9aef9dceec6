/* The inside of TLS: for the files tls_*.c only. */
#ifndef HOLDFAST_NET_TLS_IMPL_H
#define HOLDFAST_NET_TLS_IMPL_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "net/tls_stream.h"

/* Whether the peer is who it must be, once its handshake is done; NULL: anyone. ERR_REFUSED with detail in
 * eb. */
typedef int tls_check_fn(void *arg, SSL *ssl, struct err_buf *eb);

/* Takes ssl, in connect or accept state, and under. The handshake begins. */
struct loop_stream *tls_stream_open(struct loop *l, struct loop_stream *under, SSL *ssl, tls_check_fn *check,
                                    void *check_arg, tls_ready_fn *on_ready, void *arg);

/* What both sides hold to. */
SSL_CTX *tls_context_new(const SSL_METHOD *method);
/* For a new connection; CHECKs that there is memory. */
SSL *tls_session_new(SSL_CTX *context);

/* Gives the memory of an empty one back. */
void tls_bio_shrink(BIO *bio);

/* The first reason that OpenSSL has left in this thread, as text: "no shared cipher"; empties its list. */
const char *tls_error_reason(void);

#endif
