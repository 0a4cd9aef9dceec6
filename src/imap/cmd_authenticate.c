/* AUTHENTICATE PLAIN (RFC 3501 6.2.2, RFC 4616), with the initial response of
 * SASL-IR (RFC 4959). */
#include "auth/sasl.h"
#include "base/err.h"
#include "imap/login.h"
#include "imap/verbs.h"
#include "wire/base64.h"

static void take_response(struct imap_command *cmd, struct str base64)
{
    struct sasl sasl;
    struct buf decoded;
    struct str challenge;
    cmd->on_line = NULL;
    if (str_eq(base64, STR("*"))) {
        imap_command_bad(cmd, "Cancelled");
        return;
    }
    buf_init(&decoded, base64.len + 1);
    int err = base64_decode(&decoded, base64);
    struct str initial = buf_str(&decoded);
    err = err ? err : sasl_start(&sasl, STR("PLAIN"), &initial, &challenge);
    buf_fini(&decoded);
    if (!err) {
        imap_login_ask(cmd, sasl_user(&sasl), sasl_password(&sasl));
        sasl_fini(&sasl);
    } else if (err == ERR_DENIED) {
        imap_command_no(cmd, "AUTHORIZATIONFAILED", "Not for another user");
    } else {
        imap_command_bad(cmd, "Not a PLAIN response");
    }
}

void imap_cmd_authenticate(struct imap_command *cmd)
{
    struct imap_cursor *c = &cmd->args;
    struct str mechanism;
    if (imap_expect_char(c, ' ') || imap_parse_atom(c, &mechanism)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    if (!imap_login_is_allowed(cmd))
        return;
    if (!str_ieq(mechanism, STR("PLAIN"))) {
        imap_command_no(cmd, NULL, "PLAIN is the mechanism here");
    } else if (imap_skip_char(c, ' ')) {
        take_response(cmd, c->rest);
    } else if (!imap_at_end(c)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
    } else {
        cmd->on_line = take_response;
        buf_append_text(&cmd->session->out, "+ \r\n");
    }
}
