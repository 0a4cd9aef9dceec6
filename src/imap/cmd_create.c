/* CREATE (RFC 3501 6.3.3). */
#include "base/err.h"
#include "imap/mailbox_args.h"
#include "imap/verbs.h"

void imap_cmd_create(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct str name;
    int err = imap_take_mailbox(cmd, &name);
    if (err) {
        imap_command_bad_args(cmd, err);
        return;
    }
    if (name.len > 1 && str_ends(name, STR("/"))) /* "will hold others": is made the same way */
        name.len--;
    cmd->op = mail_mailbox_create(s->mail, str_from(s->user), name, imap_on_mailbox_done, cmd);
}
