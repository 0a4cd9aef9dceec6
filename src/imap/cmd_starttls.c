/* STARTTLS (RFC 3501 6.2.1), from the command to the end of the handshake, which is the owner's. */
#include "base/err.h"
#include "imap/verbs.h"

void imap_cmd_starttls(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (imap_expect_end(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
    } else if (!s->tls_offered) {
        imap_command_bad(cmd, "TLS is not offered now");
    } else if (s->behind_bytes > 0) {
        /* It would count as sent under TLS: somebody on the way may have put it there. */
        imap_session_bye(s, "Nothing may follow STARTTLS before its answer");
    } else {
        s->tls_offered = false;
        s->tls_awaited = true;
        imap_command_ok(cmd, "Begin TLS now");
    }
}

bool imap_session_wants_tls(const struct imap_session *s)
{
    return s->tls_awaited && !s->ended;
}

void imap_session_tls_started(struct imap_session *s)
{
    CHECK(s->tls_awaited && s->in.len == 0);
    s->tls_awaited = false;
    s->plain_allowed = true;
    if (s->tls_first)
        imap_session_greet(s);
    s->tls_first = false;
}

void imap_session_begin_with_tls(struct imap_session *s)
{
    buf_clear(&s->out); /* what was to be said is said under it */
    s->tls_offered = false;
    s->tls_awaited = s->tls_first = true;
}
