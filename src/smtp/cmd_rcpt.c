/* RCPT (RFC 5321 4.1.1.3) with NOTIFY and ORCPT (RFC 3461). */
#include <stdio.h>
#include <string.h>

#include "smtp/idn.h"
#include "smtp/server_machine.h"
#include "wire/smtp_dsn.h"

#define ORCPT_MAX (3 * SMTP_DSN_ORCPT_MAX) /* in its 7-bit form: \x{E4} for two octets */

/* 0, or the code to refuse it with. */
static unsigned take_param(const struct smtp_server *s, struct dsn_request *dsn,
                           const struct smtp_param *param)
{
    bool good;
    if (!s->esmtp || !s->options->dsn)
        return 555;
    if (str_ieq(param->keyword, STR("NOTIFY"))) {
        good = dsn->notify == 0 && smtp_dsn_notify_parse(param->value, &dsn->notify) == 0;
    } else if (str_ieq(param->keyword, STR("ORCPT"))) {
        good = dsn->orcpt.len == 0 && smtp_dsn_orcpt_check(param->value, s->mail_utf8) == 0;
        dsn->orcpt = param->value;
    } else {
        return 555;
    }
    return good ? 0 : 501;
}

static unsigned take_params(const struct smtp_server *s, struct dsn_request *dsn, struct str rest)
{
    struct smtp_param param;
    unsigned code = 0;
    int rc;
    while (code == 0 && (rc = smtp_param_next(&rest, &param)) != 0)
        code = rc == 1 ? take_param(s, dsn, &param) : 501;
    return code;
}

static void ask(struct smtp_server *s, const struct smtp_path *path, const struct dsn_request *dsn)
{
    char local_part[SMTP_LOCAL_PART_MAX], domain[SMTP_DOMAIN_MAX + 1], mailbox[SMTP_PATH_MAX];
    struct str forward_path = path->mailbox;
    if (idn_to_ascii(path->domain, domain) != 0) {
        server_refuse(s, SMTP_REPLY(501, 5, 1, 3, "The domain is no name (IDNA2008)"));
        return;
    }
    if (!str_ieq(str_from(domain), path->domain)) { /* known by its A-labels from here on */
        forward_path.len =
            (size_t)snprintf(mailbox, sizeof(mailbox), "%.*s@%s", STR_ARG(path->local_part), domain);
        forward_path.ptr = mailbox;
    }
    if (forward_path.len >= sizeof(mailbox)) {
        server_refuse(s, SMTP_REPLY(501, 5, 1, 3, "Forward-path is too long"));
        return;
    }
    struct buf orcpt; /* kept as any server can be given it; left out where that grows too long */
    buf_init(&orcpt, ORCPT_MAX);
    bool has_orcpt = smtp_dsn_orcpt_to_ascii(&orcpt, dsn->orcpt) == 0;
    struct smtp_rcpt rcpt = {
        .forward_path = forward_path,
        .local_part = {local_part, smtp_local_part_unquote(path->local_part, local_part)},
        .domain = str_from(domain),
        .index = s->recipient_count,
        .dsn = {dsn->notify, has_orcpt ? buf_str(&orcpt) : STR_EMPTY},
    };
    s->question = QUESTION_RCPT;
    if (s->ops->rcpt)
        s->ops->rcpt(s->arg, &rcpt);
    else
        smtp_server_reply(s, NULL);
    buf_fini(&orcpt);
}

static void refuse_path(struct smtp_server *s, int err)
{
    if (err == ERR_UNSUPPORTED)
        server_refuse(s, SMTP_REPLY(553, 5, 6, 7, "Address is not ASCII, and SMTPUTF8 was not asked for"));
    else if (err == ERR_LIMIT)
        server_refuse(s, SMTP_REPLY(501, 5, 1, 3, "Forward-path is too long"));
    else
        server_refuse(s, SMTP_REPLY(501, 5, 1, 3, "Bad forward-path"));
}

void cmd_rcpt(struct smtp_server *s, struct str args)
{
    struct smtp_path path;
    struct dsn_request dsn = {0, STR_EMPTY};
    unsigned code = 0;
    server_note_path(s->said_recipient, args);
    if (!s->transaction) {
        server_refuse_without_mail(s);
        return;
    }
    if (s->chunking) {
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "The message has begun by BDAT"));
        return;
    }
    if (!str_istarts(args, STR("TO:"))) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "Syntax: RCPT TO:<forward-path>"));
        return;
    }
    args = str_sub(args, 3, args.len);
    int rc = smtp_path_parse(&args, SMTP_PATH_FORWARD, s->mail_utf8, &path);
    if (rc == 0)
        code = take_params(s, &dsn, args);
    if (rc != 0)
        refuse_path(s, rc);
    else if (code == 555)
        server_refuse(s, SMTP_REPLY(555, 5, 5, 4, "Parameter not recognized or not implemented"));
    else if (code != 0)
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "Bad parameter value"));
    else if (s->recipient_count >= server_recipients_max(s))
        server_write(s, &SMTP_REPLY(452, 4, 5, 3, "Too many recipients")); /* RFC 5321 4.5.3.1.10: no error */
    else
        ask(s, &path, &dsn);
}

void rcpt_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) == 2)
        s->recipient_count++;
    if (smtp_reply_class(r) == 5 && !s->peer_node[0])
        server_refuse(s, *r); /* guessing is counted */
    else
        server_write(s, r);
}
