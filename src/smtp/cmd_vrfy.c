/* VRFY and EXPN (RFC 5321 3.5, 7.3): addresses are not given away. */
#include "smtp/server_machine.h"

void cmd_vrfy(struct smtp_server *s, struct str args)
{
    if (args.len == 0)
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "Syntax: VRFY address"));
    else
        server_write(
            s, &SMTP_REPLY(252, 2, 0, 0, "Cannot verify, but will take the message and attempt delivery"));
}

void cmd_expn(struct smtp_server *s, struct str args)
{
    (void)args;
    server_refuse(s, SMTP_REPLY(502, 5, 5, 1, "EXPN is not implemented"));
}
