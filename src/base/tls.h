/* TLS as it is configured: what the configuration and net (tls_server.h, tls_client.h) share. */
#ifndef HOLDFAST_BASE_TLS_H
#define HOLDFAST_BASE_TLS_H

/* A certificate of ours, in files of PEM. */
struct tls_files {
    const char *name;        /* of the pair, for the log */
    const char *certificate; /* absolute paths */
    const char *key;
};

/* How a client of ours uses TLS with one server. */
enum tls_policy {
    TLS_NONE,          /* never */
    TLS_OPPORTUNISTIC, /* when offered, with whom ever; else, or when it fails, plain text (RFC 7435) */
    TLS_REQUIRED, /* with the name, proved by a certificate of a trusted authority; else nothing is sent */
    TLS_PINNED,   /* with the owner of a key that is known; else nothing is sent */
};

/* SHA-256 of a key: of the certificate's SubjectPublicKeyInfo in DER (RFC 7469 2.4), so that a certificate
 * can be made anew with the same key. */
#define TLS_PIN_BYTES 32
struct tls_pin {
    unsigned char sha256[TLS_PIN_BYTES];
};

#endif
