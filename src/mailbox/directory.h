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
struct directory_look;

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
/* Looks in the store for one that directory_find does not find: relays may know a user that was added a
 * moment ago, and what they took must not be refused here for good. on_end gets the user as directory_find
 * would tell it (ptr NULL: nobody), or an error of the store; never from inside of this call. NULL: it cannot
 * be an address, and on_end is not called. */
struct directory_look *directory_look(struct directory *d, struct str local_part, struct str domain,
                                      void (*on_end)(void *arg, int err, struct str user), void *arg);
/* Then on_end does not come. NULL is allowed; not after on_end. */
void directory_look_cancel(struct directory_look *look);

/* The verifier of a login name (an address, any case); "" for unknown and
 * disabled users. ret_user (when known): the address in lower case. */
struct str directory_verifier(const struct directory *d, struct str login, struct str *ret_user);

#endif
