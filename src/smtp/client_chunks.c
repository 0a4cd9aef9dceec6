/* The body by BDAT (RFC 3030) instead of DATA, where the server offers CHUNKING: no answer is waited for
 * before it, and nothing in it is stuffed. Each piece is a chunk; one is held back until it is known whether
 * it is the last.
 *
 * A chunk that was refused ends the message: no further one is put out, the answers to those on their way are
 * taken, and RSET follows. */
#include "smtp/client_machine.h"

bool client_by_chunks(const struct smtp_client *c)
{
    return c->chunking && !c->t.message.question;
}

/* Before all recipients have their answer only what one piece holds: nobody may be there to take it. */
static bool may_begin(const struct smtp_client *c)
{
    const struct client_transaction *t = &c->t;
    bool all_sent = t->rcpt_sent == t->message.recipient_count;
    bool all_answered = t->mail_answered && t->rcpt_answered == t->rcpt_sent;
    bool small = t->message.size_bytes > 0 && t->message.size_bytes <= SMTP_CLIENT_BODY_MAX;
    return all_sent && (all_answered || (c->pipelining && small));
}

bool client_chunks_begin(struct smtp_client *c)
{
    if (c->t.data_sent || !may_begin(c))
        return false;
    c->t.data_sent = c->t.data_answered = c->t.body_open = true;
    c->t.at_line_end = true;
    buf_init(&c->held, SMTP_CLIENT_BODY_MAX + 2);
    return true;
}

/* Where chunks are not pipelined each waits for the answer to the one before. */
bool client_chunk_may_follow(const struct smtp_client *c)
{
    return c->pipelining || c->t.chunks_answered == c->t.chunks_sent;
}

bool client_chunk_unanswered(const struct smtp_client *c)
{
    return c->t.chunks_answered < c->t.chunks_sent;
}

bool client_chunk_is_last(const struct smtp_client *c)
{
    return c->t.dot_sent && c->t.chunks_sent - c->t.chunks_answered == 1;
}

static void put_chunk(struct smtp_client *c, bool last)
{
    client_command(c, "BDAT %zu%s", c->held.len, last ? " LAST" : "");
    CHECK(buf_append_str(&c->out, buf_str(&c->held)) == 0);
    buf_clear(&c->held);
    c->t.chunks_sent++;
}

/* A message ends with a line's end, as by DATA. */
static void end_line(struct smtp_client *c)
{
    if (!c->t.at_line_end)
        CHECK(buf_append_text(&c->held, "\r\n") == 0);
}

static void note_line_end(struct client_transaction *t, const char *data, size_t len)
{
    bool before_lf = len > 1 ? data[len - 2] == '\r' : t->at_cr;
    t->at_line_end = data[len - 1] == '\n' && before_lf;
    t->at_cr = data[len - 1] == '\r';
}

void client_chunk(struct smtp_client *c, const char *data, size_t len)
{
    if (c->held.len > 0)
        put_chunk(c, false);
    CHECK(buf_append(&c->held, data, len) == 0);
    note_line_end(&c->t, data, len);
}

/* So that the end is a chunk of no bytes: a command that goes out whole, or not at all. */
void client_chunks_pause(struct smtp_client *c)
{
    end_line(c);
    c->t.at_line_end = true;
    if (c->held.len > 0)
        put_chunk(c, false);
}

void client_chunks_end(struct smtp_client *c)
{
    end_line(c);
    put_chunk(c, true);
}

void client_chunk_reply(struct smtp_client *c, const struct smtp_reply *r)
{
    if (smtp_reply_class(r) == 3) {
        client_end(c, SMTP_END_PROTOCOL, client_stage(c), r, "the server sent a reply of a wrong kind");
        return;
    }
    c->t.chunks_answered++;
    if (smtp_reply_class(r) == 2)
        return;
    c->t.body_open = c->t.body_asked = c->t.end_due = false;
    client_tell_open(c, smtp_reply_class(r) == 5 ? SMTP_OUTCOME_REFUSED : SMTP_OUTCOME_DEFERRED,
                     SMTP_STAGE_BODY, r);
}
