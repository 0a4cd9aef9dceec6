/* CAPABILITY (RFC 3501 6.1.1). */
#include "base/err.h"
#include "imap/verbs.h"

void imap_write_capability(struct imap_session *s, struct buf *out)
{
    buf_append_text(out, "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE");
    if (s->tls_offered && s->state == IMAP_NOT_AUTHENTICATED)
        buf_append_text(out, " STARTTLS");
    if (s->state == IMAP_NOT_AUTHENTICATED)
        buf_append_text(out, s->plain_allowed ? " AUTH=PLAIN" : " LOGINDISABLED");
    else
        buf_append_text(out, " IDLE NAMESPACE UIDPLUS MOVE UNSELECT CHILDREN");
}

void imap_cmd_capability(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    buf_append_text(&s->out, "* CAPABILITY ");
    imap_write_capability(s, &s->out);
    buf_append_text(&s->out, "\r\n");
    imap_command_ok(cmd, "These");
}
