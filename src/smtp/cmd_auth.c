/* AUTH (RFC 4954): the exchange's frame; what is exchanged is the owner's. */
#include <string.h>

#include "smtp/server_machine.h"
#include "wire/base64.h"

/* It may hold a password. */
static void wipe(struct buf *b)
{
    if (b->mem)
        explicit_bzero(b->mem, b->capacity);
    buf_fini(b);
}

static bool is_offered(const struct smtp_server *s, struct str mechanism)
{
    struct str rest = str_from(s->options->auth_mechanisms), one;
    while (str_split(&rest, ' ', &one))
        if (one.len > 0 && str_ieq(one, mechanism))
            return true;
    return false;
}

static bool has_mechanisms(const struct smtp_server *s)
{
    return s->options->auth_mechanisms && s->options->auth_mechanisms[0];
}

bool server_offers_auth(const struct smtp_server *s)
{
    return has_mechanisms(s) && (s->tls[0] || !s->options->auth_needs_tls);
}

static struct smtp_reply check_order(const struct smtp_server *s)
{
    if (has_mechanisms(s) && !server_offers_auth(s) && server_offers_tls(s))
        return SMTP_REPLY(538, 5, 7, 11, "STARTTLS first"); /* RFC 4954 section 6 */
    if (!server_offers_auth(s))
        return SMTP_REPLY(502, 5, 5, 1, "AUTH is not offered here");
    if (!s->esmtp)
        return SMTP_REPLY(503, 5, 5, 1, "EHLO first");
    if (s->user[0] || s->transaction)
        return SMTP_REPLY(503, 5, 5, 1, "AUTH is not allowed now"); /* RFC 4954 section 4 */
    return (struct smtp_reply){.code = 0};
}

static void ask(struct smtp_server *s, struct str mechanism, const struct str *initial)
{
    s->question = QUESTION_AUTH;
    if (s->ops->auth)
        s->ops->auth(s->arg, mechanism, initial);
    else
        smtp_server_reply(s, &SMTP_REPLY(454, 4, 7, 0, "Authentication is not available"));
}

void cmd_auth(struct smtp_server *s, struct str args)
{
    struct str mechanism = STR_EMPTY, encoded = args, initial;
    struct buf decoded;
    struct smtp_reply r = check_order(s);
    if (r.code == 0 && args.len == 0)
        r = SMTP_REPLY(501, 5, 5, 4, "Syntax: AUTH mechanism [initial-response]");
    if (r.code == 0) {
        str_split(&encoded, ' ', &mechanism);
        if (!is_offered(s, mechanism))
            r = SMTP_REPLY(504, 5, 5, 4, "Mechanism is not offered");
    }
    if (r.code != 0) {
        server_refuse(s, r);
        return;
    }
    if (!encoded.ptr) {
        ask(s, mechanism, NULL);
        return;
    }
    buf_init(&decoded, SMTP_COMMAND_LINE_MAX);
    if (str_eq(encoded, STR("="))) /* an empty initial response */
        encoded = STR_EMPTY;
    if (base64_decode(&decoded, encoded) == 0) {
        initial = buf_str(&decoded);
        ask(s, mechanism, &initial);
    } else {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 2, "Initial response is no base64"));
    }
    wipe(&decoded);
}

static void abandon(struct smtp_server *s, struct smtp_reply r)
{
    if (s->ops->auth_cancel)
        s->ops->auth_cancel(s->arg);
    server_refuse(s, r);
}

void auth_line(struct smtp_server *s, struct str line)
{
    struct buf decoded;
    s->phase = PHASE_COMMAND;
    if (str_eq(line, STR("*"))) {
        abandon(s, SMTP_REPLY(501, 5, 7, 0, "Authentication cancelled"));
        return;
    }
    buf_init(&decoded, SMTP_COMMAND_LINE_MAX);
    if (base64_decode(&decoded, line) != 0) {
        abandon(s, SMTP_REPLY(501, 5, 5, 2, "Response is no base64"));
    } else {
        s->question = QUESTION_AUTH;
        s->ops->auth_response(s->arg, buf_str(&decoded));
    }
    wipe(&decoded);
}

void smtp_server_auth_challenge(struct smtp_server *s, struct str challenge)
{
    struct buf text;
    CHECK(s->question == QUESTION_AUTH && s->ops->auth_response);
    buf_init(&text, SMTP_COMMAND_LINE_MAX * 2);
    CHECK(base64_encode(&text, challenge) == 0);
    s->question = QUESTION_NONE;
    s->phase = PHASE_AUTH;
    s->progress++;
    buf_append_fmt(&s->out, "334 %s\r\n", buf_data(&text));
    buf_fini(&text);
    server_go_on(s);
}

void smtp_server_auth_done(struct smtp_server *s, struct str user)
{
    CHECK(s->question == QUESTION_AUTH && user.len > 0 && user.len < sizeof(s->user));
    memcpy(s->user, user.ptr, user.len);
    s->user[user.len] = '\0';
    smtp_server_reply(s, NULL);
}

void auth_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    if (r->code == 535)
        server_refuse(s, *r); /* guessing is counted */
    else
        server_write(s, r);
}
