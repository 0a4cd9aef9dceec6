#include "wire/received.h"

static void append_printable(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool fine = ascii_isprint(s.ptr[i]) || (unsigned char)s.ptr[i] >= 0x80;
        buf_append_char(out, fine ? s.ptr[i] : '?');
    }
}

static void append_id(struct buf *out, const struct custody_id *id)
{
    char text[CUSTODY_ID_TEXT_MAX];
    custody_id_format(id, text);
    buf_append_fmt(out, " id %s", text);
}

/* " (name [192.0.2.1])" */
static void append_client(struct buf *out, struct str name, struct str ip)
{
    bool six = str_find(ip, ':', 0) != SIZE_MAX;
    buf_append_text(out, " (");
    append_printable(out, name);
    if (ip.len > 0)
        buf_append_fmt(out, "%s[%s%.*s]", name.len ? " " : "", six ? "IPv6:" : "", STR_ARG(ip));
    else if (name.len == 0)
        buf_append_text(out, "unknown");
    buf_append_text(out, ")\r\n\t");
}

void received_line_format(struct buf *out, const struct received_line *line)
{
    char date[WALL_MAIL_MAX];
    wall_format_mail(line->at, date);
    buf_append_text(out, "Received: from ");
    append_printable(out, line->helo.len ? line->helo : STR("unknown"));
    append_client(out, line->client_name, line->client_ip);
    if (line->tls.len)
        buf_append_fmt(out, "(using %.*s)\r\n\t", STR_ARG(line->tls));
    buf_append_text(out, "by ");
    append_printable(out, line->by);
    buf_append_fmt(out, " (Holdfast) with %s", line->with);
    if (line->id)
        append_id(out, line->id);
    if (line->for_one.len) {
        buf_append_text(out, "\r\n\tfor <");
        append_printable(out, line->for_one);
        buf_append_char(out, '>');
    }
    if (line->user.len) {
        buf_append_text(out, "\r\n\t(authenticated as ");
        append_printable(out, line->user);
        buf_append_char(out, ')');
    }
    buf_append_fmt(out, ";\r\n\t%s\r\n", date);
}
