/* USER and PASS (RFC 1939 7). */
#include "base/mem.h"
#include "pop3/command.h"

void pop3_cmd_user(struct pop3_session *s, const struct pop3_command *c)
{
    if (!s->plain_allowed) {
        pop3_err(s, "[SYS/PERM] Not without encryption from there");
        return;
    }
    if (c->arg_count != 1) {
        pop3_err(s, "One name is wanted");
        return;
    }
    free(s->user);
    s->user = str_dup(c->arg[0]);
    pop3_ok(s, "And the password?"); /* known or not: it tells nothing */
}

void pop3_cmd_pass(struct pop3_session *s, const struct pop3_command *c)
{
    if (!s->user)
        pop3_err(s, "USER first");
    else if (c->rest.len == 0)
        pop3_err(s, "A password is wanted");
    else
        pop3_login_ask(s, str_from(s->user), c->rest);
}
