/* IDLE (RFC 2177): changes are told as they come, until DONE. */
#include "base/err.h"
#include "imap/sync.h"
#include "imap/verbs.h"

static void tell_changes(struct imap_command *cmd);

static void on_told(struct imap_session *s, int err)
{
    if (err == ERR_FENCED)
        imap_session_fenced(s);
    else if (err == ERR_NOT_FOUND)
        imap_session_bye(s, "The selected mailbox was deleted");
    else if (!err && s->view_dirty && s->command.on_change) /* changed while it was read */
        tell_changes(&s->command);
    imap_session_progress(s);
}

static void tell_changes(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (!s->sync_op && !imap_session_out_full(s))
        imap_sync_start(s, true, on_told);
}

static void on_line(struct imap_command *cmd, struct str line)
{
    if (str_ieq(line, STR("DONE")))
        imap_command_ok(cmd, "Idled");
    else
        imap_command_bad(cmd, "DONE is wanted");
}

void imap_cmd_idle(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    buf_append_text(&s->out, "+ Idling\r\n");
    cmd->on_line = on_line;
    cmd->on_room = tell_changes;
    cmd->on_change = tell_changes;
    tell_changes(cmd);
}
