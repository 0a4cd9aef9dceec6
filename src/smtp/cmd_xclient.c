/* XCLIENT (Postfix's XCLIENT_README), from peers that the owner believes: another server that speaks for its
 * client. The session is the client's from then on, and begins anew with the greeting. */
#include "smtp/server_machine.h"

void smtp_server_offer_xclient(struct smtp_server *s)
{
    CHECK(!s->started);
    s->xclient_offered = true;
}

static void ask_owner(struct smtp_server *s)
{
    enum smtp_xclient_addr word = s->xclient_asked.addr_word;
    if (s->ops->client && word != SMTP_XCLIENT_ADDR_UNSAID)
        s->ops->client(s->arg, word == SMTP_XCLIENT_ADDR_KNOWN ? &s->xclient_asked.addr : NULL);
    else
        smtp_server_reply(s, NULL);
}

void cmd_xclient(struct smtp_server *s, struct str args)
{
    s->xclient_asked = s->xclient;
    if (!s->xclient_offered) {
        server_refuse(s, SMTP_REPLY(550, 5, 7, 0, "You may not speak for others"));
    } else if (s->transaction) {
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "XCLIENT is not allowed now"));
    } else if (smtp_xclient_parse(args, &s->xclient_asked) != 0) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "Bad XCLIENT attribute"));
    } else {
        s->question = QUESTION_CLIENT;
        ask_owner(s);
    }
}

void client_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    if (r->code != 220) {
        server_write(s, r);
        return;
    }
    s->xclient = s->xclient_asked;
    server_forget_client(s);
    connect_answered(s, r);
}

struct str smtp_server_client_name(const struct smtp_server *s)
{
    return str_from(s->xclient.name);
}
