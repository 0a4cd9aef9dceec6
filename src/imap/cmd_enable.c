/* ENABLE (RFC 5161): there is nothing yet that needs it; unknown names are to
 * be ignored. */
#include "base/err.h"
#include "imap/verbs.h"

void imap_cmd_enable(struct imap_command *cmd)
{
    struct str name;
    do {
        if (imap_expect_char(&cmd->args, ' ') || imap_parse_atom(&cmd->args, &name)) {
            imap_command_bad_args(cmd, ERR_SYNTAX);
            return;
        }
    } while (!imap_at_end(&cmd->args));
    buf_append_text(&cmd->session->out, "* ENABLED\r\n");
    imap_command_ok(cmd, "Enabled what is known");
}
