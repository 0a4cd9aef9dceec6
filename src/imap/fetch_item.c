#include "imap/fetch.h"

#include "base/err.h"
#include "imap/sync.h"
#include "wire/imap_structure.h"
#include "wire/imap_write.h"

static enum fetch_result next_item(struct fetch *f)
{
    f->item++;
    f->step = fetch_item_step;
    return FETCH_AGAIN;
}

/* ---- sections ---- */

struct range {
    uint64_t offset, end;
};

static struct range header_of(const struct mime_part *part)
{
    return (struct range){part->header_offset, part->body_offset};
}

/* False: the message has no such part. */
static bool find_range(const struct fetch *f, const struct imap_section *section, struct range *ret_range)
{
    uint64_t size = fetch_message(f)->size_bytes;
    const struct mime_part *root = f->cmd->session->structure, *part = root;
    if (section->path_len == 0) {
        uint64_t body = section->text == IMAP_SECTION_ALL ? 0 : root->body_offset;
        bool header = section->text != IMAP_SECTION_ALL && section->text != IMAP_SECTION_TEXT;
        *ret_range = header ? header_of(root) : (struct range){body, size};
        return true;
    }
    part = mime_part_find(root, section->path, section->path_len);
    if (!part)
        return false;
    if (section->text == IMAP_SECTION_ALL) {
        *ret_range = (struct range){part->body_offset, part->end_offset};
        return true;
    }
    if (section->text == IMAP_SECTION_MIME) {
        *ret_range = header_of(part);
        return true;
    }
    if (part->kind != MIME_MESSAGE) /* HEADER and TEXT are of messages only */
        return false;
    part = part->first;
    *ret_range = section->text == IMAP_SECTION_TEXT ? (struct range){part->body_offset, part->end_offset}
                                                    : header_of(part);
    return true;
}

/* The bytes that a partial fetch leaves of a section of this size. */
static void cut(const struct imap_fetch_item *item, uint64_t size, uint64_t *ret_skip, uint64_t *ret_length)
{
    *ret_skip = 0;
    *ret_length = size;
    if (!item->partial)
        return;
    *ret_skip = item->offset < size ? item->offset : size;
    uint64_t left = size - *ret_skip;
    *ret_length = item->length < left ? item->length : left;
}

/* ---- copying ---- */

/* Whatever is written from now on follows what the client has. */
static void send_line(struct fetch *f)
{
    buf_append_str(&f->cmd->session->out, buf_str(&f->line));
    buf_clear(&f->line);
    f->line_sent = true;
}

/* Some bytes at the offset, which is before the end. */
static enum imap_source_state get_some(struct fetch *f, struct str *ret_data)
{
    enum imap_source_state state = imap_source_get(&f->source, f->offset, ret_data);
    if (state == IMAP_SOURCE_READY && ret_data->len == 0) {
        f->source.err = ERR_CORRUPT; /* shorter than the store says */
        return IMAP_SOURCE_FAILED;
    }
    if (state == IMAP_SOURCE_READY)
        *ret_data = str_sub(*ret_data, 0, f->end - f->offset);
    return state;
}

static enum fetch_result step_copy(struct fetch *f)
{
    struct str data;
    if (f->offset == f->end)
        return next_item(f);
    enum imap_source_state state = get_some(f, &data);
    if (state == IMAP_SOURCE_WAIT)
        return FETCH_WAIT;
    if (state == IMAP_SOURCE_FAILED)
        return fetch_failed(f);
    send_line(f);
    buf_append_str(&f->cmd->session->out, data);
    f->offset += data.len;
    return FETCH_AGAIN;
}

static enum fetch_result begin_copy(struct fetch *f, uint64_t offset, uint64_t length)
{
    if (length == 0) {
        buf_append_text(&f->line, "\"\"");
        return next_item(f);
    }
    buf_append_fmt(&f->line, "{%llu}\r\n", (unsigned long long)length);
    f->offset = offset;
    f->end = offset + length;
    f->step = step_copy;
    return FETCH_AGAIN;
}

/* ---- filtering ---- */

static bool wants_field(void *arg, struct str name)
{
    return imap_section_wants_field(arg, name);
}

static enum fetch_result step_filter(struct fetch *f)
{
    struct str data;
    while (f->offset < f->end) {
        enum imap_source_state state = get_some(f, &data);
        if (state == IMAP_SOURCE_WAIT)
            return FETCH_WAIT;
        if (state == IMAP_SOURCE_FAILED)
            return fetch_failed(f);
        mime_filter_feed(&f->filter, data);
        f->offset += data.len;
    }
    mime_filter_finish(&f->filter);
    mime_filter_fini(&f->filter);
    uint64_t skip, length;
    cut(&f->items.items[f->item], f->filtered.len, &skip, &length);
    imap_write_literal(&f->line, str_sub(buf_str(&f->filtered), (size_t)skip, (size_t)length));
    return next_item(f);
}

static enum fetch_result begin_filter(struct fetch *f, uint64_t offset, uint64_t end)
{
    buf_clear(&f->filtered);
    mime_filter_init(&f->filter, &f->filtered, wants_field, &f->items.items[f->item].section);
    f->offset = offset;
    f->end = end;
    f->step = step_filter;
    return FETCH_AGAIN;
}

static enum fetch_result write_section(struct fetch *f, const struct imap_fetch_item *item)
{
    struct range range;
    if (!find_range(f, &item->section, &range)) {
        buf_append_text(&f->line, "NIL");
        return next_item(f);
    }
    if (item->section.text == IMAP_SECTION_FIELDS || item->section.text == IMAP_SECTION_FIELDS_NOT)
        return begin_filter(f, range.offset, range.end);
    uint64_t skip, length;
    cut(item, range.end - range.offset, &skip, &length);
    return begin_copy(f, range.offset + skip, length);
}

/* ---- items ---- */

static enum fetch_result write_item(struct fetch *f, const struct imap_fetch_item *item)
{
    const struct imap_message *m = fetch_message(f);
    const struct mime_part *root = f->cmd->session->structure;
    switch (item->kind) {
    case IMAP_FETCH_FLAGS:
        imap_write_message_flags(f->cmd->session, &f->line, m);
        break;
    case IMAP_FETCH_UID:
        buf_append_fmt(&f->line, "%u", m->uid);
        break;
    case IMAP_FETCH_INTERNALDATE:
        imap_write_date_time(&f->line, m->internal_date);
        break;
    case IMAP_FETCH_SIZE:
        buf_append_fmt(&f->line, "%llu", (unsigned long long)m->size_bytes);
        break;
    case IMAP_FETCH_ENVELOPE:
        imap_write_envelope(&f->line, root->envelope);
        break;
    case IMAP_FETCH_BODY:
        imap_write_structure(&f->line, root, false);
        break;
    case IMAP_FETCH_BODYSTRUCTURE:
        imap_write_structure(&f->line, root, true);
        break;
    case IMAP_FETCH_SECTION:
        return write_section(f, item);
    }
    return next_item(f);
}

enum fetch_result fetch_item_step(struct fetch *f)
{
    if (f->item == f->items.count)
        return fetch_message_done(f);
    const struct imap_fetch_item *item = &f->items.items[f->item];
    if (f->item > 0)
        buf_append_char(&f->line, ' ');
    imap_write_fetch_name(&f->line, item);
    buf_append_char(&f->line, ' ');
    return write_item(f, item);
}
