#include "imap/command.h"

#include <stdarg.h>

#include "base/err.h"
#include "imap/error.h"
#include "imap/sync.h"

#define BAD_COMMANDS_MAX 50 /* nothing sensible is at the other end */

void imap_command_release(struct imap_command *cmd)
{
    void (*on_end)(struct imap_command *) = cmd->on_end;
    cmd->on_end = NULL;
    cmd->on_line = NULL;
    cmd->on_data = NULL;
    cmd->on_room = NULL;
    cmd->on_change = NULL;
    cmd->session->data_blocked = false;
    if (on_end)
        on_end(cmd);
    cmd->state = NULL;
}

static bool may_expunge(const struct imap_command *cmd)
{
    return cmd->uid || !cmd->verb->keeps_numbers;
}

static void after_sync(struct imap_session *s, int err)
{
    struct imap_command *cmd = &s->command;
    if (err == ERR_FENCED) {
        imap_session_fenced(s);
    } else if (err == ERR_NOT_FOUND) {
        imap_session_bye(s, "The selected mailbox was deleted");
    } else {
        buf_append_str(&s->out, buf_str(&cmd->reply));
        cmd->verb = NULL;
    }
    buf_clear(&cmd->reply);
    arena_clear(&cmd->arena);
    if (s->logging_out)
        imap_session_end(s);
    else if (s->bad_commands > BAD_COMMANDS_MAX)
        imap_session_bye(s, "Too many commands that are not understood");
    imap_session_progress(s);
}

void imap_command_finish(struct imap_command *cmd, const char *status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_append_str(&cmd->reply, cmd->tag);
    buf_append_fmt(&cmd->reply, " %s ", status);
    buf_append_vfmt(&cmd->reply, fmt, args);
    buf_append_text(&cmd->reply, "\r\n");
    va_end(args);
    imap_command_release(cmd);
    imap_sync_start(cmd->session, may_expunge(cmd), after_sync);
}

void imap_command_ok(struct imap_command *cmd, const char *text)
{
    imap_command_finish(cmd, "OK", "%s", text);
}

void imap_command_no(struct imap_command *cmd, const char *code, const char *text)
{
    if (code)
        imap_command_finish(cmd, "NO", "[%s] %s", code, text);
    else
        imap_command_finish(cmd, "NO", "%s", text);
}

void imap_command_bad(struct imap_command *cmd, const char *text)
{
    cmd->session->bad_commands++;
    imap_command_finish(cmd, "BAD", "%s", text);
}

void imap_command_bad_args(struct imap_command *cmd, int err)
{
    if (err == ERR_INVALID)
        imap_command_no(cmd, "CANNOT", "Not a mailbox name");
    else if (err == ERR_LIMIT)
        imap_command_no(cmd, "LIMIT", "Too many or too long arguments");
    else
        imap_command_bad(cmd, "Arguments not understood");
}

void imap_command_fail(struct imap_command *cmd, int err)
{
    if (err == ERR_FENCED) {
        imap_session_fenced(cmd->session);
        imap_session_progress(cmd->session);
        return;
    }
    struct imap_error error = imap_error_for(err);
    imap_command_no(cmd, error.code, error.text);
}
