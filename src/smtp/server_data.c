/* The message, from 354 to the answer to its end. */
#include "smtp/server_machine.h"

void server_write_for_message(struct smtp_server *s, const struct smtp_reply *r)
{
    size_t count = s->options->flavour == SMTP_FLAVOUR_LMTP ? s->unanswered : 1;
    server_write(s, r);
    for (size_t i = 1; i < count; i++)
        server_write_again(s, r);
}

void data_begin_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    if (s->chunk_asked) {
        bdat_begin_answered(s, r);
        return;
    }
    server_write(s, r);
    if (smtp_reply_class(r) == 3) {
        s->phase = PHASE_DATA;
        s->stages++;
        s->unanswered = s->recipient_count;
        s->too_big = false;
        smtp_unstuff_init(&s->unstuff, s->options->normalises);
        server_content_begin(s);
    } else if (r->code != 421) {
        server_reset(s);
    }
}

void data_end_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    server_write_for_message(s, r);
    if (smtp_reply_class(r) == 2)
        s->errors = 0;
    s->transaction = false; /* the answer is its end */
    server_reset(s);
}

/* ---- to the owner ---- */

static void give(struct smtp_server *s, struct str piece)
{
    if (piece.len == 0)
        return;
    s->content_bytes += piece.len;
    if (s->transaction && s->ops->data)
        s->no_room = !s->ops->data(s->arg, piece.ptr, piece.len);
}

static void give_normalised(struct smtp_server *s, struct str piece)
{
    struct buf lines;
    buf_init(&lines, 2 * piece.len + 2);
    smtp_stuff(&s->lines, &lines, piece.ptr, piece.len);
    give(s, buf_str(&lines));
    buf_fini(&lines);
}

static void judge_size(struct smtp_server *s, uint64_t bytes)
{
    s->too_big = s->too_big || bytes > server_size_max_bytes(s);
    if (s->too_big)
        server_reset(s); /* the rest is swallowed up to its end; the owner need not keep anything */
}

void server_content_begin(struct smtp_server *s)
{
    s->content_bytes = 0;
    smtp_stuff_init_plain(&s->lines);
}

void server_content(struct smtp_server *s, struct str piece, bool refused)
{
    judge_size(s, s->content_bytes + piece.len);
    if (refused)
        server_reset(s);
    if (!s->options->normalises)
        give(s, piece);
    else if (s->transaction)
        give_normalised(s, piece);
    judge_size(s, s->content_bytes);
}

/* ---- its end ---- */

/* bare, nul: it holds what no message may. */
static void message_ended(struct smtp_server *s, const struct smtp_data_info *info, bool bare, bool nul)
{
    static const struct smtp_reply too_big = {552, {5, 3, 4}, {"Message exceeds the maximum size", 32}};
    static const struct smtp_reply has_bare = {550, {5, 6, 0}, {"Message holds a bare CR or LF", 29}};
    static const struct smtp_reply has_nul = {554, {5, 6, 0}, {"Message holds a NUL", 19}};
    s->phase = PHASE_COMMAND;
    s->stage = "message";
    s->stages++;
    s->progress++;
    if (s->too_big || bare || nul) {
        server_write_for_message(s, bare ? &has_bare : nul ? &has_nul : &too_big);
        server_reset(s);
        return;
    }
    s->question = QUESTION_DATA_END;
    if (s->ops->data_end)
        s->ops->data_end(s->arg, info);
    else
        smtp_server_reply(s, NULL);
}

/* A last line without its end gets it: what is stored is a text of lines. */
static void end_last_line(struct smtp_server *s)
{
    struct buf end;
    if (s->too_big || s->chunk.bare || s->chunk.nul)
        return;
    buf_init(&end, 2);
    if (s->options->normalises)
        smtp_stuff_end_line(&s->lines, &end);
    else if (!s->chunk.line_end)
        buf_append_text(&end, "\r\n");
    give(s, buf_str(&end));
    s->no_room = false; /* nothing more comes that would need it */
    buf_fini(&end);
}

void server_chunks_end(struct smtp_server *s)
{
    smtp_chunk_end(&s->chunk);
    end_last_line(s);
    struct smtp_data_info info = {s->content_bytes, s->chunk.eight_bit};
    s->chunking = false;
    if (!s->chunk_last)
        s->unanswered = 1; /* RFC 2033 4.2: one reply for each recipient, after the last chunk only */
    message_ended(s, &info, s->chunk.bare, s->chunk.nul);
}

void server_data_input(struct smtp_server *s, struct str bytes, size_t *ret_used)
{
    struct str piece;
    bool ended = smtp_unstuff(&s->unstuff, bytes.ptr, bytes.len, ret_used, &piece);
    server_content(s, piece, s->unstuff.bare || s->unstuff.nul);
    struct smtp_data_info info = {s->content_bytes, s->unstuff.eight_bit};
    if (ended)
        message_ended(s, &info, s->unstuff.bare, s->unstuff.nul);
}
