/* STARTTLS (RFC 3207), from the command to the end of the handshake, which is the connection's. */
#include <string.h>

#include "smtp/server_machine.h"

void smtp_server_offer_tls(struct smtp_server *s)
{
    CHECK(!s->started);
    s->tls_offered = true;
}

bool server_offers_tls(const struct smtp_server *s)
{
    return s->tls_offered && s->tls[0] == '\0';
}

static void begin(struct smtp_server *s)
{
    server_write(s, &SMTP_REPLY(220, 2, 0, 0, "Ready to start TLS"));
    s->phase = PHASE_TLS;
}

/* What was sent in plain text would count as sent under TLS: somebody on the way may have put it there. */
static void refuse_behind(struct smtp_server *s)
{
    server_write(s, &SMTP_REPLY(554, 5, 5, 0, "Nothing may follow STARTTLS before its reply, closing"));
    server_finish(s);
}

void cmd_starttls(struct smtp_server *s, struct str args)
{
    if (!s->tls_offered)
        server_refuse(s, SMTP_REPLY(502, 5, 5, 1, "STARTTLS is not offered here"));
    else if (s->tls[0])
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "TLS is active already"));
    else if (s->transaction)
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "STARTTLS is not allowed now"));
    else if (args.len > 0)
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "STARTTLS takes no argument"));
    else if (s->behind_bytes > 0)
        refuse_behind(s);
    else
        begin(s);
}

void smtp_server_begin_with_tls(struct smtp_server *s)
{
    CHECK(!s->started);
    s->tls_offered = s->tls_first = true;
}

bool smtp_server_wants_tls(const struct smtp_server *s)
{
    return s->phase == PHASE_TLS;
}

/* RFC 3207 4.2. */
void server_forget_client(struct smtp_server *s)
{
    server_reset(s);
    s->helo[0] = s->user[0] = s->peer_node[0] = '\0';
    s->esmtp = false;
}

void smtp_server_tls_started(struct smtp_server *s, struct str how, struct str channel)
{
    CHECK(s->phase == PHASE_TLS && s->in.len == 0 && how.len > 0);
    CHECK(channel.len == 0 || channel.len == sizeof(s->channel));
    memcpy(s->channel, channel.ptr, channel.len);
    s->has_channel = channel.len > 0;
    how = str_sub(how, 0, sizeof(s->tls) - 1);
    memcpy(s->tls, how.ptr, how.len);
    s->tls[how.len] = '\0';
    server_forget_client(s);
    s->phase = PHASE_COMMAND;
    s->progress++;
    if (s->tls_first)
        server_ask_connect(s);
    s->tls_first = false;
    server_go_on(s);
}

void smtp_server_tls_failed(struct smtp_server *s, const char *detail)
{
    CHECK(s->phase == PHASE_TLS);
    if (s->ops->tls_failed)
        s->ops->tls_failed(s->arg, detail);
    server_finish(s);
}

struct str smtp_server_tls(const struct smtp_server *s)
{
    return str_from(s->tls);
}
