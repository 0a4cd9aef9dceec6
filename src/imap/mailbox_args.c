#include "imap/mailbox_args.h"

#include "base/err.h"

int imap_take_mailbox(struct imap_command *cmd, struct str *ret_name)
{
    struct str name;
    int err = imap_expect_char(&cmd->args, ' ');
    if (!err)
        err = imap_parse_mailbox(&cmd->args, &name);
    if (!err)
        err = imap_expect_end(&cmd->args);
    if (!err)
        *ret_name = name;
    return err;
}

void imap_on_mailbox_done(void *arg, int err)
{
    struct imap_command *cmd = arg;
    cmd->op = NULL;
    if (err)
        imap_command_fail(cmd, err);
    else
        imap_command_ok(cmd, "Done");
}
