/* STORE (RFC 3501 6.4.6). */
#include "base/err.h"
#include "imap/numbers.h"
#include "imap/verbs.h"

struct store {
    struct imap_uids uids;
    enum mail_flags_mode mode;
    bool silent;
    struct imap_flags flags;
};

/* Tells the flags, or, where they are not wanted, takes them as told: what the
 * sync then finds to be different was another session's doing. */
static void on_stored(void *arg, int err)
{
    struct imap_command *cmd = arg;
    struct store *st = cmd->state;
    struct imap_view *v = &cmd->session->view;
    cmd->op = NULL;
    cmd->session->view_dirty = true;
    if (err) {
        imap_command_fail(cmd, err);
        return;
    }
    for (size_t i = 0; i < st->uids.count; i++) {
        struct imap_message *m = imap_view_find(v, st->uids.uids[i]);
        if (!m)
            continue;
        m->report = m->report || !st->silent;
        if (st->silent)
            imap_view_expect(v, m, st->mode, st->flags.system, st->flags.keywords);
    }
    imap_command_ok(cmd, "Stored");
}

static int parse_mode(struct imap_cursor *c, struct store *st)
{
    static const struct {
        const char *word;
        enum mail_flags_mode mode;
        bool silent;
    } words[] = {
        {"FLAGS", MAIL_FLAGS_SET, false},     {"FLAGS.SILENT", MAIL_FLAGS_SET, true},
        {"+FLAGS", MAIL_FLAGS_ADD, false},    {"+FLAGS.SILENT", MAIL_FLAGS_ADD, true},
        {"-FLAGS", MAIL_FLAGS_REMOVE, false}, {"-FLAGS.SILENT", MAIL_FLAGS_REMOVE, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!imap_skip_word(c, words[i].word))
            continue;
        st->mode = words[i].mode;
        st->silent = words[i].silent;
        return 0;
    }
    return ERR_SYNTAX;
}

static int parse(struct imap_command *cmd, struct store *st)
{
    struct imap_cursor *c = &cmd->args;
    struct imap_set set;
    int err = imap_take_set(cmd, &set);
    if (err)
        return err;
    if (imap_expect_char(c, ' ') || parse_mode(c, st) || imap_expect_char(c, ' '))
        return ERR_SYNTAX;
    err = imap_parse_store_flags(c, &st->flags);
    if (!err)
        err = imap_expect_end(c);
    return err ? err : imap_set_uids(cmd, &set, &st->uids);
}

void imap_cmd_store(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct store *st = arena_alloc(&cmd->arena, sizeof(*st));
    int err = st ? parse(cmd, st) : ERR_LIMIT;
    if (err) {
        imap_command_bad_args(cmd, err);
    } else if (s->view.read_only) {
        imap_command_no(cmd, "READ-ONLY", "The mailbox was opened by EXAMINE");
    } else if (st->uids.count == 0) {
        imap_command_ok(cmd, "Nothing to store");
    } else {
        cmd->state = st;
        cmd->op = mail_flags_store(s->mail, s->view.mailbox_id, st->uids.uids, st->uids.count, st->mode,
                                   st->flags.system, st->flags.keywords, on_stored, cmd);
    }
}
