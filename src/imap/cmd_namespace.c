/* NAMESPACE (RFC 2342): one, personal, with '/' between the levels. */
#include "base/err.h"
#include "imap/verbs.h"

void imap_cmd_namespace(struct imap_command *cmd)
{
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    buf_append_text(&cmd->session->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    imap_command_ok(cmd, "This one");
}
