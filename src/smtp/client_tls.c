/* A client session's way into TLS (RFC 3207), as the policy for the server has it. */
#include "net/tls_client.h"
#include "smtp/client_machine.h"

static bool plain_text_will_do(const struct smtp_client *c)
{
    enum tls_policy policy = tls_client_policy(c->options->tls);
    return policy == TLS_NONE || policy == TLS_OPPORTUNISTIC;
}

void client_greeted_or_tls(struct smtp_client *c)
{
    bool plain = tls_client_policy(c->options->tls) == TLS_NONE || (c->tls_given_up && plain_text_will_do(c));
    if (c->tls_active || plain) {
        client_ready_or_prove(c);
    } else if (c->tls_offered) {
        client_command(c, "STARTTLS");
        c->state = CLIENT_STARTTLS;
    } else if (plain_text_will_do(c)) {
        client_ready_or_prove(c);
    } else {
        client_refused(c, SMTP_END_TLS, NULL, "the server does not offer STARTTLS, which is required");
    }
}

void client_starttls_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code == 220) {
        c->state = CLIENT_TLS;
    } else if (plain_text_will_do(c)) {
        c->tls_given_up = true;
        client_ready_or_prove(c);
    } else {
        client_refused(c, SMTP_END_TLS, r, "the server refused STARTTLS, which is required");
    }
}
