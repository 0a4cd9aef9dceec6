/* STATUS (RFC 3501 6.3.10). */
#include "base/err.h"
#include "imap/verbs.h"
#include "wire/imap_write.h"

enum item { MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, UNSEEN, ITEM_COUNT };
static const char *const item_names[ITEM_COUNT] = {"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"};

struct status {
    struct str name;
    unsigned items; /* bits 1 << enum item */
};

static uint32_t value_of(const struct mail_mailbox *box, enum item item)
{
    switch (item) {
    case MESSAGES:
        return box->messages;
    case RECENT:
        return box->recent;
    case UIDNEXT:
        return box->uid_next;
    case UIDVALIDITY:
        return box->uid_validity;
    case UNSEEN:
        return box->unseen;
    default:
        return 0;
    }
}

static void on_find(void *arg, int err, const struct mail_mailbox *box)
{
    struct imap_command *cmd = arg;
    struct status *status = cmd->state;
    struct buf *out = &cmd->session->out;
    cmd->op = NULL;
    if (!err && !box->selectable)
        err = ERR_NOT_FOUND;
    if (err) {
        imap_command_fail(cmd, err);
        return;
    }
    buf_append_text(out, "* STATUS ");
    imap_write_mailbox(out, status->name);
    const char *separator = " (";
    for (int i = 0; i < ITEM_COUNT; i++) {
        if (!(status->items & 1u << i))
            continue;
        buf_append_fmt(out, "%s%s %u", separator, item_names[i], value_of(box, (enum item)i));
        separator = " ";
    }
    buf_append_text(out, ")\r\n");
    imap_command_ok(cmd, "That is it");
}

static int parse_item(struct imap_cursor *c, unsigned *items)
{
    for (int i = 0; i < ITEM_COUNT; i++) {
        if (!imap_skip_word(c, item_names[i]))
            continue;
        *items |= 1u << i;
        return 0;
    }
    return ERR_SYNTAX;
}

static int parse(struct imap_cursor *c, struct status *status)
{
    int err = imap_expect_char(c, ' ');
    if (!err)
        err = imap_parse_mailbox(c, &status->name);
    if (err)
        return err;
    if (imap_expect_char(c, ' ') || imap_expect_char(c, '('))
        return ERR_SYNTAX;
    do {
        if (parse_item(c, &status->items))
            return ERR_SYNTAX;
    } while (imap_skip_char(c, ' '));
    return imap_expect_char(c, ')') ? ERR_SYNTAX : imap_expect_end(c);
}

void imap_cmd_status(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct status *status = arena_alloc(&cmd->arena, sizeof(*status));
    int err = status ? parse(&cmd->args, status) : ERR_LIMIT;
    if (err) {
        imap_command_bad_args(cmd, err);
        return;
    }
    cmd->state = status;
    cmd->op = mail_mailbox_find(s->mail, str_from(s->user), status->name, on_find, cmd);
}
