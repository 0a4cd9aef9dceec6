/* Certificates for tests, made by the program `openssl` in a folder of their own. */
#ifndef HOLDFAST_TESTS_NET_CERTIFICATES_H
#define HOLDFAST_TESTS_NET_CERTIFICATES_H

struct certificates {
    char folder[64];
};

void certificates_open(struct certificates *c);
void certificates_close(struct certificates *c); /* removes the folder */

/* NAME.pem and NAME.key, self-signed, so that NAME.pem is its own authority. kind: "ec", "rsa" or "weak" (RSA
 * that nobody takes any more); names: of hosts, "DNS:a.test,DNS:b.test". */
void certificates_make(const struct certificates *c, const char *name, const char *kind, const char *names);

/* NAME.pem is signed by the key of ISSUER.pem, which is appended to it. */
void certificates_sign(const struct certificates *c, const char *name, const char *issuer, const char *names);

/* A path in the folder, in memory of its own for each of the last 32 calls. */
const char *certificates_path(const struct certificates *c, const char *file);

#endif
