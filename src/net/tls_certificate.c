#include "net/tls_certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/tls_certificate_impl.h"
#include "net/tls_impl.h"

#define CHAIN_MAX 10 /* certificates between ours and the authority: two or three are usual */

/* A server has no terminal: a key with a pass phrase cannot be read. */
static int no_pass_phrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

static int open_file(const char *file, FILE **ret_stream, struct err_buf *eb)
{
    FILE *stream = fopen(file, "re");
    if (!stream)
        return err_set(eb, err_from_errno(errno), "%s cannot be read: %s", file, strerror(errno));
    *ret_stream = stream;
    return 0;
}

/* A file that is being written, or damaged, must not pass for a shorter one. */
static bool at_its_end(FILE *stream)
{
    unsigned long code = ERR_peek_last_error();
    return !ferror(stream) && ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

/* ERR_NOT_FOUND: not one; ERR_SYNTAX: one is damaged; ERR_LIMIT: too many. */
static int read_chain(FILE *stream, struct tls_certificate *c)
{
    X509 *next = NULL;
    ERR_clear_error();
    c->chain = sk_X509_new_null();
    CHECK(c->chain);
    c->leaf = PEM_read_X509(stream, NULL, no_pass_phrase, NULL);
    while (c->leaf && (next = PEM_read_X509(stream, NULL, no_pass_phrase, NULL)))
        if (sk_X509_push(c->chain, next) > CHAIN_MAX)
            return ERR_LIMIT;
    bool whole = at_its_end(stream);
    ERR_clear_error();
    return !whole ? ERR_SYNTAX : c->leaf ? 0 : ERR_NOT_FOUND;
}

static int load_chain(const char *file, struct tls_certificate *c, struct err_buf *eb)
{
    FILE *stream = NULL;
    int rc = open_file(file, &stream, eb);
    if (rc < 0)
        return rc;
    rc = read_chain(stream, c);
    fclose(stream);
    if (rc == ERR_LIMIT)
        return err_set(eb, rc, "%s holds more than %d certificates", file, CHAIN_MAX + 1);
    if (rc == ERR_SYNTAX)
        return err_set(eb, rc, "%s is damaged or not whole: a certificate in it cannot be read", file);
    return rc == 0 ? 0 : err_set(eb, ERR_SYNTAX, "%s holds no certificate in PEM", file);
}

static int load_key(const char *key_file, struct tls_certificate *c, struct err_buf *eb)
{
    FILE *stream = NULL;
    int rc = open_file(key_file, &stream, eb);
    if (rc < 0)
        return rc;
    c->key = PEM_read_PrivateKey(stream, NULL, no_pass_phrase, NULL);
    fclose(stream);
    ERR_clear_error();
    return c->key ? 0
                  : err_set(eb, ERR_SYNTAX, "%s holds no private key in PEM without a pass phrase", key_file);
}

static int check_pair(const char *file, const char *key_file, const struct tls_certificate *c,
                      struct err_buf *eb)
{
    int fits = X509_check_private_key(c->leaf, c->key);
    ERR_clear_error();
    return fits == 1
               ? 0
               : err_set(eb, ERR_CONFLICT, "%s is not the key of the certificate in %s", key_file, file);
}

/* The library may find it too weak: then no handshake would succeed with it. */
static int check_use(const char *file, const struct tls_certificate *c, struct err_buf *eb)
{
    SSL_CTX *context = tls_context_new(TLS_server_method());
    bool taken = SSL_CTX_use_cert_and_key(context, c->leaf, c->key, c->chain, 0) == 1;
    SSL_CTX_free(context);
    return taken ? 0 : err_set(eb, ERR_SYNTAX, "%s cannot be used: %s", file, tls_error_reason());
}

int tls_certificate_load(const char *file, const char *key_file, struct tls_certificate **ret_certificate,
                         struct err_buf *eb)
{
    struct tls_certificate *c = mem_zalloc(sizeof(*c));
    int rc = load_chain(file, c, eb);
    if (rc == 0)
        rc = load_key(key_file, c, eb);
    if (rc == 0)
        rc = check_pair(file, key_file, c, eb);
    if (rc == 0)
        rc = check_use(file, c, eb);
    if (rc < 0) {
        tls_certificate_free(c);
        return rc;
    }
    *ret_certificate = c;
    return 0;
}

void tls_certificate_free(struct tls_certificate *c)
{
    if (!c)
        return;
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    free(c);
}

bool tls_certificate_is_for(const struct tls_certificate *c, const char *name)
{
    return X509_check_host(c->leaf, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

bool tls_certificate_expired(const struct tls_certificate *c, struct wall_time now)
{
    time_t now_s = (time_t)(now.ms / 1000);
    return X509_cmp_time(X509_get0_notAfter(c->leaf), &now_s) < 0;
}
