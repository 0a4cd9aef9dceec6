/* EHLO and HELO (RFC 5321 4.1.1.1), LHLO (RFC 2033 4.1). */
#include <string.h>

#include "smtp/server_machine.h"

/* Many clients say names that are no domains ("my_host", "Tom's PC"), and would bounce their mail were they
 * refused (RFC 5321 4.1.4 wants none refused for its name); what goes into Received and logs is one harmless
 * word. */
static void keep_name(char out[SMTP_DOMAIN_MAX + 1], struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        out[i] = ascii_isalnum(c) || (c != '\0' && strchr(".-_:[]", c)) ? c : '?';
    }
    out[name.len] = '\0';
}

static void greet(struct smtp_server *s, struct str name, bool esmtp)
{
    if (name.len == 0 || name.len > SMTP_DOMAIN_MAX) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "A domain or an address literal is expected"));
        return;
    }
    keep_name(s->helo_asked, name);
    s->esmtp_asked = esmtp;
    s->question = QUESTION_HELO;
    if (s->ops->helo)
        s->ops->helo(s->arg, str_from(s->helo_asked));
    else
        smtp_server_reply(s, NULL);
}

void cmd_ehlo(struct smtp_server *s, struct str args)
{
    greet(s, args, true);
}

void cmd_helo(struct smtp_server *s, struct str args)
{
    greet(s, args, false);
}

static void append_extensions(const struct smtp_server *s, struct buf *text)
{
    const struct smtp_server_options *o = s->options;
    char nonce[PEER_NONCE_TEXT];
    buf_append_text(text, "\nPIPELINING\nCHUNKING\n8BITMIME\nENHANCEDSTATUSCODES\nSIZE");
    if (o->size_max_bytes)
        buf_append_fmt(text, " %llu", (unsigned long long)o->size_max_bytes);
    buf_append_fmt(text, "\nLIMITS RCPTMAX=%zu", server_recipients_max(s)); /* RFC 9422 */
    if (o->smtputf8)
        buf_append_text(text, "\nSMTPUTF8");
    if (o->dsn)
        buf_append_text(text, "\nDSN");
    if (server_offers_tls(s))
        buf_append_text(text, "\nSTARTTLS");
    if (server_offers_auth(s))
        buf_append_fmt(text, "\nAUTH %s", o->auth_mechanisms);
    if (s->xclient_offered)
        buf_append_text(text, "\n" SMTP_XCLIENT_OFFER);
    if (server_takes_peers(s) && !s->nonce_spent) {
        peer_nonce_format(&s->nonce, nonce);
        buf_append_fmt(text, "\nXHOLDFAST %s", nonce);
    }
}

void helo_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    struct buf text;
    if (r->code != 250) {
        server_write(s, r);
        return;
    }
    server_reset(s); /* RFC 5321 4.1.4: as RSET */
    memcpy(s->helo, s->helo_asked, sizeof(s->helo));
    s->xclient.helo[0] = '\0'; /* the last word on it holds */
    s->esmtp = s->esmtp_asked;
    buf_init(&text, 4096);
    buf_append_text(&text, s->options->hostname);
    if (s->esmtp)
        append_extensions(s, &text);
    server_write_plain(s, &(struct smtp_reply){.code = 250, .text = buf_str(&text)});
    buf_fini(&text);
}
