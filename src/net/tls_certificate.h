/* A certificate with its chain and key, from PEM files. For servers (net/tls_server.h), and for check-config.
 * Nothing of it survives a crash. */
#ifndef HOLDFAST_NET_TLS_CERTIFICATE_H
#define HOLDFAST_NET_TLS_CERTIFICATE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/time.h"

struct tls_certificate;

/* file: the certificate, then those between it and the authority, in their order; key_file: its private key,
 * without a pass phrase. ERR_NOT_FOUND, ERR_DENIED, ERR_IO; ERR_SYNTAX (no PEM of that); ERR_CONFLICT (the
 * key is another certificate's): eb names the file and says what is wrong with it. */
int tls_certificate_load(const char *file, const char *key_file, struct tls_certificate **ret_certificate,
                         struct err_buf *eb) MUST_USE;
void tls_certificate_free(struct tls_certificate *c); /* NULL is allowed */

/* Whether it is for that host name, wildcards included (RFC 6125). */
bool tls_certificate_is_for(const struct tls_certificate *c, const char *name);
bool tls_certificate_expired(const struct tls_certificate *c, struct wall_time now);

#endif
