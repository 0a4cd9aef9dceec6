/* EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1). */
#include "base/err.h"
#include "imap/numbers.h"
#include "imap/verbs.h"

static void on_expunged(void *arg, int err)
{
    struct imap_command *cmd = arg;
    cmd->op = NULL;
    cmd->session->view_dirty = true;
    if (err)
        imap_command_fail(cmd, err);
    else
        imap_command_ok(cmd, "Expunged");
}

static int take_uids(struct imap_command *cmd, struct imap_uids *ret_uids)
{
    struct imap_set set;
    int err = imap_take_set(cmd, &set);
    return err ? err : imap_set_uids(cmd, &set, ret_uids);
}

void imap_cmd_expunge(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct imap_uids uids = {NULL, 0};
    int err = cmd->uid ? take_uids(cmd, &uids) : 0;
    if (!err)
        err = imap_expect_end(&cmd->args);
    if (err)
        imap_command_bad_args(cmd, err);
    else if (s->view.read_only)
        imap_command_no(cmd, "READ-ONLY", "The mailbox was opened by EXAMINE");
    else if (cmd->uid && uids.count == 0)
        imap_command_ok(cmd, "Nothing to expunge");
    else
        cmd->op = mail_expunge(s->mail, s->view.mailbox_id, uids.uids, uids.count, false, on_expunged, cmd);
}
