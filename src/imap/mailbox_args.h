/* For the commands that name mailboxes. */
#ifndef HOLDFAST_IMAP_MAILBOX_ARGS_H
#define HOLDFAST_IMAP_MAILBOX_ARGS_H

#include "imap/command.h"

/* ` name` to the end of the command; 0 or the error to give to
 * imap_command_bad_args. */
int imap_take_mailbox(struct imap_command *cmd, struct str *ret_name) MUST_USE;
/* For mail.h: ends the command by err. */
void imap_on_mailbox_done(void *arg, int err);

#endif
