#include "net/tls_client.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/tls_impl.h"

#define KEY_MAX_BYTES 65536 /* of a SubjectPublicKeyInfo: the certificate came in such a bound */

#define MUTE_MS   (10 * 60 * 1000) /* what is in the way may be mended; one wait in so long is bearable */
#define MUTES_MAX 32               /* addresses; the oldest is forgotten: outside there are many */

struct mute {
    struct addr to;
    struct mono_time until;
};

struct tls_client {
    struct loop *loop;
    SSL_CTX *context; /* NULL: not needed yet */
    enum tls_policy policy;
    char *name;
    struct tls_pin *pins;
    size_t pin_count;
    struct mute mutes[MUTES_MAX];
    size_t mute_count; /* all in all: the next one's place is this modulo MUTES_MAX */
};

static int load_authorities(SSL_CTX *context, const char *file, struct err_buf *eb)
{
    if (!file || !file[0]) {
        SSL_CTX_set_default_verify_paths(context);
        return 0;
    }
    if (access(file, R_OK) != 0)
        return err_set(eb, err_from_errno(errno), "%s cannot be read: %s", file, strerror(errno));
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(context, file) == 1)
        return 0;
    return err_set(eb, ERR_SYNTAX, "%s holds no certificates in PEM: %s", file, tls_error_reason());
}

int tls_client_check_authorities(const char *ca_file, struct err_buf *eb)
{
    SSL_CTX *context = tls_context_new(TLS_client_method());
    int err = load_authorities(context, ca_file, eb);
    SSL_CTX_free(context);
    return err;
}

struct tls_client *tls_client_new(struct loop *l)
{
    struct tls_client *t = mem_zalloc(sizeof(*t));
    t->loop = l;
    return t;
}

static void clear(struct tls_client *t)
{
    SSL_CTX_free(t->context); /* streams hold it on */
    free(t->name);
    free(t->pins);
}

static int verifying_context(const char *ca_file, SSL_CTX **ret_context, struct err_buf *eb)
{
    *ret_context = tls_context_new(TLS_client_method());
    SSL_CTX_set_verify(*ret_context, SSL_VERIFY_PEER, NULL);
    return load_authorities(*ret_context, ca_file, eb);
}

int tls_client_set(struct tls_client *t, const struct tls_client_options *options, struct err_buf *eb)
{
    SSL_CTX *context = NULL;
    int err = options->policy == TLS_REQUIRED ? verifying_context(options->ca_file, &context, eb) : 0;
    if (err != 0 && t->policy == TLS_REQUIRED) {
        SSL_CTX_free(context);
        return err;
    }
    clear(t);
    t->policy = options->policy;
    t->name = mem_strdup(options->name);
    t->pins = mem_calloc(options->pin_count, sizeof(*t->pins));
    for (t->pin_count = 0; t->pin_count < options->pin_count; t->pin_count++)
        t->pins[t->pin_count] = options->pins[t->pin_count];
    t->context = context;
    t->mute_count = 0;
    return err;
}

void tls_client_free(struct tls_client *t)
{
    if (!t)
        return;
    clear(t);
    free(t);
}

enum tls_policy tls_client_policy(const struct tls_client *t)
{
    return t ? t->policy : TLS_NONE;
}

void tls_client_note_mute(struct tls_client *t, const struct addr *to)
{
    t->mutes[t->mute_count++ % MUTES_MAX] = (struct mute){*to, mono_add_ms(loop_now(t->loop), MUTE_MS)};
}

bool tls_client_is_mute(const struct tls_client *t, const struct addr *to)
{
    size_t count = t ? t->mute_count : 0;
    for (size_t i = 0; i < count && i < MUTES_MAX; i++)
        if (addr_eq(&t->mutes[i].to, to) && mono_before(loop_now(t->loop), t->mutes[i].until))
            return true;
    return false;
}

static bool pin_of(SSL *ssl, struct tls_pin *ret_pin)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    unsigned char *der = NULL;
    int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : -1;
    if (len > 0 && len <= KEY_MAX_BYTES)
        SHA256(der, (size_t)len, ret_pin->sha256);
    OPENSSL_free(der);
    return len > 0 && len <= KEY_MAX_BYTES;
}

static int check_pins(void *arg, SSL *ssl, struct err_buf *eb)
{
    const struct tls_client *t = arg;
    struct tls_pin pin;
    if (!pin_of(ssl, &pin))
        return err_set(eb, ERR_REFUSED, "the peer has no certificate");
    for (size_t i = 0; i < t->pin_count; i++)
        if (memcmp(t->pins[i].sha256, pin.sha256, TLS_PIN_BYTES) == 0)
            return 0;
    return err_set(eb, ERR_REFUSED, "the peer's key is none of those that are pinned");
}

/* No other clock than the loop's judges how old a certificate is. */
static void verify_by(SSL *ssl, const char *name, struct wall_time now)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_time(param, (time_t)(now.ms / 1000));
    CHECK(SSL_set1_host(ssl, name) == 1);
}

struct loop_stream *tls_client_stream(struct tls_client *t, struct loop_stream *under, tls_ready_fn *on_ready,
                                      void *arg)
{
    if (!t->context)
        t->context = tls_context_new(TLS_client_method());
    SSL *ssl = tls_session_new(t->context);
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, t->name);
    if (t->policy == TLS_REQUIRED)
        verify_by(ssl, t->name, loop_wall(t->loop));
    ERR_clear_error();
    return tls_stream_open(t->loop, under, ssl, t->policy == TLS_PINNED ? check_pins : NULL, t, on_ready,
                           arg);
}
