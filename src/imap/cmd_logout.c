/* LOGOUT (RFC 3501 6.1.3). */
#include "base/err.h"
#include "imap/sync.h"
#include "imap/verbs.h"

void imap_cmd_logout(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    imap_session_unselect(s);
    s->logging_out = true;
    buf_append_text(&s->out, "* BYE Until next time\r\n");
    imap_command_ok(cmd, "Logged out");
}
