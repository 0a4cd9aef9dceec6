/* CAPA (RFC 2449). */
#include "pop3/command.h"

void pop3_cmd_capa(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    buf_append_text(&s->out, "+OK These\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                             "EXPIRE NEVER\r\n");
    if (s->tls_offered && s->state == POP3_AUTHORIZATION)
        buf_append_text(&s->out, "STLS\r\n");
    if (s->plain_allowed)
        buf_append_text(&s->out, "USER\r\nSASL PLAIN\r\n");
    buf_append_fmt(&s->out, "IMPLEMENTATION Holdfast instance=%s\r\n.\r\n", s->options->instance);
    pop3_done(s);
}
