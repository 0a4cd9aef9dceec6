#include "wire/imap_structure.h"

#include "wire/imap_write.h"
#include "wire/mime_token.h"

static void write_params(struct buf *out, const struct mime_param *params)
{
    if (!params) {
        buf_append_text(out, "NIL");
        return;
    }
    const char *separator = "(";
    for (; params; params = params->next) {
        buf_append_text(out, separator);
        imap_write_string(out, params->name);
        buf_append_char(out, ' ');
        imap_write_string(out, params->value);
        separator = " ";
    }
    buf_append_char(out, ')');
}

static void write_disposition(struct buf *out, const struct mime_part *part)
{
    if (!part->disposition.ptr) {
        buf_append_text(out, " NIL");
        return;
    }
    buf_append_text(out, " (");
    imap_write_string(out, part->disposition);
    buf_append_char(out, ' ');
    write_params(out, part->disposition_params);
    buf_append_char(out, ')');
}

/* Content-Language is a list: one tag is a string, several are in parentheses. */
static void write_language(struct buf *out, struct str value)
{
    struct str rest = value, tags[16];
    size_t count = 0;
    while (rest.len > 0 && count < ARRAY_LEN(tags)) {
        mime_skip_cfws(&rest);
        struct str tag = mime_take_token(&rest);
        if (tag.len > 0)
            tags[count++] = tag;
        else
            rest = str_sub(rest, 1, SIZE_MAX);
    }
    buf_append_text(out, count > 1 ? " (" : " ");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(out, ' ');
        imap_write_string(out, tags[i]);
    }
    buf_append_text(out, count > 1 ? ")" : count == 0 ? "NIL" : "");
}

/* What follows the MD5 or the parameters. */
static void write_extension(struct buf *out, const struct mime_part *part)
{
    write_disposition(out, part);
    write_language(out, part->language);
    buf_append_char(out, ' ');
    imap_write_nstring(out, part->location);
}

/* A leaf that is not said to be a container, which it was not taken as. */
static bool has_leaf_type(const struct mime_part *part)
{
    return part->type.ptr && !mime_part_is(part, "multipart", NULL) &&
           !mime_part_is(part, "message", "rfc822");
}

static void write_type(struct buf *out, const struct mime_part *part)
{
    if (part->kind == MIME_MESSAGE) {
        buf_append_text(out, "\"message\" \"rfc822\" ");
        write_params(out, part->params);
    } else if (has_leaf_type(part)) {
        imap_write_string(out, part->type);
        buf_append_char(out, ' ');
        imap_write_string(out, part->subtype);
        buf_append_char(out, ' ');
        write_params(out, part->params);
    } else if (mime_part_is(part, "text", NULL)) {
        buf_append_text(out, "\"text\" \"plain\" (\"charset\" \"us-ascii\")");
    } else {
        buf_append_text(out, "\"application\" \"octet-stream\" NIL");
    }
}

static void write_fields(struct buf *out, const struct mime_part *part)
{
    buf_append_char(out, ' ');
    imap_write_nstring(out, part->id);
    buf_append_char(out, ' ');
    imap_write_nstring(out, part->description);
    buf_append_char(out, ' ');
    imap_write_string(out, part->encoding.ptr ? part->encoding : STR("7bit"));
    buf_append_fmt(out, " %llu", (unsigned long long)(part->end_offset - part->body_offset));
}

static void write_single(struct buf *out, const struct mime_part *part, bool extended)
{
    buf_append_char(out, '(');
    write_type(out, part);
    write_fields(out, part);
    if (part->kind == MIME_MESSAGE) {
        buf_append_char(out, ' ');
        imap_write_envelope(out, part->first->envelope);
        buf_append_char(out, ' ');
        imap_write_structure(out, part->first, extended);
    }
    if (part->kind == MIME_MESSAGE || mime_part_is(part, "text", NULL))
        buf_append_fmt(out, " %llu", (unsigned long long)part->lines);
    if (extended) {
        buf_append_char(out, ' ');
        imap_write_nstring(out, part->md5);
        write_extension(out, part);
    }
    buf_append_char(out, ')');
}

static void write_multipart(struct buf *out, const struct mime_part *part, bool extended)
{
    buf_append_char(out, '(');
    for (const struct mime_part *child = part->first; child; child = child->next)
        imap_write_structure(out, child, extended);
    if (!part->first) /* the grammar wants one */
        buf_append_text(out, "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 0 0)");
    buf_append_char(out, ' ');
    imap_write_string(out, part->subtype);
    if (extended) {
        buf_append_char(out, ' ');
        write_params(out, part->params);
        write_extension(out, part);
    }
    buf_append_char(out, ')');
}

void imap_write_structure(struct buf *out, const struct mime_part *part, bool extended)
{
    if (part->kind == MIME_MULTIPART)
        write_multipart(out, part, extended);
    else
        write_single(out, part, extended);
}
