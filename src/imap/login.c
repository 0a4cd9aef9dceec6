#include "imap/login.h"

#include "base/err.h"

#define DEFAULT_LOGIN_FAILURES_MAX 3

bool imap_login_is_allowed(struct imap_command *cmd)
{
    if (cmd->session->plain_allowed)
        return true;
    imap_command_no(cmd, "PRIVACYREQUIRED", "Not without encryption from there");
    return false;
}

void imap_login_ask(struct imap_command *cmd, struct str user, struct str password)
{
    struct imap_session *s = cmd->session;
    s->asking = true;
    s->ops->authenticate(s->arg, user, password);
}

static void refuse(struct imap_session *s, int err)
{
    unsigned max =
        s->options->login_failures_max ? s->options->login_failures_max : DEFAULT_LOGIN_FAILURES_MAX;
    if (err != ERR_DENIED && err != ERR_NOT_FOUND) {
        imap_command_fail(&s->command, err);
        return;
    }
    if (++s->login_failures >= max) {
        buf_append_text(&s->out, "* BYE Too many failed logins\r\n");
        s->logging_out = true;
    }
    imap_command_no(&s->command, "AUTHENTICATIONFAILED", "User or password is wrong");
}

void imap_session_authenticated(struct imap_session *s, int err, struct str user)
{
    CHECK(s->asking);
    s->asking = false;
    if (err) {
        refuse(s, err);
        return;
    }
    s->user = str_dup(user);
    s->state = IMAP_AUTHENTICATED;
    struct buf text;
    buf_init(&text, 1024);
    imap_write_capability(s, &text);
    imap_command_finish(&s->command, "OK", "[CAPABILITY %s] Logged in", buf_data(&text));
    buf_fini(&text);
}
