#include "net/tls_server.h"

#include <openssl/err.h>
#include <string.h>

#include "base/file_look.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/tls_certificate.h"
#include "net/tls_certificate_impl.h"
#include "net/tls_impl.h"

/* One pair of files, and what was last read from it. */
struct pair {
    char *name, *file, *key_file;
    struct file_state file_state, key_state;
    struct tls_certificate *certificate; /* NULL: none was good yet */
};

struct tls_server {
    struct loop *loop;
    SSL_CTX *context; /* NULL: not needed yet */
    struct loop_timer *timer;
    struct pair *pairs;
    size_t pair_count;
};

/* ---- files ---- */

static void log_read(const struct pair *p, const struct err_buf *eb, int err, struct wall_time now)
{
    if (err)
        log_event(p->certificate ? LOG_WARNING : LOG_ERROR,
                  p->certificate ? "certificate not read, the old one is used"
                                 : "certificate not read, and there is no old one",
                  LOG_TEXT("certificate", p->name), LOG_TEXT("detail", eb->text));
    else if (tls_certificate_expired(p->certificate, now))
        log_event(LOG_WARNING, "certificate read, and it has expired", LOG_TEXT("certificate", p->name),
                  LOG_TEXT("file", p->file));
    else
        log_event(LOG_INFO, "certificate read", LOG_TEXT("certificate", p->name), LOG_TEXT("file", p->file));
}

static void read_pair(struct tls_server *t, struct pair *p)
{
    struct tls_certificate *certificate = NULL;
    struct err_buf eb = {""};
    int err = tls_certificate_load(p->file, p->key_file, &certificate, &eb);
    if (err == 0) {
        tls_certificate_free(p->certificate);
        p->certificate = certificate;
    }
    log_read(p, &eb, err, loop_wall(t->loop));
}

/* Both files at rest, and one of them another. */
static bool pair_changed(struct pair *p)
{
    struct file_look file = file_look_at(p->file), key = file_look_at(p->key_file);
    bool at_rest = file_look_same(&file, &p->file_state.last) && file_look_same(&key, &p->key_state.last);
    bool file_changed = file_state_look(&p->file_state, &file);
    bool key_changed = file_state_look(&p->key_state, &key);
    return at_rest && (file_changed || key_changed);
}

static void on_timer(void *arg)
{
    struct tls_server *t = arg;
    for (size_t i = 0; i < t->pair_count; i++)
        if (pair_changed(&t->pairs[i]))
            read_pair(t, &t->pairs[i]);
    loop_timer_start(t->timer, FILE_LOOK_MS);
}

static void pair_fini(struct pair *p)
{
    free(p->name);
    free(p->file);
    free(p->key_file);
    tls_certificate_free(p->certificate);
}

/* The certificate of that name, out of those that are to go. */
static struct tls_certificate *take_old(struct pair *pairs, size_t count, const char *name)
{
    struct tls_certificate *old = NULL;
    for (size_t i = 0; i < count && !old; i++) {
        if (strcmp(pairs[i].name, name) != 0)
            continue;
        old = pairs[i].certificate;
        pairs[i].certificate = NULL;
    }
    return old;
}

void tls_server_set(struct tls_server *t, struct tls_files *const *files, size_t count)
{
    struct pair *old = t->pairs;
    size_t old_count = t->pair_count;
    t->pairs = mem_calloc(count, sizeof(*t->pairs));
    t->pair_count = count;
    for (size_t i = 0; i < count; i++) {
        struct pair *p = &t->pairs[i];
        *p = (struct pair){.name = mem_strdup(files[i]->name),
                           .file = mem_strdup(files[i]->certificate),
                           .key_file = mem_strdup(files[i]->key),
                           .certificate = take_old(old, old_count, files[i]->name)};
        p->file_state.read = p->file_state.last = file_look_at(p->file);
        p->key_state.read = p->key_state.last = file_look_at(p->key_file);
        read_pair(t, p);
    }
    for (size_t i = 0; i < old_count; i++)
        pair_fini(&old[i]);
    free(old);
    if (count > 0)
        loop_timer_start(t->timer, FILE_LOOK_MS);
    else
        loop_timer_stop(t->timer);
}

/* ---- which of them ---- */

static bool is_for(const struct pair *p, const char *name)
{
    return p->certificate && name && tls_certificate_is_for(p->certificate, name);
}

/* One of a kind (RSA, ECDSA, ...): a second of it is not taken. */
static void use(SSL *ssl, const struct tls_certificate *c)
{
    SSL_use_cert_and_key(ssl, c->leaf, c->key, c->chain, 0);
    ERR_clear_error();
}

static const struct tls_certificate *first_of(const struct tls_server *t)
{
    for (size_t i = 0; i < t->pair_count; i++)
        if (t->pairs[i].certificate)
            return t->pairs[i].certificate;
    return NULL;
}

static int on_certificate_wanted(SSL *ssl, void *arg)
{
    const struct tls_server *t = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    bool found = false;
    for (size_t i = 0; i < t->pair_count; i++) {
        if (!is_for(&t->pairs[i], name))
            continue;
        use(ssl, t->pairs[i].certificate);
        found = true;
    }
    if (!found && first_of(t))
        use(ssl, first_of(t));
    return 1;
}

/* ---- life ---- */

struct tls_server *tls_server_new(struct loop *l, struct tls_files *const *files, size_t count)
{
    struct tls_server *t = mem_zalloc(sizeof(*t));
    t->loop = l;
    t->timer = loop_timer_new(l, on_timer, t);
    tls_server_set(t, files, count);
    return t;
}

void tls_server_free(struct tls_server *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->pair_count; i++)
        pair_fini(&t->pairs[i]);
    free(t->pairs);
    loop_timer_free(t->timer);
    SSL_CTX_free(t->context);
    free(t);
}

bool tls_server_usable(const struct tls_server *t)
{
    return first_of(t) != NULL;
}

static void make_context(struct tls_server *t)
{
    t->context = tls_context_new(TLS_server_method());
    SSL_CTX_set_cert_cb(t->context, on_certificate_wanted, t);
    SSL_CTX_set_options(t->context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
}

struct loop_stream *tls_server_stream(struct tls_server *t, struct loop_stream *under, tls_ready_fn *on_ready,
                                      void *arg)
{
    if (!t->context)
        make_context(t);
    SSL *ssl = tls_session_new(t->context);
    SSL_set_accept_state(ssl);
    return tls_stream_open(t->loop, under, ssl, NULL, NULL, on_ready, arg);
}
