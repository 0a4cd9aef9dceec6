#include "wire/smtp_reply.h"

#include <stdio.h>
#include <string.h>

#define LINE_TEXT_MAX (512 - 2) /* RFC 5321 4.5.3.1.5, without CRLF */

static bool has_enhanced(const struct smtp_reply *r)
{
    return r->enhanced.class != 0 && smtp_reply_class(r) != 3;
}

static void append_clean(struct buf *out, struct str text)
{
    char *place = buf_reserve(out, text.len);
    if (!place)
        return;
    for (size_t i = 0; i < text.len; i++)
        place[i] = ascii_isprint(text.ptr[i]) ? text.ptr[i] : '?';
    buf_commit(out, text.len);
}

void smtp_reply_format(struct buf *out, const struct smtp_reply *r, bool enhanced)
{
    char lead[24] = "";
    size_t lead_len = 0;
    struct str rest = r->text, line;
    bool more = true;
    if (enhanced && has_enhanced(r))
        lead_len = (size_t)snprintf(lead, sizeof(lead), "%u.%u.%u ", r->enhanced.class, r->enhanced.subject,
                                    r->enhanced.detail);
    if (!rest.ptr)
        rest = STR_EMPTY;
    str_split(&rest, '\n', &line);
    while (more) {
        struct str part = str_sub(line, 0, LINE_TEXT_MAX - 4 - lead_len);
        line = str_sub(line, part.len, line.len);
        more = line.len > 0 || str_split(&rest, '\n', &line);
        buf_append_fmt(out, "%03u%c%s", r->code, more ? '-' : ' ', lead);
        append_clean(out, part);
        buf_append_text(out, "\r\n");
    }
}

size_t smtp_reply_describe(const struct smtp_reply *r, char *out, size_t size)
{
    struct buf b;
    CHECK(size > 0);
    buf_init(&b, SMTP_REPLY_TEXT_MAX + r->text.len);
    if (r->code != 0)
        buf_append_fmt(&b, "%03u ", r->code);
    if (r->enhanced.class != 0)
        buf_append_fmt(&b, "%u.%u.%u ", r->enhanced.class, r->enhanced.subject, r->enhanced.detail);
    for (size_t i = 0; i < r->text.len; i++)
        buf_append_char(&b, r->text.ptr[i] == '\n'          ? ' '
                            : ascii_isprint(r->text.ptr[i]) ? r->text.ptr[i]
                                                            : '?');
    size_t len = b.len < size ? b.len : size - 1;
    memcpy(out, buf_data(&b), len);
    out[len] = '\0';
    buf_fini(&b);
    return len;
}

static bool take_number(struct str *s, uint16_t *ret_number)
{
    uint64_t value;
    size_t len = 0;
    while (len < s->len && ascii_isdigit(s->ptr[len]))
        len++;
    if (len > 3 || str_to_u64(str_sub(*s, 0, len), 999, &value) != 0)
        return false;
    *ret_number = (uint16_t)value;
    *s = str_sub(*s, len, s->len);
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

bool smtp_enhanced_parse(struct str *text, unsigned code, struct smtp_enhanced *ret_enhanced)
{
    struct str s = *text;
    struct smtp_enhanced e;
    uint16_t class;
    if (!take_number(&s, &class) || class != code / 100 || (class != 2 && class != 4 && class != 5))
        return false;
    if (!take_char(&s, '.') || !take_number(&s, &e.subject) || !take_char(&s, '.') ||
        !take_number(&s, &e.detail))
        return false;
    if (s.len > 0 && !take_char(&s, ' '))
        return false;
    e.class = (uint8_t) class;
    *ret_enhanced = e;
    *text = s;
    return true;
}

void smtp_reply_parser_init(struct smtp_reply_parser *p)
{
    p->code = 0;
    p->lines = 0;
    p->enhanced = (struct smtp_enhanced){0, 0, 0};
    p->text_len = 0;
    p->line_len = 0;
}

static void keep_text(struct smtp_reply_parser *p, struct str text)
{
    if (p->lines > 1 && p->text_len < sizeof(p->text))
        p->text[p->text_len++] = '\n';
    for (size_t i = 0; i < text.len && p->text_len < sizeof(p->text); i++)
        p->text[p->text_len++] = ascii_isprint(text.ptr[i]) ? text.ptr[i] : '?';
}

/* One line without its CRLF. */
static int take_line(struct smtp_reply_parser *p, struct str line, struct str *ret_line)
{
    uint16_t code = 0;
    struct smtp_enhanced enhanced;
    if (line.len < 3)
        return ERR_SYNTAX;
    for (int i = 0; i < 3; i++) {
        if (!ascii_isdigit(line.ptr[i]))
            return ERR_SYNTAX;
        code = (uint16_t)(code * 10 + (line.ptr[i] - '0'));
    }
    if (code < 200 || code > 599 || (p->lines > 0 && code != p->code))
        return ERR_SYNTAX;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
        return ERR_SYNTAX;
    if (++p->lines > SMTP_REPLY_LINES_MAX)
        return ERR_LIMIT;
    p->code = code;
    struct str text = str_sub(line, 4, line.len);
    *ret_line = text;
    if (smtp_enhanced_parse(&text, code, &enhanced))
        p->enhanced = enhanced;
    keep_text(p, text);
    return line.len > 3 && line.ptr[3] == '-' ? 1 : 2;
}

int smtp_reply_parse(struct smtp_reply_parser *p, const char *data, size_t len, size_t *ret_used,
                     struct str *ret_line, struct smtp_reply *ret_reply)
{
    const char *lf = len > 0 ? memchr(data, '\n', len) : NULL;
    size_t take = lf ? (size_t)(lf - data) + 1 : len;
    if (take > sizeof(p->line) - p->line_len)
        return ERR_LIMIT;
    memcpy(p->line + p->line_len, data, take);
    p->line_len += take;
    *ret_used = take;
    if (!lf)
        return 0;
    struct str line = {p->line, p->line_len - 1};
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') /* some servers send LF alone */
        line.len--;
    p->line_len = 0;
    int rc = take_line(p, line, ret_line);
    if (rc == 2) {
        *ret_reply = (struct smtp_reply){p->code, p->enhanced, {p->text, p->text_len}};
        p->code = 0;
        p->lines = 0;
        p->text_len = 0;
        p->enhanced = (struct smtp_enhanced){0, 0, 0};
    }
    return rc;
}
