/* Which recipients the relay takes, by the domain's `recipients` mode. Knows the
 * directory (the store's users) and lists, decides at once, without a lookup;
 * and says when the server or the store is to be asked (relay/verify.h). */
#ifndef HOLDFAST_RELAY_RECIPIENTS_H
#define HOLDFAST_RELAY_RECIPIENTS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "config/config.h"
#include "smtp/reply.h"

struct recipients {
    const struct config *config;
    bool directory_known; /* the users were read at least once */
    struct map directory; /* address, lower case -> &mark */
    struct map lists;     /* domain -> struct map * of addresses */
};

enum recipient_answer {
    RECIPIENT_OURS,
    RECIPIENT_ASK, /* ours if the domain's server says so, or the store, which may have a newer directory */
    RECIPIENT_UNKNOWN,  /* 550 5.1.1 */
    RECIPIENT_ROUTED,   /* its local part says where else it is to go: 550 5.7.1, no open relay */
    RECIPIENT_NOT_OURS, /* no such domain here: 550 5.7.1, no open relay */
    RECIPIENT_NOT_NOW,  /* the directory was never read: 451 4.3.0 */
};

/* Reads the list files of the domains that have one; ERR_NOT_FOUND, ERR_SYNTAX,
 * ERR_LIMIT with file:line in eb. */
int recipients_init(struct recipients *r, const struct config *config, struct err_buf *eb) MUST_USE;
/* The configuration changed in place (config_exchange), or a file did: reads the
 * lists again. On an error (as of init) the old ones go on. */
int recipients_reload(struct recipients *r, struct err_buf *eb) MUST_USE;
/* The file of one domain (recipients = "list") changed. On an error (as of init; ERR_INVALID: no address is
 * left) the old list goes on. ret_count: addresses. */
int recipients_reload_list(struct recipients *r, const struct config_domain *domain, size_t *ret_count,
                           struct err_buf *eb) MUST_USE;
void recipients_fini(struct recipients *r);
/* Whether a list could be read from there; errors as of init. */
int recipients_check_file(const char *path, struct err_buf *eb) MUST_USE;

/* Replaces the directory. */
void recipients_directory_begin(struct recipients *r);
void recipients_directory_add(struct recipients *r, struct str address);
void recipients_directory_end(struct recipients *r);

/* Postmaster without a domain (RFC 5321 4.5.1) is the first domain's; ret_domain names it.
 * local_part as the client said (case-insensitive compare with the directory;
 * a detail after '+' names the same user, RFC 5233), domain in any case.
 * One with an address in it (user%other, other!user, user@other) is nobody's detail, and nobody whom the
 * server is asked about: known exactly, or ROUTED, unless the domain takes such.
 * Postmaster is always ours (RFC 5321 4.5.1). ret_domain is set for OURS
 * and ASK. */
enum recipient_answer recipients_check(const struct recipients *r, struct str local_part, struct str domain,
                                       const struct config_domain **ret_domain);
/* The address is of a domain of ours, whoever that may be. A user may name any reverse-path: what comes back
 * to it is his affair only within the network. */
bool recipients_has_domain_of(const struct recipients *r, struct str address);

/* What RCPT is answered to one that is not taken (UNKNOWN, ROUTED, NOT_OURS, NOT_NOW). */
struct smtp_reply recipients_refusal(enum recipient_answer answer);

#endif
