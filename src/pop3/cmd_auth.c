/* AUTH PLAIN (RFC 5034, RFC 4616). */
#include "auth/sasl.h"
#include "base/err.h"
#include "pop3/command.h"
#include "wire/base64.h"

static void take_response(struct pop3_session *s, struct str base64)
{
    struct sasl sasl;
    struct buf decoded;
    struct str challenge;
    if (str_eq(base64, STR("*"))) {
        pop3_err(s, "Cancelled");
        return;
    }
    buf_init(&decoded, base64.len + 1);
    int err = base64_decode(&decoded, base64);
    struct str initial = buf_str(&decoded);
    err = err ? err : sasl_start(&sasl, STR("PLAIN"), &initial, &challenge);
    buf_fini(&decoded);
    if (err) {
        pop3_err(s, err == ERR_DENIED ? "[AUTH] Not for another user" : "Not a PLAIN response");
        return;
    }
    pop3_login_ask(s, sasl_user(&sasl), sasl_password(&sasl));
    sasl_fini(&sasl);
}

void pop3_cmd_auth(struct pop3_session *s, const struct pop3_command *c)
{
    if (!s->plain_allowed) {
        pop3_err(s, "[SYS/PERM] Not without encryption from there");
    } else if (c->arg_count == 0) { /* an old way to ask for the mechanisms */
        buf_append_text(&s->out, "+OK These\r\nPLAIN\r\n.\r\n");
        pop3_done(s);
    } else if (c->arg_count > 2 || !str_ieq(c->arg[0], STR("PLAIN"))) {
        pop3_err(s, "PLAIN is the mechanism here");
    } else if (c->arg_count == 2) {
        take_response(s, c->arg[1]);
    } else {
        buf_append_text(&s->out, "+ \r\n");
        s->on_line = take_response;
        pop3_done(s);
    }
}
