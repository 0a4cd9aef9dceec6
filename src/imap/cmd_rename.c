/* RENAME (RFC 3501 6.3.5). */
#include "base/err.h"
#include "imap/mailbox_args.h"
#include "imap/verbs.h"

void imap_cmd_rename(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct str from, to;
    int err = imap_expect_char(&cmd->args, ' ');
    if (!err)
        err = imap_parse_mailbox(&cmd->args, &from);
    if (!err)
        err = imap_take_mailbox(cmd, &to);
    if (err)
        imap_command_bad_args(cmd, err);
    else
        cmd->op = mail_mailbox_rename(s->mail, str_from(s->user), from, to, imap_on_mailbox_done, cmd);
}
