/* RSET (RFC 5321 4.1.1.5). */
#include "smtp/server_machine.h"

void cmd_rset(struct smtp_server *s, struct str args)
{
    if (args.len > 0) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "RSET takes no argument"));
        return;
    }
    server_reset(s);
    server_write(s, &SMTP_REPLY_OK);
}
