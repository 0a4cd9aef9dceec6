/* The inside of a certificate: for tls_certificate.c and tls_server.c only. */
#ifndef HOLDFAST_NET_TLS_CERTIFICATE_IMPL_H
#define HOLDFAST_NET_TLS_CERTIFICATE_IMPL_H

#include <openssl/x509.h>

struct tls_certificate {
    X509 *leaf;
    STACK_OF(X509) * chain; /* without the leaf */
    EVP_PKEY *key;
};

#endif
