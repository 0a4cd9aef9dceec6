/* What LOGIN and AUTHENTICATE share. */
#ifndef HOLDFAST_IMAP_LOGIN_H
#define HOLDFAST_IMAP_LOGIN_H

#include "imap/command.h"

/* Asks the owner; the command ends with its answer. */
void imap_login_ask(struct imap_command *cmd, struct str user, struct str password);
/* False: the command was ended, plain passwords are not allowed here. */
bool imap_login_is_allowed(struct imap_command *cmd);

#endif
