#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/time.h"

/* One write, so that lines of several threads do not mix; PIPE_BUF of Linux, so that a pipe takes it whole.
 */
#define LOG_LINE_MAX 4096

static enum log_level least_level = LOG_INFO;
static char role_name[64] = "holdfast";
static int out_fd = STDERR_FILENO;
static bool out_is_socket, out_is_file;
static atomic_uint lost_lines;

void log_open(void)
{
    struct stat st;
    if (fstat(STDERR_FILENO, &st) < 0)
        return;
    out_is_socket = S_ISSOCK(st.st_mode);
    out_is_file = S_ISREG(st.st_mode);
    if (!S_ISFIFO(st.st_mode))
        return;
    /* A description of our own: O_NONBLOCK on the shared one would surprise those who share it. */
    int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0)
        out_fd = own;
}

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
    printable_append(b, s, PRINTABLE_QUOTED);
}

static void append_field(struct buf *b, const struct log_field *f)
{
    buf_append_char(b, ' ');
    buf_append_text(b, f->key);
    buf_append_char(b, '=');
    if (f->type == LOG_FIELD_I64) {
        buf_append_fmt(b, "%" PRId64, f->number);
        return;
    }
    printable_append_value(b, f->text);
}

static bool put(const char *text, size_t len)
{
    if (out_is_socket)
        return send(out_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    struct pollfd ready = {.fd = out_fd, .events = POLLOUT};
    bool takes = out_is_file || (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT));
    return takes && write(out_fd, text, len) >= 0;
}

static void begin_line(struct buf *line, enum log_level level, const char *message)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* the line's own stamp; no decision depends on it */
    char stamp[WALL_TEXT_MAX];
    wall_format_iso((struct wall_time){now.tv_sec * 1000 + now.tv_nsec / 1000000}, stamp);
    buf_init(line, LOG_LINE_MAX - 1);
    buf_append_fmt(line, "%s %s %s: %s", stamp, names[level], role_name, message);
}

/* False: nobody takes it now. */
static bool end_line(struct buf *line)
{
    char text[LOG_LINE_MAX];
    size_t len = line->len;
    memcpy(text, buf_data(line), len);
    text[len++] = '\n';
    buf_fini(line);
    return put(text, len);
}

static void tell_lost(void)
{
    unsigned count = atomic_exchange(&lost_lines, 0);
    if (count == 0)
        return;
    struct buf line;
    begin_line(&line, LOG_WARNING, "log lines were lost, nobody took them");
    append_field(&line, &LOG_I64("count", count));
    if (!end_line(&line))
        atomic_fetch_add(&lost_lines, count);
}

void log_fields(enum log_level level, const char *message, const struct log_field *fields)
{
    if (level < least_level)
        return;
    tell_lost();
    struct buf line;
    begin_line(&line, level, message);
    for (; fields->key; fields++)
        append_field(&line, fields);
    if (!end_line(&line))
        atomic_fetch_add(&lost_lines, 1);
}
