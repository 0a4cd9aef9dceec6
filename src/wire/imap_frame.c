#include "wire/imap_frame.h"

#include <string.h>

#include "base/err.h"

void imap_frame_init(struct imap_frame *f)
{
    *f = (struct imap_frame){.state = IMAP_FRAME_IN_LINE};
    buf_init(&f->command, IMAP_COMMAND_MAX_BYTES);
}

void imap_frame_fini(struct imap_frame *f)
{
    buf_fini(&f->command);
}

void imap_frame_reset(struct imap_frame *f)
{
    buf_clear(&f->command);
    f->state = IMAP_FRAME_IN_LINE;
    f->raw = false;
    f->too_long = false;
    f->tail_len = 0;
}

static void keep_tail(struct imap_frame *f, struct str piece)
{
    if (piece.len >= sizeof(f->tail)) {
        memcpy(f->tail, piece.ptr + piece.len - sizeof(f->tail), sizeof(f->tail));
        f->tail_len = sizeof(f->tail);
        return;
    }
    size_t keep = sizeof(f->tail) - piece.len;
    if (keep > f->tail_len)
        keep = f->tail_len;
    memmove(f->tail, f->tail + f->tail_len - keep, keep);
    memcpy(f->tail + keep, piece.ptr, piece.len);
    f->tail_len = keep + piece.len;
}

/* Over the bound what fits is kept, for the tag, and a line's end. */
static void gather(struct imap_frame *f, struct str piece)
{
    size_t room = f->command.cap_max - f->command.len;
    bool was_too_long = f->too_long;
    if (!f->too_long)
        buf_append_str(&f->command, str_sub(piece, 0, room));
    f->too_long = f->too_long || piece.len > room;
    if (!f->too_long || f->state != IMAP_FRAME_IN_LINE)
        return;
    if (!was_too_long)
        keep_tail(f, buf_str(&f->command));
    keep_tail(f, was_too_long ? piece : str_sub(piece, room, SIZE_MAX));
}

static struct str without_line_end(struct str line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* `{123}` or `{123+}` at the end of the line. */
static bool parse_literal(struct imap_frame *f, struct str line)
{
    if (line.len < 3 || line.ptr[line.len - 1] != '}')
        return false;
    size_t end = line.len - 1;
    bool sync = line.ptr[end - 1] != '+';
    if (!sync)
        end--;
    size_t start = end;
    while (start > 0 && ascii_isdigit(line.ptr[start - 1]))
        start--;
    uint64_t size = 0;
    if (start == 0 || line.ptr[start - 1] != '{' ||
        str_to_u64(str_sub(line, start, end - start), UINT32_MAX, &size) != 0)
        return false;
    f->literal_bytes = size;
    f->literal_sync = sync;
    return true;
}

static enum imap_frame_event end_line(struct imap_frame *f)
{
    struct str text = f->too_long ? (struct str){f->tail, f->tail_len} : buf_str(&f->command);
    struct str line = without_line_end(text);
    if (!f->raw && parse_literal(f, line)) {
        f->tail_len = 0;
        f->state = IMAP_FRAME_ASKED;
        if (!f->too_long)
            return IMAP_FRAME_LITERAL;
        return imap_frame_refuse(f) ? IMAP_FRAME_TOO_LONG : IMAP_FRAME_MORE;
    }
    if (f->too_long)
        return IMAP_FRAME_TOO_LONG;
    buf_truncate(&f->command, line.len);
    return IMAP_FRAME_COMMAND;
}

static struct str take(struct str *input, size_t len)
{
    struct str piece = str_sub(*input, 0, len);
    *input = str_sub(*input, piece.len, SIZE_MAX);
    return piece;
}

static struct str take_literal(struct imap_frame *f, struct str *input)
{
    struct str piece = take(input, f->literal_bytes < input->len ? (size_t)f->literal_bytes : input->len);
    f->literal_bytes -= piece.len;
    return piece;
}

static enum imap_frame_event feed_line(struct imap_frame *f, struct str *input)
{
    size_t end = str_find(*input, '\n', 0);
    if (end == SIZE_MAX) {
        gather(f, take(input, input->len));
        return IMAP_FRAME_MORE;
    }
    gather(f, take(input, end + 1));
    return end_line(f);
}

static enum imap_frame_event feed_literal(struct imap_frame *f, struct str *input, struct str *ret_data)
{
    bool streaming = f->state == IMAP_FRAME_STREAMING;
    if (f->literal_bytes > 0) {
        struct str piece = take_literal(f, input);
        if (streaming) {
            *ret_data = piece;
            return IMAP_FRAME_DATA;
        }
        if (f->state == IMAP_FRAME_GATHERING)
            gather(f, piece);
    }
    if (f->literal_bytes == 0) {
        f->state = IMAP_FRAME_IN_LINE;
        return streaming ? IMAP_FRAME_DATA_END : IMAP_FRAME_MORE;
    }
    return IMAP_FRAME_MORE;
}

enum imap_frame_event imap_frame_feed(struct imap_frame *f, struct str *input, struct str *ret_data)
{
    CHECK(f->state != IMAP_FRAME_ASKED);
    for (;;) {
        bool literal_over = f->state != IMAP_FRAME_IN_LINE && f->literal_bytes == 0;
        if (input->len == 0 && !literal_over)
            return IMAP_FRAME_MORE;
        enum imap_frame_event event =
            f->state == IMAP_FRAME_IN_LINE ? feed_line(f, input) : feed_literal(f, input, ret_data);
        if (event != IMAP_FRAME_MORE)
            return event;
    }
}

void imap_frame_gather(struct imap_frame *f)
{
    CHECK(f->state == IMAP_FRAME_ASKED);
    f->state = IMAP_FRAME_GATHERING;
}

void imap_frame_stream(struct imap_frame *f)
{
    CHECK(f->state == IMAP_FRAME_ASKED);
    buf_clear(&f->command);
    f->state = IMAP_FRAME_STREAMING;
}

bool imap_frame_refuse(struct imap_frame *f)
{
    CHECK(f->state == IMAP_FRAME_ASKED);
    f->too_long = true;
    f->state = f->literal_sync ? IMAP_FRAME_IN_LINE : IMAP_FRAME_SKIPPING;
    return f->literal_sync;
}
