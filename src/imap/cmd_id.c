/* ID (RFC 2971): who we are; what the client says of itself is not kept. */
#include "base/err.h"
#include "imap/verbs.h"
#include "wire/imap_write.h"

#define PAIRS_MAX 30 /* RFC 2971 3.3 */

static int skip_pairs(struct imap_cursor *c)
{
    struct str name, value;
    if (imap_skip_word(c, "NIL") || !imap_skip_char(c, '('))
        return imap_expect_end(c);
    for (int i = 0; !imap_skip_char(c, ')'); i++) {
        if (i == PAIRS_MAX || (i > 0 && imap_expect_char(c, ' ')) || imap_parse_string(c, &name) ||
            imap_expect_char(c, ' ') || imap_parse_nstring(c, &value))
            return ERR_SYNTAX;
    }
    return imap_expect_end(c);
}

void imap_cmd_id(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    if (imap_expect_char(&cmd->args, ' ') || skip_pairs(&cmd->args)) {
        imap_command_bad_args(cmd, ERR_SYNTAX);
        return;
    }
    buf_append_text(&s->out, "* ID (\"name\" \"Holdfast\" \"instance\" ");
    imap_write_string(&s->out, str_from(s->options->instance));
    buf_append_text(&s->out, ")\r\n");
    imap_command_ok(cmd, "Pleased to meet you");
}
