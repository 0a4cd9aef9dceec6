#include "base/err.h"
#include "wire/mime.h"
#include "wire/mime_field.h"

/* Two dashes, the boundary, two dashes, and some blanks that gateways add. */
#define BOUNDARY_LINE_MAX_BYTES (MIME_BOUNDARY_MAX_BYTES + 64)

static void open_part(struct mime_parser *p, struct mime_part *parent, bool is_message)
{
    struct mime_part *part = arena_alloc(p->arena, sizeof(*part));
    if (!part)
        return;
    if (is_message)
        part->envelope = arena_alloc(p->arena, sizeof(*part->envelope));
    part->parent = parent;
    part->depth = parent ? parent->depth + 1 : 0;
    part->digest_child =
        parent && parent->kind == MIME_MULTIPART && mime_part_is(parent, "multipart", "digest");
    part->header_offset = part->body_offset = part->end_offset = p->offset;
    if (!parent)
        p->root = part;
    else if (parent->last)
        parent->last->next = part;
    else
        parent->first = part;
    if (parent)
        parent->last = part;
    p->part_count++;
    p->current = part;
    p->in_header = true;
}

void mime_parser_init(struct mime_parser *p, struct arena *arena, const struct mime_sink *sink)
{
    *p = (struct mime_parser){.arena = arena, .line_held = true};
    if (sink)
        p->sink = *sink;
    buf_init(&p->line, MIME_FIELD_MAX_BYTES);
    buf_init(&p->field, MIME_FIELD_MAX_BYTES);
    open_part(p, NULL, true);
}

void mime_parser_fini(struct mime_parser *p)
{
    buf_fini(&p->line);
    buf_fini(&p->field);
}

/* ---- header ---- */

/* Keeps what there is room for: a field is cut at its bound, whatever the
 * pieces are that it comes in. */
static void append_cut(struct buf *b, struct str piece)
{
    size_t room = b->cap_max - b->len;
    buf_append_str(b, str_sub(piece, 0, room));
}

static void end_field(struct mime_parser *p)
{
    struct str field = buf_str(&p->field);
    size_t colon = str_find(field, ':', 0);
    if (colon != SIZE_MAX && colon > 0) {
        struct str name = str_trim(str_sub(field, 0, colon)),
                   value = str_trim(str_sub(field, colon + 1, SIZE_MAX));
        mime_part_take_field(p->current, p->arena, name, value);
        if (p->sink.on_field)
            p->sink.on_field(p->sink.arg, p->current, name, value);
    }
    buf_clear(&p->field);
}

static bool is_valid_boundary(struct str boundary)
{
    return boundary.len > 0 && boundary.len <= MIME_BOUNDARY_MAX_BYTES;
}

static void enter_body(struct mime_parser *p)
{
    struct mime_part *part = p->current;
    end_field(p);
    p->in_header = false;
    p->header_done = true;
    part->body_offset = part->end_offset = p->offset;
    part->lines_before = p->lines;
    if (part->depth >= MIME_DEPTH_MAX)
        return;
    if (mime_part_is(part, "multipart", NULL)) {
        part->boundary = mime_param_find(part->params, "boundary");
        if (is_valid_boundary(part->boundary))
            part->kind = MIME_MULTIPART;
    } else if (mime_part_is(part, "message", "rfc822") && p->part_count < MIME_PARTS_MAX) {
        open_part(p, part, true);
        if (p->current != part)
            part->kind = MIME_MESSAGE;
    }
}

static void header_line(struct mime_parser *p, struct str line)
{
    if (line.len == 0) {
        enter_body(p);
        return;
    }
    if (line.ptr[0] != ' ' && line.ptr[0] != '\t')
        end_field(p);
    append_cut(&p->field, line);
}

/* ---- boundaries ---- */

static bool is_boundary_of(const struct mime_part *part, struct str line, bool *ret_last)
{
    struct str rest = str_sub(line, 2, SIZE_MAX);
    if (part->kind != MIME_MULTIPART || part->closed || !str_starts(rest, part->boundary))
        return false;
    rest = str_sub(rest, part->boundary.len, SIZE_MAX);
    bool last = str_starts(rest, STR("--"));
    if (str_trim(last ? str_sub(rest, 2, SIZE_MAX) : rest).len > 0)
        return false;
    *ret_last = last;
    return true;
}

static struct mime_part *find_boundary(struct mime_parser *p, struct str line, bool *ret_last)
{
    if (!str_starts(line, STR("--")))
        return NULL;
    struct mime_part *part = p->current;
    while (part && !is_boundary_of(part, line, ret_last))
        part = part->parent;
    return part;
}

/* A part encloses its children, also one whose empty line was the boundary's line end. */
static void close_part(struct mime_parser *p, struct mime_part *part, uint64_t end)
{
    if (part->last && part->last->end_offset > end)
        end = part->last->end_offset;
    if (p->in_header && part == p->current) {
        end_field(p);
        p->in_header = false;
        part->body_offset = end > part->header_offset ? end : part->header_offset;
        part->lines_before = p->lines;
    }
    part->end_offset = end > part->body_offset ? end : part->body_offset;
    bool last_is_boundarys = p->last_blank && part->end_offset + p->last_eol == p->line_start;
    part->lines =
        part->end_offset > part->body_offset ? p->lines - part->lines_before - last_is_boundarys : 0;
}

/* The line end before a boundary belongs to it (RFC 2046 5.1.1). */
static void boundary_line(struct mime_parser *p, struct mime_part *multipart, bool last, uint64_t line_start)
{
    uint64_t end = line_start - p->last_eol;
    for (struct mime_part *part = p->current; part != multipart; part = part->parent)
        close_part(p, part, end);
    p->current = multipart;
    p->in_header = false;
    if (last)
        multipart->closed = true;
    else if (p->part_count < MIME_PARTS_MAX)
        open_part(p, multipart, false);
}

/* ---- lines ---- */

static void give_body(struct mime_parser *p, struct str data)
{
    if (p->sink.on_body && p->current && p->current->kind == MIME_LEAF && data.len > 0)
        p->sink.on_body(p->sink.arg, p->current, data);
}

static struct str without_eol(struct str line, unsigned *ret_eol)
{
    size_t len = line.len;
    if (len > 0 && line.ptr[len - 1] == '\n')
        len--;
    if (len < line.len && len > 0 && line.ptr[len - 1] == '\r')
        len--;
    *ret_eol = (unsigned)(line.len - len);
    return str_sub(line, 0, len);
}

/* A whole line is in p->line, or, of a body line that is no boundary, only the
 * knowledge that it ended. */
static void end_line(struct mime_parser *p, bool has_eol)
{
    unsigned eol = 0;
    struct str line = p->line_held ? without_eol(buf_str(&p->line), &eol) : STR_EMPTY;
    bool last = false;
    struct mime_part *multipart = p->line_held ? find_boundary(p, line, &last) : NULL;
    uint64_t line_start = p->line_start;
    p->lines += !multipart;
    if (multipart)
        boundary_line(p, multipart, last, line_start);
    else if (p->in_header)
        header_line(p, line);
    else if (p->line_held)
        give_body(p, buf_str(&p->line));
    p->last_eol = has_eol ? (p->last_byte == '\r' ? 2 : 1) : 0;
    p->last_blank = has_eol && p->offset - line_start == p->last_eol;
    p->line_start = p->offset;
    p->line_held = true;
    buf_clear(&p->line);
}

static void release_line(struct mime_parser *p)
{
    give_body(p, buf_str(&p->line));
    buf_clear(&p->line);
    p->line_held = false;
}

/* A piece of a line; a body line is held while it may be a boundary. */
static void line_piece(struct mime_parser *p, struct str piece)
{
    if (p->in_header) {
        append_cut(&p->line, piece);
        return;
    }
    if (p->line_held && p->line.len + piece.len <= BOUNDARY_LINE_MAX_BYTES) {
        buf_append_str(&p->line, piece);
        struct str line = buf_str(&p->line);
        if (!str_starts(line, str_sub(STR("--"), 0, line.len)))
            release_line(p);
        return;
    }
    if (p->line_held)
        release_line(p);
    give_body(p, piece);
}

static void remember_last_byte(struct mime_parser *p, struct str piece, bool has_eol)
{
    size_t len = piece.len - has_eol;
    if (len > 0)
        p->last_byte = piece.ptr[len - 1];
    else if (p->offset == p->line_start)
        p->last_byte = '\0';
}

void mime_parser_feed(struct mime_parser *p, struct str data)
{
    while (data.len > 0 && p->root) {
        size_t at = str_find(data, '\n', 0);
        bool has_eol = at != SIZE_MAX;
        struct str piece = str_sub(data, 0, has_eol ? at + 1 : data.len);
        data = str_sub(data, piece.len, SIZE_MAX);
        remember_last_byte(p, piece, has_eol);
        line_piece(p, piece);
        p->offset += piece.len;
        if (has_eol)
            end_line(p, true);
    }
}

const struct mime_part *mime_parser_finish(struct mime_parser *p)
{
    if (!p->root)
        return NULL;
    if (p->offset > p->line_start)
        end_line(p, false);
    for (struct mime_part *part = p->current; part; part = part->parent)
        close_part(p, part, p->offset);
    p->header_done = true;
    return p->root;
}
