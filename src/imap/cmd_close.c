/* CLOSE (RFC 3501 6.4.2) and UNSELECT (RFC 3691). */
#include "base/err.h"
#include "imap/sync.h"
#include "imap/verbs.h"

static void on_expunged(void *arg, int err)
{
    struct imap_command *cmd = arg;
    cmd->op = NULL;
    imap_session_unselect(cmd->session);
    if (err)
        imap_command_fail(cmd, err);
    else
        imap_command_ok(cmd, "Closed");
}

void imap_cmd_close(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
    } else if (s->view.read_only || imap_command_is(cmd, "UNSELECT")) {
        imap_session_unselect(s);
        imap_command_ok(cmd, "Closed");
    } else {
        cmd->op = mail_expunge(s->mail, s->view.mailbox_id, NULL, 0, false, on_expunged, cmd);
    }
}
