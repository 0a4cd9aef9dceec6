/* DELE, RSET and NOOP (RFC 1939 5). */
#include "pop3/command.h"

void pop3_cmd_dele(struct pop3_session *s, const struct pop3_command *c)
{
    size_t index;
    struct pop3_message *m = pop3_message_of(s, c->arg_count == 1 ? c->arg[0] : STR_EMPTY, &index);
    if (!m)
        return;
    m->deleted = true;
    pop3_ok(s, "Message %zu will be deleted", index + 1);
}

void pop3_cmd_rset(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    for (size_t i = 0; i < s->count; i++)
        s->messages[i].deleted = false;
    pop3_ok(s, "Nothing will be deleted");
}

void pop3_cmd_noop(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    pop3_ok(s, "Done");
}
