/* STLS (RFC 2595 4), from the command to the end of the handshake, which is the owner's. */
#include "base/mem.h"
#include "pop3/command.h"

void pop3_cmd_stls(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    if (!s->tls_offered) {
        pop3_err(s, "TLS is not offered now");
    } else if (s->in.len > 0) {
        /* It would count as sent under TLS: somebody on the way may have put it there. */
        pop3_end_with(s, "[SYS/PERM] Nothing may follow STLS before its answer");
        pop3_done(s);
    } else {
        s->tls_offered = false;
        s->tls_awaited = true;
        pop3_ok(s, "Begin TLS now");
    }
}

bool pop3_session_wants_tls(const struct pop3_session *s)
{
    return s->tls_awaited && !s->ended;
}

void pop3_session_tls_started(struct pop3_session *s)
{
    CHECK(s->tls_awaited && s->in.len == 0);
    s->tls_awaited = false;
    s->plain_allowed = true;
    free(s->user); /* what USER said is forgotten */
    s->user = NULL;
    if (s->tls_first)
        pop3_greet(s);
    s->tls_first = false;
}

void pop3_session_begin_with_tls(struct pop3_session *s)
{
    buf_clear(&s->out); /* what was to be said is said under it */
    s->tls_offered = false;
    s->tls_awaited = s->tls_first = true;
}
