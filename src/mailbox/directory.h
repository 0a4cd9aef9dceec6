/* The users of the network, kept up to date from its records: who gets mail
 * here, and with which verifier they log in. */
#ifndef HOLDFAST_MAILBOX_DIRECTORY_H
#define HOLDFAST_MAILBOX_DIRECTORY_H

#include <stdbool.h>

#include "base/str.h"
#include "config/config.h"
#include "store/network.h"
#include "store/view.h"

struct directory;

/* The users of the domains that server has by the configuration (directory_has_domain). */
struct directory *directory_new(struct network *n, const struct config *config,
                                const struct config_server *server);
void directory_free(struct directory *d);
/* The network changed: reads the users again when their revision did. */
void directory_on_view(struct directory *d, const struct view *v);
/* It was read at least once. */
bool directory_known(const struct directory *d);

/* The server is the domain's home, or a standby of it, which has the same
 * mailboxes and may have to take the domain's mail at any time. */
bool directory_has_domain(const struct directory *d, const struct config_domain *domain);

/* The user that gets mail for local_part@domain: itself, or without a +detail
 * (RFC 5233); in lower case, valid until the directory changes. ptr NULL: nobody.
 * Postmaster is always somebody (RFC 5321 4.5.1): whom the configuration names for
 * the domain, if he is there, else postmaster@domain, whose mail waits for a user of
 * that name. Without a domain: of the server's first one. */
struct str directory_find(const struct directory *d, struct str local_part, struct str domain);
/* The verifier of a login name (an address, any case); "" for unknown and
 * disabled users. ret_user (when known): the address in lower case. */
struct str directory_verifier(const struct directory *d, struct str login, struct str *ret_user);

#endif
