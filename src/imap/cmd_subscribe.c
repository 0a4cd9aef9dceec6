/* SUBSCRIBE and UNSUBSCRIBE (RFC 3501 6.3.6, 6.3.7). */
#include "base/err.h"
#include "imap/mailbox_args.h"
#include "imap/verbs.h"

void imap_cmd_subscribe(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct str name;
    int err = imap_take_mailbox(cmd, &name);
    if (err)
        imap_command_bad_args(cmd, err);
    else
        cmd->op = mail_mailbox_subscribe(s->mail, str_from(s->user), name, imap_command_is(cmd, "SUBSCRIBE"),
                                         imap_on_mailbox_done, cmd);
}
