/* NOOP and CHECK (RFC 3501 6.1.2, 6.4.1): tell what has changed. */
#include "base/err.h"
#include "imap/verbs.h"

void imap_cmd_noop(struct imap_command *cmd)
{
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    cmd->session->view_dirty = cmd->session->state == IMAP_SELECTED;
    imap_command_ok(cmd, "Done");
}
