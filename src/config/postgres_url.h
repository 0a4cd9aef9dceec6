/* What a configuration may say of a PostgreSQL store: a URI as libpq reads it, with one host or several, of
 * which the writable one is used. What would leak a secret, or weaken what a `250` stands for, is refused
 * here, before anybody connects; what libpq and the servers say comes later. Pure. */
#ifndef HOLDFAST_CONFIG_POSTGRES_URL_H
#define HOLDFAST_CONFIG_POSTGRES_URL_H

#include "base/err.h"

/* What a URI leads to; functions may be NULL. Texts are decoded, and live while the function runs. */
struct postgres_url_visitor {
    /* Each server that it names by host and port, in its order, but sockets of this machine; none, where
     * parameters say hosts or ports. port: "5432" where it says none. */
    void (*on_server)(void *arg, const char *host, const char *port);
    void (*on_file)(void *arg, const char *parameter, const char *path); /* sslrootcert and the like */
    void *arg;
};

/* url: "postgresql://[USER@]HOST[:PORT][,...]/DATABASE[?PARAMETER=VALUE[&...]]", whatever its file holds.
 * ERR_INVALID: it is none, it has a password in it, hosts off this machine that it does not verify
 * (sslmode=verify-full), or a parameter that is not for it; eb has a sentence that goes on from "url ",
 * without a word of a password. */
int postgres_url_check(const char *url, struct err_buf *eb) MUST_USE;

/* Of one that was checked. */
void postgres_url_visit(const char *url, const struct postgres_url_visitor *v);

#endif
