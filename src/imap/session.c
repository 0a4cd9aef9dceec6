#include "imap/session.h"

#include "base/err.h"
#include "base/mem.h"
#include "imap/append.h"
#include "imap/command.h"
#include "imap/sync.h"

#define DEFAULT_IDLE_TIMEOUT_MS  (30 * 60 * 1000) /* RFC 3501 5.4 */
#define DEFAULT_LOGIN_TIMEOUT_MS (60 * 1000)
#define IN_MAX_BYTES             (1u << 20) /* a mover that keeps to wants_input stays far below */

void imap_session_greet(struct imap_session *s)
{
    const struct imap_options *o = s->options;
    if (!s->mail) {
        imap_session_bye(s, "[UNAVAILABLE] The mail store is not available now");
        return;
    }
    buf_append_text(&s->out, "* OK [CAPABILITY ");
    imap_write_capability(s, &s->out);
    buf_append_fmt(&s->out, "] %s Holdfast IMAP instance=%s\r\n", o->hostname, o->instance);
}

struct imap_session *imap_session_new(const struct imap_options *options, const struct imap_ops *ops,
                                      void *arg, struct mail *mail, bool plain_allowed, bool tls_offered)
{
    struct imap_session *s = mem_zalloc(sizeof(*s));
    s->options = options;
    s->ops = ops;
    s->arg = arg;
    s->mail = mail;
    s->plain_allowed = plain_allowed;
    s->tls_offered = tls_offered;
    s->state = IMAP_NOT_AUTHENTICATED;
    imap_frame_init(&s->frame);
    buf_init(&s->in, IN_MAX_BYTES);
    buf_init(&s->out, IMAP_OUT_MAX_BYTES);
    s->command.session = s;
    arena_init(&s->command.arena, IMAP_COMMAND_ARENA_BYTES);
    buf_init(&s->command.reply, IMAP_OUT_MAX_BYTES);
    imap_view_init(&s->view);
    arena_init(&s->structure_arena, IMAP_STRUCTURE_ARENA_BYTES);
    imap_session_greet(s);
    return s;
}

static void cancel_command(struct imap_session *s)
{
    struct imap_command *cmd = &s->command;
    if (s->asking)
        s->ops->cancel(s->arg);
    s->asking = false;
    if (cmd->op)
        store_op_forget(cmd->op);
    cmd->op = NULL;
    imap_command_release(cmd);
    cmd->verb = NULL;
}

void imap_session_free(struct imap_session *s)
{
    if (!s)
        return;
    cancel_command(s);
    imap_session_unselect(s);
    arena_fini(&s->command.arena);
    arena_fini(&s->structure_arena);
    buf_fini(&s->command.reply);
    buf_fini(&s->in);
    buf_fini(&s->out);
    imap_frame_fini(&s->frame);
    free(s->user);
    free(s);
}

/* ---- the end ---- */

void imap_session_end(struct imap_session *s)
{
    if (s->ended)
        return;
    s->ended = true;
    cancel_command(s);
    imap_session_unselect(s);
    buf_clear(&s->in);
}

void imap_session_bye(struct imap_session *s, const char *text)
{
    if (!s->ended)
        buf_append_fmt(&s->out, "* BYE %s\r\n", text);
    imap_session_end(s);
}

void imap_session_fenced(struct imap_session *s)
{
    if (s->ended)
        return;
    imap_session_bye(s, "[UNAVAILABLE] This instance was replaced by another one");
    s->ops->fenced(s->arg);
}

void imap_session_timeout(struct imap_session *s)
{
    imap_session_bye(s, "Too long without a command, logging out");
}

void imap_session_shutdown(struct imap_session *s, const char *why)
{
    imap_session_bye(s, why);
    imap_session_progress(s);
}

/* ---- commands ---- */

static const char *wrong_state_text(const struct imap_session *s, const struct imap_verb *verb)
{
    if (s->state == IMAP_NOT_AUTHENTICATED)
        return "Log in first";
    return verb->states & IMAP_SELECTED ? "Select a mailbox first" : "Not while logged in";
}

static void start_command(struct imap_session *s, struct str text)
{
    static const struct imap_verb unknown = {.name = "", .states = IMAP_ANY_STATE};
    struct imap_command *cmd = &s->command;
    struct str name;
    cmd->args = (struct imap_cursor){arena_str(&cmd->arena, text), &cmd->arena};
    cmd->tag = STR("*");
    cmd->uid = false;
    cmd->verb = &unknown;
    if (imap_parse_tag(&cmd->args, &cmd->tag) || imap_expect_char(&cmd->args, ' ') ||
        imap_parse_atom(&cmd->args, &name)) {
        imap_command_bad(cmd, "Not a command: a tag, a space and a command are wanted");
        return;
    }
    if (str_ieq(name, STR("UID"))) {
        cmd->uid = true;
        if (imap_expect_char(&cmd->args, ' ') || imap_parse_atom(&cmd->args, &name))
            name = STR_EMPTY;
    }
    const struct imap_verb *verb = imap_verb_find(name, cmd->uid);
    if (!verb) {
        imap_command_bad(cmd, "Unknown command");
    } else if (!(verb->states & s->state)) {
        imap_command_bad(cmd, wrong_state_text(s, verb));
    } else {
        cmd->verb = verb;
        verb->start(cmd);
    }
}

/* ---- input ---- */

static void on_text(struct imap_session *s)
{
    struct imap_command *cmd = &s->command;
    struct str text = buf_str(&s->frame.command);
    if (cmd->verb)
        cmd->on_line(cmd, text);
    else
        start_command(s, text);
    imap_frame_reset(&s->frame);
    s->frame.raw = cmd->verb && cmd->on_line;
}

static void on_too_long(struct imap_session *s)
{
    static const struct imap_verb too_long = {.name = "", .states = IMAP_ANY_STATE, .keeps_numbers = true};
    struct imap_command *cmd = &s->command;
    struct imap_cursor c = {buf_str(&s->frame.command), &cmd->arena};
    struct str tag;
    if (cmd->verb) {
        cmd->on_line(cmd, STR("too long"));
    } else {
        bool tagged = imap_parse_tag(&c, &tag) == 0 && imap_skip_char(&c, ' ');
        cmd->tag = tagged ? arena_str(&cmd->arena, tag) : STR("*");
        cmd->verb = &too_long;
        imap_command_bad(cmd, "Command line or literal too long");
    }
    imap_frame_reset(&s->frame);
}

static void on_literal(struct imap_session *s)
{
    if (!s->command.verb && imap_append_take_literal(s))
        return;
    /* In a running APPEND it would be a second message. */
    if (s->command.verb || s->frame.literal_bytes > IMAP_COMMAND_MAX_BYTES) {
        if (imap_frame_refuse(&s->frame))
            on_too_long(s);
        return;
    }
    if (s->frame.literal_sync)
        buf_append_text(&s->out, "+ Ready\r\n");
    imap_frame_gather(&s->frame);
}

static bool wants_bytes(const struct imap_session *s)
{
    const struct imap_command *cmd = &s->command;
    if (s->ended || s->sync_op || s->tls_awaited)
        return false;
    if (!cmd->verb)
        return !imap_session_out_full(s);
    return cmd->on_line && !s->data_blocked;
}

static void on_event(struct imap_session *s, enum imap_frame_event event, struct str data)
{
    switch (event) {
    case IMAP_FRAME_COMMAND:
        on_text(s);
        break;
    case IMAP_FRAME_LITERAL:
        on_literal(s);
        break;
    case IMAP_FRAME_DATA:
        s->data_blocked = !s->command.on_data(&s->command, data);
        break;
    case IMAP_FRAME_TOO_LONG:
        on_too_long(s);
        break;
    case IMAP_FRAME_DATA_END:
    case IMAP_FRAME_MORE:
        break;
    }
}

static void pump(struct imap_session *s, struct str *input)
{
    s->pumping = true;
    while (wants_bytes(s)) {
        struct str data = STR_EMPTY;
        enum imap_frame_event event = imap_frame_feed(&s->frame, input, &data);
        if (event == IMAP_FRAME_MORE)
            break;
        s->behind_bytes = input->len;
        on_event(s, event, data);
    }
    s->pumping = false;
}

void imap_session_input(struct imap_session *s, const char *data, size_t len)
{
    struct str input = {data, len};
    if (s->ended)
        return;
    if (s->in.len == 0) {
        pump(s, &input);
        if (!s->ended && buf_append_str(&s->in, input) != 0)
            imap_session_bye(s, "Too much input");
        return;
    }
    if (buf_append_str(&s->in, input) != 0) {
        imap_session_bye(s, "Too much input");
        return;
    }
    imap_session_progress(s);
}

static void pump_kept(struct imap_session *s)
{
    struct str input = buf_str(&s->in);
    size_t before = input.len;
    if (s->pumping || s->ended)
        return;
    pump(s, &input);
    if (!s->ended)
        buf_consume(&s->in, before - input.len);
}

void imap_session_progress(struct imap_session *s)
{
    if (s->pumping)
        return;
    pump_kept(s);
    if (s->out.overflow)
        imap_session_end(s);
    if (s->on_wake)
        s->on_wake(s->wake_arg);
}

/* ---- for who moves the bytes ---- */

bool imap_session_wants_input(const struct imap_session *s)
{
    return wants_bytes(s);
}

bool imap_session_out_full(const struct imap_session *s)
{
    return s->out.len >= IMAP_SESSION_OUT_HIGH;
}

struct str imap_session_output(const struct imap_session *s)
{
    return buf_str(&s->out);
}

void imap_session_output_taken(struct imap_session *s, size_t len)
{
    bool was_full = imap_session_out_full(s);
    buf_consume(&s->out, len);
    if (!was_full || imap_session_out_full(s) || s->ended)
        return;
    if (s->command.verb && s->command.on_room)
        s->command.on_room(&s->command);
    pump_kept(s);
}

bool imap_session_finished(const struct imap_session *s)
{
    return s->ended;
}

int64_t imap_session_timeout_ms(const struct imap_session *s)
{
    int64_t login = s->options->login_timeout_ms, idle = s->options->idle_timeout_ms;
    if (!wants_bytes(s) && !s->tls_awaited)
        return 0;
    if (s->state == IMAP_NOT_AUTHENTICATED)
        return login ? login : DEFAULT_LOGIN_TIMEOUT_MS;
    return idle ? idle : DEFAULT_IDLE_TIMEOUT_MS;
}

void imap_session_on_wake(struct imap_session *s, void (*on_wake)(void *arg), void *arg)
{
    s->on_wake = on_wake;
    s->wake_arg = arg;
}

struct str imap_session_user(const struct imap_session *s)
{
    return str_from(s->user);
}
