/* HELP (RFC 5321 4.1.1.8). */
#include "smtp/server_machine.h"

void cmd_help(struct smtp_server *s, struct str args)
{
    struct buf text;
    (void)args;
    buf_init(&text, SMTP_REPLY_TEXT_MAX);
    buf_append_text(&text, "Commands:");
    server_list_verbs(s, &text);
    server_write(s, &(struct smtp_reply){214, {2, 0, 0}, buf_str(&text)});
    buf_fini(&text);
}
