#include "relay/fit.h"

#include <stdio.h>

#define TRACE_BYTES 2048 /* of the Received line that is added: names and an address at their longest */

struct smtp_reply fit_server(const struct smtp_offers *o, bool smtputf8, uint64_t size_bytes)
{
    if (smtputf8 && !o->known)
        return SMTP_REPLY(450, 4, 6, 7, "It is not known yet whether the recipient's server takes SMTPUTF8");
    if (smtputf8 && !o->smtputf8)
        return SMTP_REPLY(553, 5, 6, 7, "The recipient's server does not take SMTPUTF8");
    if (o->known && o->size_max_bytes && size_bytes > o->size_max_bytes)
        return SMTP_REPLY(552, 5, 3, 4, "The message is larger than the recipient's server takes");
    return (struct smtp_reply){.code = 0};
}

struct smtp_reply fit_domain(const struct fit_servers *f, const struct config_domain *domain, bool smtputf8,
                             uint64_t size_bytes)
{
    const struct config_server *server = f->server_of(f->arg, domain);
    if (server->kind == SERVER_EXTERNAL && size_bytes < UINT64_MAX - TRACE_BYTES)
        size_bytes += TRACE_BYTES;
    return fit_server(clients_offers(f->clients, server), smtputf8, size_bytes);
}

struct smtp_reply fit_envelope(const struct fit_servers *f, const struct envelope *e, bool smtputf8,
                               uint64_t size_bytes, char text[FIT_TEXT_MAX])
{
    for (size_t i = 0; i < e->count; i++) {
        struct smtp_reply no = fit_domain(f, e->rcpts[i].domain, smtputf8, size_bytes);
        if (no.code == 0)
            continue;
        snprintf(text, FIT_TEXT_MAX, "%.*s: <%s>", STR_ARG(no.text), e->rcpts[i].address);
        no.text = str_from(text);
        return no;
    }
    return (struct smtp_reply){.code = 0};
}
