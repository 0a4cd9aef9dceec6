/* APPEND (RFC 3501 6.3.11), with APPENDUID (RFC 4315). The message goes into
 * the store as it comes in; its bytes are kept as they are. */
#include <string.h>

#include "base/err.h"
#include "imap/append.h"
#include "imap/error.h"
#include "imap/verbs.h"

struct append {
    struct str mailbox;
    struct imap_flags flags;
    struct wall_time date;
    bool dated;
    struct body_writer *body;  /* NULL: refused */
    const char *code, *reason; /* why */
};

static int parse(struct imap_cursor *c, struct append *a)
{
    int err = imap_parse_mailbox(c, &a->mailbox);
    if (err)
        return err;
    if (imap_expect_char(c, ' '))
        return ERR_SYNTAX;
    if (c->rest.len > 0 && c->rest.ptr[0] == '(') {
        err = imap_parse_flag_list(c, &a->flags);
        if (err)
            return err;
        if (imap_expect_char(c, ' '))
            return ERR_SYNTAX;
    }
    a->dated = c->rest.len > 0 && c->rest.ptr[0] == '"';
    if (a->dated && (imap_parse_date_time(c, &a->date) || imap_expect_char(c, ' ')))
        return ERR_SYNTAX;
    return 0;
}

/* The command up to the literal that was just announced. */
static bool is_append(struct imap_cursor *c, struct str *ret_tag)
{
    struct str tag, name;
    if (imap_parse_tag(c, &tag) || imap_expect_char(c, ' ') || imap_parse_atom(c, &name) ||
        !str_ieq(name, STR("APPEND")) || imap_expect_char(c, ' '))
        return false;
    *ret_tag = tag;
    return true;
}

static void end(struct imap_command *cmd)
{
    struct append *a = cmd->state;
    if (a && a->body)
        body_abort(a->body);
}

static void on_append(void *arg, int err, uint32_t uid_validity, uint32_t uid)
{
    struct imap_command *cmd = arg;
    cmd->op = NULL;
    cmd->session->view_dirty = true;
    if (err == ERR_NOT_FOUND)
        imap_command_no(cmd, "TRYCREATE", "There is no such mailbox");
    else if (err == ERR_UNKNOWN)
        imap_session_bye(cmd->session, "[UNAVAILABLE] It is not known whether the message was stored");
    else if (err)
        imap_command_fail(cmd, err);
    else
        imap_command_finish(cmd, "OK", "[APPENDUID %u %u] Appended", uid_validity, uid);
}

static void on_last_line(struct imap_command *cmd, struct str line)
{
    struct imap_session *s = cmd->session;
    struct append *a = cmd->state;
    struct body_writer *body = a->body;
    if (!body) {
        imap_command_no(cmd, a->code, a->reason);
        return;
    }
    if (line.len > 0) {
        imap_command_bad(cmd, "After the message its line's end is wanted");
        return;
    }
    a->body = NULL;
    cmd->on_line = NULL;
    cmd->on_data = NULL;
    struct wall_time date = a->dated ? a->date : s->ops->now(s->arg);
    cmd->op = mail_append(s->mail, body, str_from(s->user), a->mailbox, a->flags.system, a->flags.keywords,
                          date, on_append, cmd);
}

static void on_room(void *arg)
{
    struct imap_command *cmd = arg;
    cmd->session->data_blocked = false;
    imap_session_progress(cmd->session);
}

static void refuse(struct append *a, const char *code, const char *reason)
{
    a->code = code;
    a->reason = reason;
}

/* No literal has one (RFC 3501 4.3), nor has a message. */
static void refuse_nul(struct append *a)
{
    body_abort(a->body);
    a->body = NULL;
    refuse(a, "CANNOT", "The message holds a NUL");
}

static bool on_data(struct imap_command *cmd, struct str data)
{
    struct append *a = cmd->state;
    if (a->body && data.len > 0 && memchr(data.ptr, '\0', data.len))
        refuse_nul(a);
    if (!a->body)
        return true; /* the rest is swallowed */
    body_append(a->body, data.ptr, data.len);
    return !body_writer_full(a->body);
}

/* Before the bytes are taken: an answer now saves the client from sending them. */
static void judge(struct imap_session *s, struct append *a, int parse_err)
{
    uint64_t max = s->options->append_max_bytes;
    if (parse_err == ERR_INVALID)
        refuse(a, "CANNOT", "Not a mailbox name");
    else if (parse_err)
        refuse(a, "LIMIT", "Too many keywords");
    else if (max > 0 && s->frame.literal_bytes > max)
        refuse(a, "TOOBIG", "The message is larger than this server takes");
    else if (s->frame.literal_bytes == 0)
        refuse(a, "CANNOT", "An empty message");
    else
        a->body = mail_body_begin(s->mail, false);
    if (!a->reason && !a->body)
        refuse(a, "UNAVAILABLE", imap_error_for(ERR_UNAVAILABLE).text);
}

static void begin(struct imap_session *s, struct append *a)
{
    struct imap_command *cmd = &s->command;
    cmd->state = a;
    cmd->on_end = end;
    cmd->on_line = on_last_line;
    if (!a->body) {
        if (imap_frame_refuse(&s->frame)) {
            imap_frame_reset(&s->frame);
            on_last_line(cmd, STR_EMPTY);
        }
        return;
    }
    cmd->on_data = on_data;
    body_writer_on_room(a->body, on_room, cmd);
    if (s->frame.literal_sync)
        buf_append_text(&s->out, "+ Ready for the message\r\n");
    imap_frame_stream(&s->frame);
}

bool imap_append_take_literal(struct imap_session *s)
{
    static const struct imap_verb verb = {.name = "APPEND", .states = IMAP_LOGGED_IN};
    struct imap_command *cmd = &s->command;
    struct imap_cursor c = {buf_str(&s->frame.command), &cmd->arena};
    struct str tag;
    if (!(s->state & IMAP_LOGGED_IN) || !is_append(&c, &tag))
        return false;
    struct append *a = arena_alloc(&cmd->arena, sizeof(*a));
    CHECK(a);
    a->flags.keywords = STR_EMPTY;
    int err = parse(&c, a);
    bool is_message = c.rest.len > 0 && c.rest.ptr[0] == '{' && str_find(c.rest, '\n', 0) == c.rest.len - 1;
    if (err == ERR_SYNTAX || (!err && !is_message)) {
        arena_clear(&cmd->arena);
        return false;
    }
    cmd->tag = arena_str(&cmd->arena, tag);
    cmd->verb = &verb;
    cmd->uid = false;
    judge(s, a, err);
    begin(s, a);
    return true;
}

void imap_cmd_append(struct imap_command *cmd)
{
    imap_command_bad(cmd, "A mailbox and a message as a literal are wanted");
}
