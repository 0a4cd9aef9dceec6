#include "pop3/session.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/mem.h"
#include "pop3/command.h"
#include "pop3/error.h"

#define DEFAULT_IDLE_TIMEOUT_MS  (10 * 60 * 1000) /* RFC 1939 3 */
#define DEFAULT_LOGIN_TIMEOUT_MS (60 * 1000)
#define BAD_COMMANDS_MAX         20 /* nothing sensible is at the other end */
#define ARENA_BYTES              (8 * POP3_LINE_MAX_BYTES)

void pop3_greet(struct pop3_session *s)
{
    const struct pop3_options *o = s->options;
    if (s->mail) {
        buf_append_fmt(&s->out, "+OK %s Holdfast POP3 instance=%s\r\n", o->hostname, o->instance);
    } else {
        buf_append_text(&s->out, "-ERR [SYS/TEMP] The mail store is not available now\r\n");
        s->ended = true;
    }
}

struct pop3_session *pop3_session_new(const struct pop3_options *options, const struct pop3_ops *ops,
                                      void *arg, struct mail *mail, bool plain_allowed, bool tls_offered)
{
    struct pop3_session *s = mem_zalloc(sizeof(*s));
    s->options = options;
    s->ops = ops;
    s->arg = arg;
    s->mail = mail;
    s->plain_allowed = plain_allowed;
    s->tls_offered = tls_offered;
    s->state = POP3_AUTHORIZATION;
    buf_init(&s->in, POP3_IN_MAX_BYTES);
    buf_init(&s->out, POP3_OUT_MAX_BYTES);
    arena_init(&s->arena, ARENA_BYTES);
    pop3_greet(s);
    return s;
}

static void release(struct pop3_session *s)
{
    if (s->asking)
        s->ops->cancel(s->arg);
    s->asking = false;
    if (s->op)
        store_op_forget(s->op);
    s->op = NULL;
    if (s->reader)
        body_close(s->reader);
    s->reader = NULL;
}

void pop3_session_free(struct pop3_session *s)
{
    if (!s)
        return;
    release(s);
    buf_fini(&s->in);
    buf_fini(&s->out);
    arena_fini(&s->arena);
    free(s->messages);
    free(s->user);
    free(s);
}

void pop3_end(struct pop3_session *s)
{
    s->ended = true;
    release(s);
    buf_clear(&s->in);
}

void pop3_end_with(struct pop3_session *s, const char *line)
{
    if (s->ended)
        return;
    buf_append_fmt(&s->out, "-ERR %s\r\n", line);
    pop3_end(s);
}

void pop3_session_timeout(struct pop3_session *s)
{
    pop3_end_with(s, "[SYS/TEMP] Too long without a command, nothing was deleted");
}

/* ---- commands ---- */

static void run_line(struct pop3_session *s, struct str line)
{
    struct pop3_command command;
    void (*on_line)(struct pop3_session *, struct str) = s->on_line;
    s->busy = true;
    s->on_line = NULL;
    if (on_line) {
        on_line(s, line);
        return;
    }
    pop3_command_parse(line, &command);
    const struct pop3_verb *verb = pop3_verb_find(command.verb);
    if (!verb || !(verb->states & s->state)) {
        if (++s->bad_commands > BAD_COMMANDS_MAX)
            pop3_end_with(s, "[SYS/PERM] Too many commands that are not understood");
        else
            pop3_err(s, "%s", verb ? "Not now" : "Unknown command");
        return;
    }
    verb->start(s, &command);
}

static struct str without_cr(struct str line)
{
    if (str_ends(line, STR("\r")))
        line.len--;
    return line;
}

/* Takes one line off the input; false: there is no whole one. */
static bool pump_line(struct pop3_session *s)
{
    struct str in = buf_str(&s->in);
    size_t end = str_find(in, '\n', 0);
    if (end > POP3_LINE_MAX_BYTES && (end != SIZE_MAX || in.len > POP3_LINE_MAX_BYTES)) {
        pop3_end_with(s, "[SYS/PERM] Line too long");
        return false;
    }
    if (end == SIZE_MAX)
        return false;
    struct str line = arena_str(&s->arena, without_cr(str_sub(in, 0, end)));
    buf_consume(&s->in, end + 1);
    run_line(s, line);
    return true;
}

static bool wants_line(const struct pop3_session *s)
{
    return !s->ended && !s->busy && !s->tls_awaited && s->out.len < POP3_SESSION_OUT_HIGH;
}

static void pump(struct pop3_session *s)
{
    if (s->pumping)
        return;
    s->pumping = true;
    while (wants_line(s) && pump_line(s))
        ;
    if (s->out.overflow)
        pop3_end(s);
    s->pumping = false;
}

void pop3_done(struct pop3_session *s)
{
    s->busy = false;
    arena_clear(&s->arena);
    if (s->pumping)
        return;
    pump(s);
    if (s->on_wake)
        s->on_wake(s->wake_arg);
}

static void answer(struct pop3_session *s, const char *status, const char *fmt, va_list args)
{
    buf_append_text(&s->out, status);
    buf_append_vfmt(&s->out, fmt, args);
    buf_append_text(&s->out, "\r\n");
}

void pop3_ok(struct pop3_session *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    answer(s, "+OK ", fmt, args);
    va_end(args);
    pop3_done(s);
}

void pop3_err(struct pop3_session *s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    answer(s, "-ERR ", fmt, args);
    va_end(args);
    pop3_done(s);
}

void pop3_fail(struct pop3_session *s, int err)
{
    if (err != ERR_FENCED) {
        pop3_err(s, "%s", pop3_error_text(err));
        return;
    }
    pop3_end_with(s, pop3_error_text(err));
    s->ops->fenced(s->arg);
    pop3_done(s);
}

void pop3_session_shutdown(struct pop3_session *s, const char *why)
{
    char line[256];
    snprintf(line, sizeof(line), "[SYS/TEMP] %s", why);
    pop3_end_with(s, line);
    pop3_done(s);
}

/* ---- for who moves the bytes ---- */

void pop3_session_input(struct pop3_session *s, const char *data, size_t len)
{
    if (s->ended)
        return;
    if (buf_append(&s->in, data, len) != 0)
        pop3_end_with(s, "[SYS/PERM] Too much input");
    else
        pump(s);
}

bool pop3_session_wants_input(const struct pop3_session *s)
{
    return wants_line(s);
}

struct str pop3_session_output(const struct pop3_session *s)
{
    return buf_str(&s->out);
}

bool pop3_session_finished(const struct pop3_session *s)
{
    return s->ended;
}

int64_t pop3_session_timeout_ms(const struct pop3_session *s)
{
    int64_t login = s->options->login_timeout_ms, idle = s->options->idle_timeout_ms;
    if (!wants_line(s) && !s->tls_awaited)
        return 0;
    if (s->state == POP3_AUTHORIZATION)
        return login ? login : DEFAULT_LOGIN_TIMEOUT_MS;
    return idle ? idle : DEFAULT_IDLE_TIMEOUT_MS;
}

void pop3_session_on_wake(struct pop3_session *s, void (*on_wake)(void *arg), void *arg)
{
    s->on_wake = on_wake;
    s->wake_arg = arg;
}

void pop3_session_output_taken(struct pop3_session *s, size_t len)
{
    bool was_full = s->out.len >= POP3_SESSION_OUT_HIGH;
    buf_consume(&s->out, len);
    if (!was_full || s->out.len >= POP3_SESSION_OUT_HIGH || s->ended)
        return;
    if (s->reader && !s->op)
        pop3_send_more(s);
    pump(s);
}
