/* RETR and TOP (RFC 1939 5, 7). */
#include "base/err.h"
#include "pop3/command.h"

#define PIECE_BYTES 32768

static void close_reader(struct pop3_session *s)
{
    body_close(s->reader);
    s->reader = NULL;
}

/* The first bytes are at hand before anything is promised; later there is no
 * honest end but that of the session. */
static void fail(struct pop3_session *s, int err)
{
    close_reader(s);
    if (s->offset == 0) {
        pop3_fail(s, err);
        return;
    }
    pop3_end(s);
    pop3_done(s);
}

static void on_read(void *arg, int err, const char *data, size_t len)
{
    struct pop3_session *s = arg;
    s->op = NULL;
    if (err) {
        fail(s, err);
        return;
    }
    if (s->offset == 0)
        buf_append_fmt(&s->out, "+OK %llu octets\r\n", (unsigned long long)s->size_bytes);
    pop3_stuffer_feed(&s->stuffer, (struct str){data, len}, &s->out);
    s->offset += len;
    if (len == 0 || s->stuffer.full) {
        pop3_stuffer_finish(&s->stuffer, &s->out);
        close_reader(s);
        pop3_done(s);
        return;
    }
    if (s->out.len < POP3_SESSION_OUT_HIGH)
        pop3_send_more(s);
    if (s->on_wake)
        s->on_wake(s->wake_arg);
}

void pop3_send_more(struct pop3_session *s)
{
    s->op = body_read(s->reader, s->offset, PIECE_BYTES, on_read, s);
}

static void start(struct pop3_session *s, struct str number, uint64_t lines)
{
    size_t index;
    const struct pop3_message *m = pop3_message_of(s, number, &index);
    if (!m)
        return;
    s->reader = mail_body_open(s->mail, m->body_id);
    if (!s->reader) {
        pop3_fail(s, ERR_UNAVAILABLE);
        return;
    }
    s->offset = 0;
    s->size_bytes = m->size_bytes;
    pop3_stuffer_init(&s->stuffer, lines);
    pop3_send_more(s);
}

void pop3_cmd_retr(struct pop3_session *s, const struct pop3_command *c)
{
    if (c->arg_count == 1)
        start(s, c->arg[0], POP3_ALL_LINES);
    else
        pop3_err(s, "A message number is wanted");
}

void pop3_cmd_top(struct pop3_session *s, const struct pop3_command *c)
{
    uint64_t lines;
    if (c->arg_count == 2 && pop3_number_parse(c->arg[1], &lines) == 0)
        start(s, c->arg[0], lines);
    else
        pop3_err(s, "A message number and a number of lines are wanted");
}
