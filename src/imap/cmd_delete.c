/* DELETE (RFC 3501 6.3.4). */
#include "base/err.h"
#include "imap/mailbox_args.h"
#include "imap/sync.h"
#include "imap/verbs.h"

static void on_deleted(void *arg, int err)
{
    struct imap_command *cmd = arg;
    struct imap_session *s = cmd->session;
    struct str *name = cmd->state;
    if (!err && s->state == IMAP_SELECTED && str_eq(str_from(s->view.name), *name))
        imap_session_unselect(s);
    imap_on_mailbox_done(cmd, err);
}

void imap_cmd_delete(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct str *name = arena_alloc(&cmd->arena, sizeof(*name));
    int err = name ? imap_take_mailbox(cmd, name) : ERR_LIMIT;
    if (err) {
        imap_command_bad_args(cmd, err);
        return;
    }
    if (str_eq(*name, STR("INBOX"))) {
        imap_command_no(cmd, "CANNOT", "INBOX stays");
        return;
    }
    cmd->state = name;
    cmd->op = mail_mailbox_delete(s->mail, str_from(s->user), *name, on_deleted, cmd);
}
