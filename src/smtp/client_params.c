/* Parameters of MAIL and RCPT for servers that offer what they belong to: DSN (RFC 3461 5.2.1), and who sent
 * the message (RFC 4954 section 5), for our own parts alone. */
#include "smtp/client_machine.h"
#include "wire/smtp_dsn.h"
#include "wire/xtext.h"

void client_mail_params(const struct smtp_client *c, struct buf *out)
{
    const struct smtp_client_message *m = &c->t.message;
    if (c->dsn)
        smtp_dsn_format_envelope(out, &m->dsn);
    if (c->peer_proved && m->user.len > 0) {
        buf_append_text(out, " AUTH=");
        xtext_encode(out, m->user);
    }
}

void client_rcpt_params(const struct smtp_client *c, size_t index, struct buf *out)
{
    if (c->dsn && c->t.message.requests)
        smtp_dsn_format_request(out, &c->t.message.requests[index]);
}
