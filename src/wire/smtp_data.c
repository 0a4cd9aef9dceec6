#include "wire/smtp_data.h"

#include <string.h>

/* ---- reading ---- */

void smtp_unstuff_init(struct smtp_unstuff *u, bool lenient)
{
    *u = (struct smtp_unstuff){.state = SMTP_UNSTUFF_LINE_START, .lenient = lenient};
}

static bool has_eight_bit(const char *p, size_t len)
{
    uint64_t all = 0, word;
    for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        all |= word;
    }
    for (; len > 0; p++, len--)
        all |= (unsigned char)*p;
    return all & 0x8080808080808080U;
}

static struct str give(struct smtp_unstuff *u, const char *ptr, size_t len)
{
    if (u->bare || len == 0)
        return STR_EMPTY;
    u->eight_bit = u->eight_bit || has_eight_bit(ptr, len);
    u->nul = u->nul || memchr(ptr, '\0', len);
    return (struct str){ptr, len};
}

/* Reads whole lines, up to a leading dot, a CR at the end of data, or all. */
static size_t scan_lines(struct smtp_unstuff *u, const char *data, size_t len, size_t *ret_give)
{
    size_t at = 0;
    while (at < len) {
        if (u->state == SMTP_UNSTUFF_LINE_START && data[at] == '.') {
            u->state = SMTP_UNSTUFF_DOT;
            *ret_give = at;
            return at + 1;
        }
        const char *lf = memchr(data + at, '\n', len - at);
        size_t end = lf ? (size_t)(lf - data) : len;
        const char *cr = memchr(data + at, '\r', end - at);
        bool ends_cr = end > at && data[end - 1] == '\r';
        u->bare = u->bare || (!u->lenient && ((lf && !ends_cr) || (cr && cr != data + end - 1)));
        if (!lf) {
            u->state = ends_cr ? SMTP_UNSTUFF_CR : SMTP_UNSTUFF_MIDDLE;
            *ret_give = ends_cr ? len - 1 : len;
            return len;
        }
        u->state = ends_cr ? SMTP_UNSTUFF_LINE_START : SMTP_UNSTUFF_MIDDLE;
        at = end + 1;
    }
    *ret_give = len;
    return len;
}

/* A CR, a dot or both were held back: what does the next byte make of them?
 * True when it was taken. */
static bool resolve_held(struct smtp_unstuff *u, char c, struct str *ret_out, bool *ret_end)
{
    switch (u->state) {
    case SMTP_UNSTUFF_CR:
        if (c == '\n') {
            u->state = SMTP_UNSTUFF_LINE_START;
            *ret_out = give(u, "\r\n", 2);
            return true;
        }
        u->bare = true;
        break;
    case SMTP_UNSTUFF_DOT:
        if (c == '\r') {
            u->state = SMTP_UNSTUFF_DOT_CR;
            return true;
        }
        break;
    case SMTP_UNSTUFF_DOT_CR:
        if (c == '\n') {
            u->state = SMTP_UNSTUFF_LINE_START;
            *ret_end = true;
            return true;
        }
        u->bare = true;
        break;
    default:
        return false;
    }
    u->state = SMTP_UNSTUFF_MIDDLE;
    return false;
}

static bool holds_bare_cr(const struct smtp_unstuff *u, char next)
{
    return (u->state == SMTP_UNSTUFF_CR || u->state == SMTP_UNSTUFF_DOT_CR) && next != '\n';
}

bool smtp_unstuff(struct smtp_unstuff *u, const char *data, size_t len, size_t *ret_used, struct str *ret_out)
{
    bool end = false;
    size_t given;
    *ret_out = STR_EMPTY;
    *ret_used = 0;
    if (len == 0)
        return false;
    if (u->lenient && holds_bare_cr(u, data[0])) {
        u->state = SMTP_UNSTUFF_MIDDLE;
        *ret_out = give(u, "\r", 1);
        return false;
    }
    if (resolve_held(u, data[0], ret_out, &end)) {
        *ret_used = 1;
        return end;
    }
    *ret_used = scan_lines(u, data, len, &given);
    *ret_out = give(u, data, given);
    return false;
}

/* ---- writing ---- */

void smtp_stuff_init(struct smtp_stuff *st)
{
    *st = (struct smtp_stuff){.line_start = true};
}

void smtp_stuff_init_plain(struct smtp_stuff *st)
{
    *st = (struct smtp_stuff){.line_start = true, .plain = true};
}

static void end_line(struct smtp_stuff *st, struct buf *out)
{
    buf_append_text(out, "\r\n");
    st->line_start = true;
    st->cr = false;
}

/* Bytes without CR and LF. */
static void append_run(struct smtp_stuff *st, struct buf *out, const char *data, size_t len)
{
    if (len == 0)
        return;
    if (st->line_start && data[0] == '.' && !st->plain)
        buf_append_char(out, '.');
    buf_append(out, data, len);
    st->line_start = false;
}

void smtp_stuff(struct smtp_stuff *st, struct buf *out, const char *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        if (st->cr) {
            at += data[at] == '\n';
            end_line(st, out);
            continue;
        }
        const char *lf = memchr(data + at, '\n', len - at);
        size_t end = lf ? (size_t)(lf - data) : len;
        const char *cr = memchr(data + at, '\r', end - at);
        if (cr)
            end = (size_t)(cr - data);
        append_run(st, out, data + at, end - at);
        at = end + (cr ? 1 : 0);
        st->cr = cr;
        if (!cr && lf) {
            at++;
            end_line(st, out);
        }
    }
}

void smtp_stuff_end_line(struct smtp_stuff *st, struct buf *out)
{
    if (st->cr || !st->line_start)
        end_line(st, out);
}

void smtp_stuff_end(struct smtp_stuff *st, struct buf *out)
{
    smtp_stuff_end_line(st, out);
    buf_append_text(out, ".\r\n");
}
