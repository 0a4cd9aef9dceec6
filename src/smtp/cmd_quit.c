/* QUIT (RFC 5321 4.1.1.10). */
#include "smtp/server_machine.h"

void cmd_quit(struct smtp_server *s, struct str args)
{
    if (args.len > 0) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "QUIT takes no argument"));
        return;
    }
    server_write(s, &SMTP_REPLY(221, 2, 0, 0, "Closing transmission channel"));
    server_finish(s);
}
