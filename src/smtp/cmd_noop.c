/* NOOP (RFC 5321 4.1.1.9); an argument is allowed. */
#include "smtp/server_machine.h"

void cmd_noop(struct smtp_server *s, struct str args)
{
    (void)args;
    server_write(s, &SMTP_REPLY_OK);
}
