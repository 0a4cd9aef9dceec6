/* Refusals as the owner's log wants them. */
#include <string.h>

#include "smtp/server_machine.h"

static bool about_transaction(const char *stage)
{
    static const char *const stages[] = {"MAIL", "RCPT", "DATA", "message"};
    for (size_t i = 0; i < ARRAY_LEN(stages); i++)
        if (strcmp(stage, stages[i]) == 0)
            return true;
    return false;
}

void server_tell_refusal(struct smtp_server *s, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) < 4 || !s->ops->refused)
        return;
    struct smtp_refusal refusal = {.stage = s->stage, .reply = r};
    if (about_transaction(s->stage))
        refusal.sender = str_from(s->said_sender);
    if (strcmp(s->stage, "RCPT") == 0)
        refusal.recipient = str_from(s->said_recipient);
    s->ops->refused(s->arg, &refusal);
}

void server_note_path(char said[SMTP_PATH_MAX], struct str args)
{
    size_t colon = str_find(args, ':', 0);
    struct str path = str_trim(str_sub(args, colon == SIZE_MAX ? 0 : colon + 1, args.len));
    path = str_sub(path, 0, str_find(path, ' ', 0));
    if (path.len >= 2 && path.ptr[0] == '<' && path.ptr[path.len - 1] == '>')
        path = str_sub(path, 1, path.len - 2);
    path = str_sub(path, 0, SMTP_PATH_MAX - 1);
    memcpy(said, path.ptr, path.len);
    said[path.len] = '\0';
}
