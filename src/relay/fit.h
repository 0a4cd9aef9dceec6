/* Whether a message fits the server that it is for, by what that server said after EHLO when it was last
 * asked (wire/smtp_offers.h): what it cannot take is refused when it comes, not found out when it is
 * delivered. Pure. docs/decisions/0023 says why what is not known is answered as it is, and why 8BITMIME is
 * not asked for. */
#ifndef HOLDFAST_RELAY_FIT_H
#define HOLDFAST_RELAY_FIT_H

#include "relay/clients.h"
#include "relay/envelope.h"
#include "smtp/reply.h"
#include "wire/smtp_offers.h"

/* What RCPT, or the message's end, is answered; code 0: it fits. size_bytes 0: not known. */
struct smtp_reply fit_server(const struct smtp_offers *o, bool smtputf8, uint64_t size_bytes);

/* Which server has a domain's mail now: itself, or the standby that serves it. */
struct fit_servers {
    const struct clients *clients;
    const struct config_server *(*server_of)(void *arg, const struct config_domain *domain);
    void *arg;
};

#define FIT_TEXT_MAX 512

/* The same of a domain's server, and of all that the message is for: the first that it does not fit is named,
 * in text, for it cannot be refused alone any more. What a relay adds to it on its way is counted in where
 * the server is not one of ours, which grants it. */
struct smtp_reply fit_domain(const struct fit_servers *f, const struct config_domain *domain, bool smtputf8,
                             uint64_t size_bytes);
struct smtp_reply fit_envelope(const struct fit_servers *f, const struct envelope *e, bool smtputf8,
                               uint64_t size_bytes, char text[FIT_TEXT_MAX]);

#endif
