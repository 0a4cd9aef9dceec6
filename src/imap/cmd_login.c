/* LOGIN (RFC 3501 6.2.3). */
#include "imap/login.h"
#include "imap/verbs.h"

void imap_cmd_login(struct imap_command *cmd)
{
    struct imap_cursor *c = &cmd->args;
    struct str user, password;
    int err = imap_expect_char(c, ' ');
    if (!err)
        err = imap_parse_astring(c, &user);
    if (!err)
        err = imap_expect_char(c, ' ');
    if (!err)
        err = imap_parse_astring(c, &password);
    if (!err)
        err = imap_expect_end(c);
    if (err)
        imap_command_bad_args(cmd, err);
    else if (imap_login_is_allowed(cmd))
        imap_login_ask(cmd, user, password);
}
