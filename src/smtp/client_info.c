/* Telling the server of the client that a message came from (Postfix's XFORWARD_README and XCLIENT_README),
 * where it offers to be told and the owner's options want it. */
#include <stdio.h>
#include <string.h>

#include "smtp/client_machine.h"
#include "wire/smtp_path.h"
#include "wire/smtp_xclient.h"

/* XFORWARD and XCLIENT name what they take. */
unsigned client_info_attributes(struct str args)
{
    struct str attribute;
    unsigned offered = 0;
    while (str_split(&args, ' ', &attribute)) {
        if (str_ieq(attribute, STR("ADDR")))
            offered |= CLIENT_INFO_ADDR;
        if (str_ieq(attribute, STR("NAME")))
            offered |= CLIENT_INFO_NAME;
        if (str_ieq(attribute, STR("HELO")))
            offered |= CLIENT_INFO_HELO;
    }
    return offered;
}

static void put_attributes(struct smtp_client *c, const char *verb, unsigned offered)
{
    const struct smtp_client_message *m = &c->t.message;
    struct buf line;
    buf_init(&line, CLIENT_INFO_LINE_MAX);
    buf_append_text(&line, verb);
    if (offered & CLIENT_INFO_NAME)
        buf_append_text(&line, " NAME=[UNAVAILABLE]");
    if (offered & CLIENT_INFO_ADDR)
        smtp_xclient_put_addr(&line, m->client_ip);
    if (offered & CLIENT_INFO_HELO)
        smtp_xclient_put_helo(&line, m->client_helo);
    client_command(c, "%s", buf_data(&line));
    buf_fini(&line);
}

/* ---- XFORWARD: of each message, in front of MAIL ---- */

bool client_wants_xforward(const struct smtp_client *c)
{
    return c->options->info == SMTP_CLIENT_INFO_XFORWARD && c->xforward_offered && !c->t.info_sent &&
           c->t.message.client_ip.len > 0;
}

void client_put_xforward(struct smtp_client *c)
{
    put_attributes(c, "XFORWARD", c->xforward_offered);
    c->t.info_sent = true;
}

/* ---- XCLIENT: of the session, which begins anew with it ---- */

static bool is_told(const struct smtp_client *c)
{
    const struct smtp_client_message *m = &c->t.message;
    return str_eq(str_from(c->told_ip), str_sub(m->client_ip, 0, sizeof(c->told_ip) - 1)) &&
           str_eq(str_from(c->told_helo), str_sub(m->client_helo, 0, sizeof(c->told_helo) - 1));
}

bool client_wants_xclient(const struct smtp_client *c)
{
    return c->options->info == SMTP_CLIENT_INFO_XCLIENT && c->xclient_offered && c->in_transaction &&
           !is_told(c);
}

static void note(char *out, size_t size, struct str text)
{
    text = str_sub(text, 0, size - 1);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

/* As the client itself said it, which is what a server's filters see after XCLIENT; but many say what is no
 * name
 * ("Tom's PC"), and a server may refuse the command for that (RFC 5321 4.1.4): then by its address. */
static void note_name(struct smtp_client *c)
{
    const struct smtp_client_message *m = &c->t.message;
    bool six = str_find(m->client_ip, ':', 0) != SIZE_MAX;
    if (m->client_helo.len < sizeof(c->told_name) && smtp_domain_valid(m->client_helo, false))
        note(c->told_name, sizeof(c->told_name), m->client_helo);
    else if (m->client_ip.len > 0)
        snprintf(c->told_name, sizeof(c->told_name), "[%s%s]", six ? "IPv6:" : "", c->told_ip);
    else
        c->told_name[0] = '\0';
}

void client_put_xclient(struct smtp_client *c)
{
    put_attributes(c, "XCLIENT", c->xclient_offered);
    c->t.introduced = true;
    c->state = CLIENT_XCLIENT;
}

/* Where it was not carried out the server serves us as ourselves, unless it took us for somebody before. */
void client_xclient_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) != 2) {
        c->xclient_offered = 0;
        c->t.introduced = false;
        c->state = CLIENT_READY;
        return;
    }
    c->told = true;
    note(c->told_ip, sizeof(c->told_ip), c->t.message.client_ip);
    note(c->told_helo, sizeof(c->told_helo), c->t.message.client_helo);
    note_name(c);
    client_forget_keywords(c);
    client_say_ehlo(c);
}

bool client_is_anothers(const struct smtp_client *c)
{
    return c->told && c->in_transaction && !is_told(c) && !client_wants_xclient(c);
}

static void come_to_an_end(struct smtp_client *c)
{
    c->quit_wanted = true;
    c->state = CLIENT_READY;
    client_transaction_end(c);
}

void client_come_again(struct smtp_client *c)
{
    struct smtp_reply why = {
        .text = STR("the session is another client's, and the server takes no XCLIENT any more")};
    client_tell_open(c, SMTP_OUTCOME_UNSENT, SMTP_STAGE_CLIENT, &why);
    come_to_an_end(c);
}

/* The command was not taken at all, as opposed to the greeting that it brings: a 4yz or a 554 is for the
 * client (XCLIENT_README; 550: "insufficient authorization"; 530, 538: a server that wants TLS says so to any
 * command, RFC 3207 section 4). */
static bool is_about_xclient(const struct smtp_reply *r)
{
    return (r->code >= 500 && r->code <= 504) || r->code == 530 || r->code == 538 || r->code == 550;
}

/* A 421 included: it may come again whenever this client does, and says nothing of others. */
bool client_judged(const struct smtp_client *c, const struct smtp_reply *r)
{
    if (!c->t.introduced || smtp_reply_class(r) < 4)
        return false;
    return c->state == CLIENT_EHLO || (c->state == CLIENT_XCLIENT && !is_about_xclient(r));
}

void client_judge(struct smtp_client *c, const struct smtp_reply *r)
{
    client_tell_open(c, client_outcome_of(r), client_stage(c), r);
    come_to_an_end(c);
}

const char *client_ehlo_name(const struct smtp_client *c)
{
    return c->told_name[0] ? c->told_name : c->options->hostname;
}
