#include "wire/imap_write.h"

#include "base/err.h"
#include "wire/calendar.h"
#include "wire/imap_utf7.h"

#define QUOTED_MAX_BYTES 1000 /* longer ones are literals: some clients bound their lines */

static bool can_be_quoted(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_isprint(text.ptr[i]) && text.ptr[i] != '\t')
            return false;
    return text.len <= QUOTED_MAX_BYTES;
}

void imap_write_literal(struct buf *out, struct str text)
{
    buf_append_fmt(out, "{%zu}\r\n", text.len);
    buf_append_str(out, text);
}

void imap_write_string(struct buf *out, struct str text)
{
    if (!can_be_quoted(text)) {
        imap_write_literal(out, text);
        return;
    }
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.ptr[i]);
    }
    buf_append_char(out, '"');
}

void imap_write_nstring(struct buf *out, struct str text)
{
    if (text.ptr)
        imap_write_string(out, text);
    else
        buf_append_text(out, "NIL");
}

void imap_write_mailbox(struct buf *out, struct str utf8_name)
{
    struct buf wire;
    buf_init(&wire, IMAP_MAILBOX_MAX_BYTES * 4);
    if (imap_utf7_encode(utf8_name, &wire) == 0)
        imap_write_string(out, buf_str(&wire));
    else
        imap_write_string(out, utf8_name);
    buf_fini(&wire);
}

void imap_write_flags(struct buf *out, uint32_t system, struct str keywords)
{
    const char *separator = "(";
    for (int i = 0; i <= IMAP_FLAG_COUNT; i++) {
        if (!(system & 1u << i))
            continue;
        buf_append_fmt(out, "%s%s", separator, imap_flag_names[i]);
        separator = " ";
    }
    if (keywords.len > 0) {
        buf_append_text(out, separator);
        buf_append_str(out, keywords);
        separator = " ";
    }
    buf_append_text(out, separator[0] == '(' ? "()" : ")");
}

void imap_write_date_time(struct buf *out, struct wall_time t)
{
    int64_t seconds = t.ms / 1000 - (t.ms % 1000 < 0);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int clock = (int)(seconds - days * 86400);
    struct calendar_date date = calendar_date_of(days);
    buf_append_fmt(out, "\"%02d-%s-%04d %02d:%02d:%02d +0000\"", date.day, calendar_months[date.month - 1],
                   date.year, clock / 3600, clock / 60 % 60, clock % 60);
}
