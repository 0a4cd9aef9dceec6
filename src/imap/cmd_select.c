/* SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2). */
#include "base/err.h"
#include "imap/mailbox_args.h"
#include "imap/sync.h"
#include "imap/verbs.h"

static void on_change(void *arg)
{
    struct imap_session *s = arg;
    s->view_dirty = true;
    if (s->command.verb && s->command.on_change)
        s->command.on_change(&s->command);
}

static void write_summary(struct imap_session *s)
{
    struct imap_view *v = &s->view;
    size_t unseen = 0;
    while (unseen < v->count && v->messages[unseen].flags & MAIL_SEEN)
        unseen++;
    imap_write_flags_response(s);
    buf_append_fmt(&s->out, "* %zu EXISTS\r\n* %zu RECENT\r\n", v->count, imap_view_recent_count(v));
    if (unseen < v->count)
        buf_append_fmt(&s->out, "* OK [UNSEEN %zu] First unseen\r\n", unseen + 1);
    buf_append_fmt(&s->out, "* OK [UIDVALIDITY %u] UIDs hold\r\n* OK [UIDNEXT %u] Next UID\r\n",
                   v->uid_validity, v->uid_next);
    v->told_count = v->count;
}

static void selected(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    s->state = IMAP_SELECTED;
    write_summary(s);
    imap_command_ok(cmd, s->view.read_only ? "[READ-ONLY] Selected" : "[READ-WRITE] Selected");
}

/* A mailbox that takes no writes now can still be read: nothing is recent then. */
static void on_claim(void *arg, int err, uint32_t first_uid)
{
    struct imap_command *cmd = arg;
    struct imap_view *v = &cmd->session->view;
    cmd->op = NULL;
    if (err == ERR_FENCED) {
        imap_command_fail(cmd, err);
        return;
    }
    if (!err)
        v->recent_from = first_uid;
    selected(cmd);
}

static void on_messages(void *arg, int err, const struct mail_messages *messages)
{
    struct imap_command *cmd = arg;
    struct imap_session *s = cmd->session;
    struct imap_view *v = &s->view;
    cmd->op = NULL;
    if (err) {
        imap_session_unselect(s);
        imap_command_fail(cmd, err);
        return;
    }
    size_t recent = v->recent_hint < messages->count ? v->recent_hint : messages->count;
    v->uid_validity = messages->uid_validity;
    imap_view_apply(v, messages);
    v->recent_from = v->recent_until = v->uid_next;
    if (recent > 0 && v->read_only) /* looking takes it from nobody */
        v->recent_from = v->messages[v->count - recent].uid;
    if (recent > 0 && !v->read_only)
        cmd->op = mail_recent_claim(s->mail, v->mailbox_id, on_claim, cmd);
    else
        selected(cmd);
}

static void on_find(void *arg, int err, const struct mail_mailbox *box)
{
    struct imap_command *cmd = arg;
    struct imap_session *s = cmd->session;
    cmd->op = NULL;
    if (!err && !box->selectable)
        err = ERR_NOT_FOUND;
    if (err) {
        imap_command_fail(cmd, err);
        return;
    }
    s->view.mailbox_id = box->id;
    s->view.name = str_dup(box->name);
    s->view.recent_hint = box->recent;
    s->view.read_only = imap_command_is(cmd, "EXAMINE");
    /* Watched from before the snapshot, so that no change is missed. */
    s->watch = mail_watch_new(s->mail, box->id, on_change, s);
    cmd->op = mail_changes(s->mail, box->id, 0, on_messages, cmd);
}

void imap_cmd_select(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct str name;
    int err = imap_take_mailbox(cmd, &name);
    if (err) {
        imap_command_bad_args(cmd, err);
        return;
    }
    imap_session_unselect(s);
    cmd->op = mail_mailbox_find(s->mail, str_from(s->user), name, on_find, cmd);
}
