/* COPY (RFC 3501 6.4.7) and MOVE (RFC 6851), with COPYUID (RFC 4315 3). */
#include "base/err.h"
#include "imap/numbers.h"
#include "imap/verbs.h"

static void write_copyuid(struct buf *out, uint32_t uid_validity, const uint32_t *from_uids,
                          const uint32_t *to_uids, size_t count)
{
    buf_append_fmt(out, "[COPYUID %u ", uid_validity);
    imap_set_write(out, from_uids, count);
    buf_append_char(out, ' ');
    imap_set_write(out, to_uids, count);
    buf_append_text(out, "]");
}

static void on_copied(void *arg, int err, uint32_t uid_validity, const uint32_t *from_uids,
                      const uint32_t *to_uids, size_t count)
{
    struct imap_command *cmd = arg;
    struct imap_session *s = cmd->session;
    bool move = imap_command_is(cmd, "MOVE");
    cmd->op = NULL;
    s->view_dirty = true;
    if (err == ERR_NOT_FOUND) {
        imap_command_no(cmd, "TRYCREATE", "There is no such mailbox");
    } else if (err) {
        imap_command_fail(cmd, err);
    } else if (count == 0) {
        imap_command_ok(cmd, "None of them is there any more");
    } else {
        struct buf code;
        buf_init(&code, IMAP_OUT_MAX_BYTES);
        write_copyuid(&code, uid_validity, from_uids, to_uids, count);
        if (move) /* before the EXPUNGEs (RFC 6851 4.3) */
            buf_append_fmt(&s->out, "* OK %s Moved\r\n", buf_data(&code));
        imap_command_finish(cmd, "OK", "%s Done", move ? "" : buf_data(&code));
        buf_fini(&code);
    }
}

static int parse(struct imap_command *cmd, struct imap_uids *ret_uids, struct str *ret_to)
{
    struct imap_set set;
    int err = imap_take_set(cmd, &set);
    if (!err)
        err = imap_expect_char(&cmd->args, ' ');
    if (!err)
        err = imap_parse_mailbox(&cmd->args, ret_to);
    if (!err)
        err = imap_expect_end(&cmd->args);
    return err ? err : imap_set_uids(cmd, &set, ret_uids);
}

void imap_cmd_copy(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct imap_uids uids;
    struct str to;
    bool move = imap_command_is(cmd, "MOVE");
    int err = parse(cmd, &uids, &to);
    if (err)
        imap_command_bad_args(cmd, err);
    else if (move && s->view.read_only)
        imap_command_no(cmd, "READ-ONLY", "The mailbox was opened by EXAMINE");
    else if (uids.count == 0)
        imap_command_ok(cmd, "None of them is there");
    else
        cmd->op = mail_copy(s->mail, s->view.mailbox_id, uids.uids, uids.count, move, to, on_copied, cmd);
}
