/* A client session outside of transactions: greeting, EHLO, HELO, XHOLDFAST, RSET, QUIT. */
#include <string.h>

#include "smtp/client_machine.h"

void client_refused(struct smtp_client *c, enum smtp_client_end end, const struct smtp_reply *r,
                    const char *why)
{
    if (!r || r->code != 421)
        client_command(c, "QUIT"); /* RFC 5321 3.1; its reply is not waited for */
    client_end(c, end, client_stage(c), r, why);
}

static void refused(struct smtp_client *c, const struct smtp_reply *r, const char *why)
{
    client_refused(c, SMTP_END_REFUSED, r, why);
}

/* ---- what the server offers ---- */

static void take_peer(struct smtp_client *c, struct str args)
{
    c->peer_offered = peer_nonce_parse(args, &c->server_nonce) == 0;
}

void client_keyword(struct smtp_client *c, struct str line)
{
    struct str rest = line, keyword;
    str_split(&rest, ' ', &keyword);
    struct str args = rest.ptr ? str_trim(rest) : STR_EMPTY;
    if (str_ieq(keyword, STR("PIPELINING")))
        c->pipelining = true;
    else if (str_ieq(keyword, STR("DSN")))
        c->dsn = true;
    else if (str_ieq(keyword, STR("STARTTLS")))
        c->tls_offered = true;
    else if (str_ieq(keyword, STR("CHUNKING")))
        c->chunking = true;
    else if (str_ieq(keyword, STR("XFORWARD")))
        c->xforward_offered = client_info_attributes(args);
    else if (str_ieq(keyword, STR("XCLIENT")))
        c->xclient_offered = client_info_attributes(args);
    else if (str_ieq(keyword, STR("XHOLDFAST")))
        take_peer(c, args);
    else
        smtp_offers_take(&c->offers, line);
}

void client_forget_keywords(struct smtp_client *c)
{
    c->pipelining = c->dsn = c->tls_offered = c->peer_offered = false;
    c->offers = (struct smtp_offers){.known = true};
    c->chunking = false;
    c->xforward_offered = c->xclient_offered = 0;
}

/* ---- replies ---- */

void client_say_ehlo(struct smtp_client *c)
{
    client_command(c, "%s %s", c->options->flavour == SMTP_CLIENT_LMTP ? "LHLO" : "EHLO",
                   client_ehlo_name(c));
    c->state = CLIENT_EHLO;
}

static void greeted(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) != 2) {
        refused(c, r, "the greeting is a refusal");
        return;
    }
    client_say_ehlo(c);
}

/* The conversation that both sides prove themselves in. */
static struct peer_talk talk(const struct smtp_client *c)
{
    return (struct peer_talk){
        .server_nonce = c->server_nonce,
        .client_nonce = c->nonce,
        .node = str_from(c->options->node),
        .server = c->options->peer,
        .address = str_from(c->address),
        .channel = {(const char *)c->channel, c->has_channel ? sizeof(c->channel) : 0},
    };
}

static void prove(struct smtp_client *c)
{
    char nonce[PEER_NONCE_TEXT], proof[PEER_PROOF_TEXT];
    struct peer_talk t = talk(c);
    peer_nonce_format(&c->nonce, nonce);
    peer_proof_make(PEER_CLIENT, c->options->peer_key, &t, proof);
    client_command(c, "XHOLDFAST %s %s %s", c->options->node, nonce, proof);
    c->state = CLIENT_PEER;
}

void client_ready_or_prove(struct smtp_client *c)
{
    c->state = CLIENT_READY;
    c->offers.tls = c->tls_active;
    if (c->options->offers)
        *c->options->offers = c->offers;
    if (c->peer_offered && c->options->peer_key && c->has_channel == c->tls_active)
        prove(c);
}

static void ehlo_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) == 2) {
        client_greeted_or_tls(c);
        return;
    }
    client_forget_keywords(c);
    if (smtp_reply_class(r) == 5 && c->options->flavour == SMTP_CLIENT_SMTP) {
        client_command(c, "HELO %s", client_ehlo_name(c)); /* RFC 5321 3.2 */
        c->state = CLIENT_HELO;
        return;
    }
    refused(c, r, "the server refused EHLO");
}

static void helo_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) == 2)
        client_greeted_or_tls(c);
    else
        refused(c, r, "the server refused HELO");
}

/* Without the proof the session goes on as with any server. */
static void peer_answered(struct smtp_client *c, const struct smtp_reply *r)
{
    struct str proof = r->text;
    struct smtp_enhanced enhanced;
    struct peer_talk t = talk(c);
    smtp_enhanced_parse(&proof, r->code, &enhanced);
    c->peer_proved =
        r->code == 235 && peer_proof_check(PEER_SERVER, c->options->peer_key, &t, str_trim(proof));
    c->state = CLIENT_READY;
}

static void unasked(struct smtp_client *c, const struct smtp_reply *r)
{
    client_end(c, SMTP_END_PROTOCOL, client_stage(c), r, "the server sent a reply that was not asked for");
}

void client_session_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (client_judged(c, r)) {
        client_judge(c, r);
        return;
    }
    if (r->code == 421 && c->state != CLIENT_QUIT) {
        refused(c, r, "the server closes the session");
        return;
    }
    switch (c->state) {
    case CLIENT_GREETING:
        greeted(c, r);
        break;
    case CLIENT_EHLO:
        ehlo_answered(c, r);
        break;
    case CLIENT_HELO:
        helo_answered(c, r);
        break;
    case CLIENT_STARTTLS:
        client_starttls_reply(c, r);
        break;
    case CLIENT_PEER:
        peer_answered(c, r);
        break;
    case CLIENT_XCLIENT:
        client_xclient_reply(c, r);
        break;
    case CLIENT_RSET:
        if (smtp_reply_class(r) == 2)
            c->state = CLIENT_READY;
        else
            refused(c, r, "the server refused RSET");
        break;
    case CLIENT_QUIT:
        client_end(c, SMTP_END_QUIT, SMTP_STAGE_QUIT, r, "quit");
        break;
    default:
        unasked(c, r);
    }
}
