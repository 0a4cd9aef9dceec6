/* LIST and LSUB (RFC 3501 6.3.8, 6.3.9), with the attributes of RFC 3348. */
#include "base/err.h"
#include "imap/pattern.h"
#include "imap/verbs.h"
#include "wire/imap_write.h"

struct list {
    struct str pattern; /* reference and mailbox name, put together */
};

static void write_entry(struct imap_command *cmd, const char *attributes, struct str name)
{
    struct buf *out = &cmd->session->out;
    buf_append_fmt(out, "* %s (%s) \"/\" ", cmd->verb->name, attributes);
    imap_write_mailbox(out, name);
    buf_append_text(out, "\r\n");
}

static bool is_child(struct str name, struct str parent)
{
    return name.len > parent.len + 1 && name.ptr[parent.len] == '/' && str_starts(name, parent);
}

static bool has_children(const struct mail_mailbox *boxes, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (is_child(boxes[i].name, name))
            return true;
    return false;
}

static void list_one(struct imap_command *cmd, const struct mail_mailbox *boxes, size_t count, size_t index)
{
    const struct mail_mailbox *box = &boxes[index];
    bool parent = has_children(boxes, count, box->name);
    const char *attributes = box->selectable
                                 ? (parent ? "\\HasChildren" : "\\HasNoChildren")
                                 : (parent ? "\\Noselect \\HasChildren" : "\\Noselect \\HasNoChildren");
    write_entry(cmd, attributes, box->name);
}

/* RFC 3501 6.3.9: with `%` a parent that is not subscribed stands for its
 * subscribed children. Told once: by the first of them. */
static void lsub_parents(struct imap_command *cmd, const struct mail_mailbox *boxes, size_t count,
                         size_t index, struct str pattern)
{
    struct str name = boxes[index].name;
    for (size_t end = str_find(name, '/', 0); end != SIZE_MAX; end = str_find(name, '/', end + 1)) {
        struct str parent = str_sub(name, 0, end);
        bool told = false;
        for (size_t i = 0; i < count && !told; i++)
            told = boxes[i].subscribed &&
                   (str_eq(boxes[i].name, parent) || (i < index && is_child(boxes[i].name, parent)));
        if (!told && imap_pattern_matches(pattern, parent))
            write_entry(cmd, "\\Noselect", parent);
    }
}

static void on_mailboxes(void *arg, int err, const struct mail_mailbox *boxes, size_t count)
{
    struct imap_command *cmd = arg;
    struct list *list = cmd->state;
    bool lsub = imap_command_is(cmd, "LSUB");
    cmd->op = NULL;
    if (err) {
        imap_command_fail(cmd, err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (lsub && !boxes[i].subscribed)
            continue;
        if (!imap_pattern_matches(list->pattern, boxes[i].name)) {
            if (lsub && str_ends(list->pattern, STR("%")))
                lsub_parents(cmd, boxes, count, i, list->pattern);
        } else if (lsub) {
            write_entry(cmd, boxes[i].selectable ? "" : "\\Noselect", boxes[i].name);
        } else {
            list_one(cmd, boxes, count, i);
        }
    }
    imap_command_ok(cmd, "That is all");
}

static int parse(struct imap_command *cmd, struct str *ret_reference, struct str *ret_pattern)
{
    struct imap_cursor *c = &cmd->args;
    int err = imap_expect_char(c, ' ');
    if (!err)
        err = imap_parse_list_mailbox(c, ret_reference); /* a name without wildcards, as a rule */
    if (!err)
        err = imap_expect_char(c, ' ');
    if (!err)
        err = imap_parse_list_mailbox(c, ret_pattern);
    return err ? err : imap_expect_end(c);
}

void imap_cmd_list(struct imap_command *cmd)
{
    struct imap_session *s = cmd->session;
    struct str reference, pattern;
    int err = parse(cmd, &reference, &pattern);
    struct list *list = err ? NULL : arena_alloc(&cmd->arena, sizeof(*list) + reference.len + pattern.len);
    if (err || !list) {
        imap_command_bad_args(cmd, err ? err : ERR_LIMIT);
        return;
    }
    if (pattern.len == 0) { /* asks for the separator */
        write_entry(cmd, "\\Noselect", STR_EMPTY);
        imap_command_ok(cmd, "That is it");
        return;
    }
    struct buf both;
    buf_init(&both, reference.len + pattern.len);
    buf_append_str(&both, reference);
    buf_append_str(&both, pattern);
    list->pattern = arena_str(&cmd->arena, buf_str(&both));
    buf_fini(&both);
    cmd->state = list;
    cmd->op = mail_mailboxes(s->mail, str_from(s->user), on_mailboxes, cmd);
}
