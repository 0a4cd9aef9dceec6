/* BDAT (RFC 3030): a message in chunks. The octets of a chunk follow the command at once, whatever it is
 * answered: those of one that was refused are swallowed. */
#include <stdio.h>

#include "smtp/server_machine.h"

/* A client sends its chunk before it looks for an answer: one of this size is read to its end, so that the
 * refusal reaches it; one that is larger finds the session closed. */
#define SWALLOWED_MAX (UINT64_C(1) << 30)

static void swallow(struct smtp_server *s)
{
    if (s->phase == PHASE_FINISHED || s->chunk_left == 0)
        return;
    s->chunk_swallowed = true;
    s->phase = PHASE_CHUNK;
}

static void begin_message(struct smtp_server *s)
{
    s->chunking = true;
    s->too_big = false;
    s->unanswered = s->recipient_count;
    smtp_chunk_init(&s->chunk, s->options->normalises);
    server_content_begin(s);
}

void server_chunk_ended(struct smtp_server *s)
{
    char text[64];
    bool swallowed = s->chunk_swallowed;
    s->phase = PHASE_COMMAND;
    s->chunk_swallowed = false;
    if (swallowed)
        return;
    s->progress++;
    if (s->chunk_last || s->too_big || s->chunk.bare || s->chunk.nul) {
        server_chunks_end(s);
        return;
    }
    snprintf(text, sizeof(text), "%llu octets received", (unsigned long long)s->chunk_bytes);
    server_write(s, &(struct smtp_reply){.code = 250, .enhanced = {2, 0, 0}, .text = str_from(text)});
}

void bdat_begin_answered(struct smtp_server *s, const struct smtp_reply *r)
{
    s->chunk_asked = false;
    if (smtp_reply_class(r) == 3) {
        begin_message(s);
        s->phase = PHASE_CHUNK;
        return;
    }
    /* with the last one, which it may be, each recipient is owed his answer (RFC 2033 4.2) */
    s->unanswered = s->chunk_last && r->code != 421 ? s->recipient_count : 1;
    server_write_for_message(s, r);
    if (r->code != 421)
        server_reset(s);
    swallow(s);
}

static void begin(struct smtp_server *s)
{
    if (!s->transaction) {
        server_refuse_without_mail(s);
        swallow(s);
    } else if (s->recipient_count == 0) { /* no error, as with DATA; but a further chunk is one */
        server_write(s, &SMTP_REPLY(503, 5, 5, 1, "No valid recipients"));
        server_reset(s);
        swallow(s);
    } else if (s->chunking) {
        s->phase = PHASE_CHUNK;
    } else {
        s->chunk_asked = true;
        s->question = QUESTION_DATA_BEGIN;
        if (s->ops->data_begin)
            s->ops->data_begin(s->arg);
        else
            smtp_server_reply(s, NULL);
    }
}

void cmd_bdat(struct smtp_server *s, struct str args)
{
    int rc = smtp_chunk_args_parse(args, &s->chunk_bytes, &s->chunk_last);
    s->chunk_left = s->chunk_bytes;
    if (rc == ERR_SYNTAX) { /* where the next command begins cannot be told */
        server_write(s, &SMTP_REPLY(501, 5, 5, 4, "Syntax: BDAT size [LAST]; closing transmission channel"));
        server_finish(s);
    } else if (rc != 0 || (s->chunk_bytes > SWALLOWED_MAX && s->chunk_bytes > server_size_max_bytes(s))) {
        server_write(s, &SMTP_REPLY(552, 5, 3, 4, "Chunk exceeds the maximum size of a message; closing"));
        server_finish(s);
    } else {
        begin(s);
    }
}

static void take_octets(struct smtp_server *s, struct str piece)
{
    smtp_chunk_feed(&s->chunk, piece);
    server_content(s, piece, s->chunk.bare || s->chunk.nul);
}

void server_chunk_input(struct smtp_server *s, struct str bytes, size_t *ret_used)
{
    struct str piece = str_sub(bytes, 0, s->chunk_left < bytes.len ? (size_t)s->chunk_left : bytes.len);
    *ret_used = piece.len;
    s->chunk_left -= piece.len;
    if (!s->chunk_swallowed)
        take_octets(s, piece);
}
