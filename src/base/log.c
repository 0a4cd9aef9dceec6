#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

#define LOG_LINE_MAX 4096 /* one write, so that lines of several threads do not mix */

static enum log_level least_level = LOG_INFO;
static char role_name[64] = "holdfast";

void log_set_level(enum log_level level)
{
    least_level = level;
}

void log_set_role(const char *role)
{
    snprintf(role_name, sizeof(role_name), "%s", role);
}

void log_escape(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '"' || c == '\\')
            buf_append_fmt(b, "\\%c", c);
        else if (ascii_isprint(c)) /* no UTF-8: it has control characters too (C1) */
            buf_append_char(b, c);
        else
            buf_append_fmt(b, "\\x%02x", (unsigned char)c);
    }
}

static bool needs_quotes(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_isprint(s.ptr[i]) || strchr(" \"\\=", s.ptr[i]))
            return true;
    return s.len == 0;
}

static void append_field(struct buf *b, const struct log_field *f)
{
    buf_append_fmt(b, " %s=", f->key);
    if (f->type == LOG_FIELD_I64) {
        buf_append_fmt(b, "%" PRId64, f->number);
        return;
    }
    bool quote = needs_quotes(f->text);
    if (quote)
        buf_append_char(b, '"');
    log_escape(b, f->text);
    if (quote)
        buf_append_char(b, '"');
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    if (level < least_level)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* the line's own stamp; no decision depends on it */
    char stamp[WALL_TEXT_MAX];
    wall_format_iso((struct wall_time){now.tv_sec * 1000 + now.tv_nsec / 1000000}, stamp);
    struct buf line;
    buf_init(&line, LOG_LINE_MAX - 1);
    buf_append_fmt(&line, "%s %s %s: %s", stamp, names[level], role_name, message);
    for (; fields->key; fields++)
        append_field(&line, fields);
    char text[LOG_LINE_MAX];
    size_t len = line.len;
    memcpy(text, buf_data(&line), len);
    text[len++] = '\n';
    buf_fini(&line);
    ssize_t written = write(STDERR_FILENO, text, len);
    (void)written; /* a log that cannot be written has nowhere to say so */
}
