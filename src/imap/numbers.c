#include "imap/numbers.h"

#include "base/err.h"

int imap_take_set(struct imap_command *cmd, struct imap_set *ret_set)
{
    const struct imap_view *v = &cmd->session->view;
    struct imap_set set;
    if (imap_expect_char(&cmd->args, ' '))
        return ERR_SYNTAX;
    int err = imap_parse_set(&cmd->args, &set);
    if (err)
        return err;
    imap_set_resolve(&set, cmd->uid ? imap_view_last_uid(v) : (uint32_t)v->count);
    if (!cmd->uid && imap_set_high(&set) > v->count)
        return ERR_SYNTAX;
    *ret_set = set;
    return 0;
}

bool imap_set_has_message(const struct imap_command *cmd, const struct imap_set *set, size_t index)
{
    return imap_set_has(set, cmd->uid ? cmd->session->view.messages[index].uid : (uint32_t)index + 1);
}

int imap_set_uids(struct imap_command *cmd, const struct imap_set *set, struct imap_uids *ret_uids)
{
    const struct imap_view *v = &cmd->session->view;
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++)
        count += !v->messages[i].gone && imap_set_has_message(cmd, set, i);
    uint32_t *uids = arena_alloc(&cmd->arena, count * sizeof(*uids));
    if (!uids)
        return ERR_LIMIT;
    count = 0;
    for (size_t i = 0; i < v->count; i++)
        if (!v->messages[i].gone && imap_set_has_message(cmd, set, i))
            uids[count++] = v->messages[i].uid;
    *ret_uids = (struct imap_uids){uids, count};
    return 0;
}
