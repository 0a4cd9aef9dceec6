#include "wire/imap_fetch.h"
#include "wire/imap_write.h"

static const char *section_word(enum imap_section_text text)
{
    switch (text) {
    case IMAP_SECTION_ALL:
        return "";
    case IMAP_SECTION_HEADER:
        return "HEADER";
    case IMAP_SECTION_FIELDS:
        return "HEADER.FIELDS";
    case IMAP_SECTION_FIELDS_NOT:
        return "HEADER.FIELDS.NOT";
    case IMAP_SECTION_TEXT:
        return "TEXT";
    case IMAP_SECTION_MIME:
        return "MIME";
    }
    return "";
}

static void write_field(struct buf *out, struct str field)
{
    bool atom = field.len > 0;
    for (size_t i = 0; i < field.len; i++)
        atom = atom && (ascii_isalnum(field.ptr[i]) || field.ptr[i] == '-' || field.ptr[i] == '_');
    if (atom)
        buf_append_str(out, field);
    else
        imap_write_string(out, field);
}

static void write_section(struct buf *out, const struct imap_section *section)
{
    for (size_t i = 0; i < section->path_len; i++)
        buf_append_fmt(out, "%s%u", i > 0 ? "." : "", section->path[i]);
    if (section->path_len > 0 && section->text != IMAP_SECTION_ALL)
        buf_append_char(out, '.');
    buf_append_text(out, section_word(section->text));
    for (size_t i = 0; i < section->field_count; i++) {
        buf_append_text(out, i == 0 ? " (" : " ");
        write_field(out, section->fields[i]);
    }
    if (section->field_count > 0)
        buf_append_char(out, ')');
}

void imap_write_fetch_name(struct buf *out, const struct imap_fetch_item *item)
{
    static const char *const names[] = {"FLAGS",    "UID",  "INTERNALDATE",  "RFC822.SIZE",
                                        "ENVELOPE", "BODY", "BODYSTRUCTURE", "BODY["};
    if (item->alias) {
        buf_append_text(out, item->alias);
        return;
    }
    buf_append_text(out, names[item->kind]);
    if (item->kind != IMAP_FETCH_SECTION)
        return;
    write_section(out, &item->section);
    buf_append_char(out, ']');
    if (item->partial)
        buf_append_fmt(out, "<%llu>", (unsigned long long)item->offset);
}

bool imap_section_wants_field(const struct imap_section *section, struct str field)
{
    bool named = false;
    for (size_t i = 0; i < section->field_count && !named; i++)
        named = str_ieq(section->fields[i], field);
    return section->text == IMAP_SECTION_FIELDS ? named : !named;
}
