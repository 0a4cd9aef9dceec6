#include "wire/pop3.h"

#include "base/err.h"

void pop3_command_parse(struct str line, struct pop3_command *ret_command)
{
    struct pop3_command c = {.rest = STR_EMPTY};
    size_t blank = str_find(line, ' ', 0);
    c.verb = str_sub(line, 0, blank);
    if (blank != SIZE_MAX)
        c.rest = str_sub(line, blank + 1, SIZE_MAX);
    struct str rest = str_trim(c.rest), piece;
    while (rest.len > 0 && c.arg_count < 3 && str_split(&rest, ' ', &piece)) {
        if (c.arg_count < 2)
            c.arg[c.arg_count] = piece;
        c.arg_count++;
        rest = str_trim(rest);
    }
    *ret_command = c;
}

int pop3_number_parse(struct str text, uint64_t *ret_number)
{
    uint64_t number;
    if (str_to_u64(text, UINT32_MAX, &number) != 0)
        return ERR_SYNTAX;
    *ret_number = number;
    return 0;
}

void pop3_stuffer_init(struct pop3_stuffer *p, uint64_t body_lines)
{
    *p = (struct pop3_stuffer){
        .at = POP3_LINE_START,
        .blank_line = true,
        .limited = body_lines != POP3_ALL_LINES,
        .lines_left = body_lines,
    };
}

static void end_line(struct pop3_stuffer *p)
{
    if (p->in_body && p->lines_left > 0)
        p->lines_left--;
    if (p->blank_line)
        p->in_body = true;
    p->full = p->limited && p->in_body && p->lines_left == 0;
    p->at = POP3_LINE_START;
    p->blank_line = true;
}

/* A line, or a piece of one. */
static void feed_piece(struct pop3_stuffer *p, struct str piece, struct buf *out)
{
    if (p->at == POP3_LINE_START && piece.ptr[0] == '.')
        buf_append_char(out, '.');
    buf_append_str(out, piece);
    bool ended = piece.ptr[piece.len - 1] == '\n';
    struct str text = str_sub(piece, 0, piece.len - ended);
    p->blank_line = p->blank_line && (text.len == 0 || str_eq(text, STR("\r")));
    p->at = POP3_IN_LINE;
    if (ended)
        end_line(p);
}

void pop3_stuffer_feed(struct pop3_stuffer *p, struct str data, struct buf *out)
{
    while (data.len > 0 && !p->full) {
        size_t end = str_find(data, '\n', 0);
        struct str piece = str_sub(data, 0, end == SIZE_MAX ? data.len : end + 1);
        feed_piece(p, piece, out);
        data = str_sub(data, piece.len, SIZE_MAX);
    }
}

void pop3_stuffer_finish(struct pop3_stuffer *p, struct buf *out)
{
    if (p->at == POP3_IN_LINE)
        buf_append_text(out, "\r\n");
    buf_append_text(out, ".\r\n");
}
