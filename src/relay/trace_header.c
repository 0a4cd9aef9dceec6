#include "relay/trace_header.h"

#include <string.h>

static void append_printable(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool fine = ascii_isprint(s.ptr[i]) || (unsigned char)s.ptr[i] >= 0x80;
        buf_append_char(out, fine ? s.ptr[i] : '?');
    }
}

void received_line_format(struct buf *out, const struct received_line *line)
{
    char id[CUSTODY_ID_TEXT_MAX], date[WALL_MAIL_MAX];
    custody_id_format(&line->id, id);
    wall_format_mail(line->at, date);
    bool six = str_find(line->client_ip, ':', 0) != SIZE_MAX;
    buf_append_text(out, "Received: from ");
    append_printable(out, line->helo.len ? line->helo : STR("unknown"));
    buf_append_fmt(out, " ([%s%.*s])\r\n\tby ", six ? "IPv6:" : "", STR_ARG(line->client_ip));
    append_printable(out, line->by);
    buf_append_fmt(out, " (Holdfast) with %s id %s", line->with, id);
    if (line->for_one.len) {
        buf_append_text(out, "\r\n\tfor <");
        append_printable(out, line->for_one);
        buf_append_char(out, '>');
    }
    buf_append_fmt(out, ";\r\n\t%s\r\n", date);
}

void loop_guard_init(struct loop_guard *g, struct str own_name)
{
    memset(g, 0, sizeof(*g));
    g->own_name = own_name;
}

/* " by NAME " with a blank before and a blank or the end after it. */
static bool names_us(struct str line, struct str name)
{
    for (size_t at = 0; at + 4 + name.len <= line.len; at++) {
        bool start = at == 0 || line.ptr[at - 1] == ' ' || line.ptr[at - 1] == '\t';
        if (!start || !str_ieq(str_sub(line, at, 3), STR("by ")))
            continue;
        struct str rest = str_sub(line, at + 3, line.len);
        if (name.len && str_istarts(rest, name) &&
            (rest.len == name.len || strchr(" \t;(", rest.ptr[name.len])))
            return true;
    }
    return false;
}

static void end_line(struct loop_guard *g)
{
    struct str line = {g->line, g->line_len < sizeof(g->line) ? g->line_len : sizeof(g->line)};
    if (g->line_len == 0) {
        g->in_body = true;
        return;
    }
    if (line.ptr[0] != ' ' && line.ptr[0] != '\t') {
        g->at_received = str_istarts(line, STR("Received:"));
        g->hops += g->at_received;
    }
    if (g->at_received && names_us(line, g->own_name))
        g->own_hops++;
    g->line_len = 0;
}

static void feed_byte(struct loop_guard *g, char c)
{
    if (c == '\n' && g->cr) {
        end_line(g);
    } else if (c != '\r') {
        if (g->line_len < sizeof(g->line))
            g->line[g->line_len] = c;
        g->line_len++;
    }
    g->cr = c == '\r';
}

void loop_guard_feed(struct loop_guard *g, const char *data, size_t len)
{
    for (size_t i = 0; i < len && !g->in_body; i++)
        feed_byte(g, data[i]);
}

bool loop_guard_tripped(const struct loop_guard *g)
{
    return g->hops >= HOPS_MAX || g->own_hops >= OWN_HOPS_MAX;
}
