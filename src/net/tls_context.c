/* What both sides hold to. */
#include <openssl/buffer.h>
#include <openssl/err.h>

#include "base/check.h"
#include "net/tls_impl.h"

#define CERTIFICATES_MAX_BYTES 65536 /* of the peer's chain */
#define BIO_KEEP_BYTES         4096  /* an idle session has two of them */

SSL_CTX *tls_context_new(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);
    CHECK(context);
    CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(context, CERTIFICATES_MAX_BYTES);
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets do it without memory of ours */
    return context;
}

SSL *tls_session_new(SSL_CTX *context)
{
    SSL *ssl = SSL_new(context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    CHECK(ssl && in && out);
    BIO_set_mem_eof_return(in, -1); /* empty is not the end: more may come */
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(ssl, in, out);
    return ssl;
}

/* A BIO in memory never gets smaller by itself. */
void tls_bio_shrink(BIO *bio)
{
    BUF_MEM *memory = NULL;
    BIO_get_mem_ptr(bio, &memory);
    if (BIO_ctrl_pending(bio) > 0 || !memory || memory->max <= BIO_KEEP_BYTES)
        return;
    BUF_MEM *fresh = BUF_MEM_new();
    CHECK(fresh);
    BIO_set_mem_buf(bio, fresh, BIO_CLOSE); /* frees the old one */
}

const char *tls_error_reason(void)
{
    unsigned long code = ERR_get_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason ? reason : "no reason given";
}
