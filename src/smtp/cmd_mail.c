/* MAIL (RFC 5321 4.1.1.2) with SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC
 * 6531), RET and ENVID (RFC 3461), AUTH (RFC 4954 5) and our XCUSTODY. */
#include "smtp/server_machine.h"
#include "wire/smtp_dsn.h"

struct mail_params {
    struct smtp_mail mail;
    struct custody_id custody_id;
    bool has_size, has_body, has_auth;
};

static const struct smtp_reply bad_value = {501, {5, 5, 4}, {"Bad parameter value", 19}};
static const struct smtp_reply bad_param = {
    555, {5, 5, 4}, {"Parameter not recognized or not implemented", 43}};
static const struct smtp_reply no_error = {0, {0, 0, 0}, {"", 0}};

static struct smtp_reply take_size(struct mail_params *p, struct str value)
{
    if (p->has_size || value.len > 20) /* RFC 1870 section 6 */
        return bad_value;
    p->has_size = true;
    int rc = str_to_u64(value, UINT64_MAX, &p->mail.size_bytes);
    if (rc == ERR_LIMIT)
        p->mail.size_bytes = UINT64_MAX;
    return rc == ERR_SYNTAX ? bad_value : no_error;
}

static struct smtp_reply take_body(struct mail_params *p, struct str value)
{
    if (p->has_body || (!str_ieq(value, STR("8BITMIME")) && !str_ieq(value, STR("7BIT"))))
        return bad_value;
    p->has_body = true;
    p->mail.eight_bit = str_ieq(value, STR("8BITMIME"));
    return no_error;
}

static struct smtp_reply take_utf8(struct mail_params *p, struct str value)
{
    if (p->mail.smtputf8 || value.ptr)
        return bad_value;
    p->mail.smtputf8 = true;
    return no_error;
}

static struct smtp_reply take_custody(struct mail_params *p, struct str value)
{
    if (p->mail.custody_id || custody_id_parse(value, &p->custody_id) != 0)
        return bad_value;
    p->mail.custody_id = &p->custody_id;
    return no_error;
}

/* Who sent it first, as the client has it: believed of our own parts alone. */
static struct smtp_reply take_auth(const struct smtp_server *s, struct mail_params *p, struct str value)
{
    if (p->has_auth || value.len == 0)
        return bad_value;
    p->has_auth = true;
    p->mail.authenticated |= s->peer_node[0] && !str_eq(value, STR("<>"));
    return no_error;
}

static struct smtp_reply take_ret(struct mail_params *p, struct str value)
{
    bool once = p->mail.dsn.ret == DSN_RET_UNSAID;
    return once && smtp_dsn_ret_parse(value, &p->mail.dsn.ret) == 0 ? no_error : bad_value;
}

static struct smtp_reply take_envid(struct mail_params *p, struct str value)
{
    if (p->mail.dsn.envid.len > 0 || smtp_dsn_envid_check(value) != 0)
        return bad_value;
    p->mail.dsn.envid = value;
    return no_error;
}

static struct smtp_reply take_param(const struct smtp_server *s, struct mail_params *p,
                                    const struct smtp_param *param)
{
    if (!s->esmtp)
        return bad_param;
    if (str_ieq(param->keyword, STR("SIZE")))
        return take_size(p, param->value);
    if (str_ieq(param->keyword, STR("BODY")))
        return take_body(p, param->value);
    if (s->options->smtputf8 && str_ieq(param->keyword, STR("SMTPUTF8")))
        return take_utf8(p, param->value);
    if ((s->options->auth_mechanisms || s->peer_node[0]) && str_ieq(param->keyword, STR("AUTH")))
        return take_auth(s, p, param->value);
    if (s->options->dsn && str_ieq(param->keyword, STR("RET")))
        return take_ret(p, param->value);
    if (s->options->dsn && str_ieq(param->keyword, STR("ENVID")))
        return take_envid(p, param->value);
    if (s->peer_node[0] && str_ieq(param->keyword, STR("XCUSTODY")))
        return take_custody(p, param->value);
    return bad_param;
}

static struct smtp_reply take_params(const struct smtp_server *s, struct mail_params *p, struct str rest)
{
    struct smtp_param param;
    struct smtp_reply r = no_error;
    int rc;
    while (r.code == 0 && (rc = smtp_param_next(&rest, &param)) != 0)
        r = rc == 1 ? take_param(s, p, &param) : SMTP_REPLY(501, 5, 5, 4, "Syntax error in parameters");
    return r;
}

static struct smtp_reply take_path(const struct smtp_server *s, struct mail_params *p, struct str *args)
{
    struct smtp_path path;
    if (!str_istarts(*args, STR("FROM:")))
        return SMTP_REPLY(501, 5, 5, 4, "Syntax: MAIL FROM:<reverse-path>");
    *args = str_sub(*args, 5, args->len);
    switch (smtp_path_parse(args, SMTP_PATH_REVERSE, s->options->smtputf8, &path)) {
    case 0:
        p->mail.reverse_path = path.mailbox;
        return no_error;
    case ERR_UNSUPPORTED:
        return SMTP_REPLY(553, 5, 6, 7, "Address is not ASCII");
    case ERR_LIMIT:
        return SMTP_REPLY(501, 5, 1, 7, "Reverse-path is too long");
    default:
        return SMTP_REPLY(501, 5, 1, 7, "Bad reverse-path");
    }
}

static struct smtp_reply check_order(const struct smtp_server *s)
{
    if (s->helo[0] == '\0')
        return SMTP_REPLY(503, 5, 5, 1, "Greet first");
    if (s->options->flavour == SMTP_FLAVOUR_SUBMISSION && s->user[0] == '\0')
        return SMTP_REPLY(530, 5, 7, 0, "Authentication required"); /* RFC 6409 4.3 */
    if (s->transaction)
        return SMTP_REPLY(503, 5, 5, 1, "Sender is already given");
    return no_error;
}

void cmd_mail(struct smtp_server *s, struct str args)
{
    struct mail_params p = {.mail = {.dsn.envid = STR_EMPTY, .authenticated = s->user[0] != '\0'}};
    struct smtp_reply r = check_order(s);
    if (!s->transaction)
        server_note_path(s->said_sender, args);
    s->mail_put_off = false;
    if (r.code == 0)
        r = take_path(s, &p, &args);
    if (r.code == 0)
        r = take_params(s, &p, args);
    if (r.code == 0 && !p.mail.smtputf8 && !str_is_ascii(p.mail.reverse_path))
        r = SMTP_REPLY(553, 5, 6, 7, "Address is not ASCII, and SMTPUTF8 was not asked for");
    if (r.code == 0 && p.mail.size_bytes > server_size_max_bytes(s))
        r = SMTP_REPLY(552, 5, 3, 4, "Message exceeds the maximum size");
    if (r.code != 0) {
        server_refuse(s, r);
        return;
    }
    s->mail_utf8 = p.mail.smtputf8;
    s->question = QUESTION_MAIL;
    if (s->ops->mail)
        s->ops->mail(s->arg, &p.mail);
    else
        smtp_server_reply(s, NULL);
}

void mail_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    s->transaction = smtp_reply_class(r) == 2;
    s->mail_put_off = smtp_reply_class(r) == 4;
    s->recipient_count = 0;
    server_write(s, r);
}
