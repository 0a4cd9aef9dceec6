/* What PASS and AUTH share. */
#include "base/err.h"
#include "base/mem.h"
#include "pop3/command.h"
#include "pop3/error.h"

#define DEFAULT_LOGIN_FAILURES_MAX 3

void pop3_login_ask(struct pop3_session *s, struct str user, struct str password)
{
    s->asking = true;
    s->ops->authenticate(s->arg, user, password);
}

void pop3_session_authenticated(struct pop3_session *s, int err, struct str user)
{
    unsigned max =
        s->options->login_failures_max ? s->options->login_failures_max : DEFAULT_LOGIN_FAILURES_MAX;
    CHECK(s->asking);
    s->asking = false;
    if (!err) {
        char *name = str_dup(user);
        free(s->user);
        s->user = name;
        pop3_maildrop_open(s);
        return;
    }
    if (err == ERR_NOT_FOUND)
        err = ERR_DENIED;
    buf_append_fmt(&s->out, "-ERR %s\r\n", pop3_error_text(err));
    if (err == ERR_DENIED && ++s->login_failures >= max)
        pop3_end(s);
    pop3_done(s);
}
