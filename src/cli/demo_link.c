#include "cli/demo_link.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES    16384
#define SEND_MAX      1024 /* of a formatted command */
#define INSTANCE_WORD "instance="

static int wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    int rc;
    do {
        rc = poll(&p, 1, DEMO_LINK_WAIT_MS);
    } while (rc < 0 && errno == EINTR);
    return rc == 1 ? 0 : rc == 0 ? ERR_TIMEOUT : ERR_IO;
}

static int connect_bounded(int fd, const struct addr *to)
{
    int error = 0, on = 1;
    socklen_t len = sizeof(error);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* short commands, each waited for */
    if (connect(fd, &to->u.sa, addr_len(to)) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return err_from_errno(errno);
    int rc = wait_for(fd, POLLOUT);
    if (rc < 0)
        return rc;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error ? err_from_errno(error) : 0;
}

int demo_link_open(struct demo_link *l, const struct addr *to, struct err_buf *eb)
{
    char text[ADDR_TEXT_MAX];
    addr_format(to, text);
    int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(eb, err_from_errno(errno), "no socket for %s: %s", text, strerror(errno));
    int rc = connect_bounded(fd, to);
    if (rc < 0) {
        close(fd);
        return err_set(eb, rc, "%s does not take connections: %s", text, err_name(rc));
    }
    l->fd = fd;
    l->line_len = 0;
    buf_init(&l->unread, DEMO_LINK_UNREAD_MAX);
    return 0;
}

void demo_link_close(struct demo_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    buf_fini(&l->unread);
}

int demo_link_send(struct demo_link *l, struct str data)
{
    while (data.len > 0) {
        ssize_t sent = send(l->fd, data.ptr, data.len, MSG_NOSIGNAL);
        if (sent > 0) {
            data = str_sub(data, (size_t)sent, data.len);
        } else if (errno == EAGAIN) {
            int rc = wait_for(l->fd, POLLOUT);
            if (rc < 0)
                return rc;
        } else if (errno != EINTR) {
            return ERR_CLOSED;
        }
    }
    return 0;
}

int demo_link_sendf(struct demo_link *l, const char *fmt, ...)
{
    struct buf text;
    va_list args;
    va_start(args, fmt);
    buf_init(&text, SEND_MAX);
    buf_append_vfmt(&text, fmt, args);
    va_end(args);
    int rc = text.overflow ? ERR_LIMIT : demo_link_send(l, buf_str(&text));
    buf_fini(&text);
    return rc;
}

/* More bytes into unread. */
static int receive(struct demo_link *l)
{
    char *place = buf_reserve(&l->unread, READ_BYTES);
    if (!place)
        return ERR_LIMIT;
    for (;;) {
        ssize_t got = recv(l->fd, place, READ_BYTES, 0);
        if (got > 0) {
            buf_commit(&l->unread, (size_t)got);
            return 0;
        }
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return ERR_CLOSED;
        int rc = wait_for(l->fd, POLLIN);
        if (rc < 0)
            return rc;
    }
}

static void drop_line(struct demo_link *l)
{
    buf_consume(&l->unread, l->line_len);
    l->line_len = 0;
}

int demo_link_line(struct demo_link *l, struct str *ret_line)
{
    size_t looked = 0, end;
    drop_line(l);
    while ((end = str_find(buf_str(&l->unread), '\n', looked)) == SIZE_MAX) {
        looked = l->unread.len;
        if (looked > DEMO_LINK_LINE_MAX)
            return ERR_LIMIT;
        int rc = receive(l);
        if (rc < 0)
            return rc;
    }
    l->line_len = end + 1;
    *ret_line = str_sub(buf_str(&l->unread), 0, end);
    if (str_ends(*ret_line, STR("\r")))
        ret_line->len--;
    return 0;
}

int demo_link_bytes(struct demo_link *l, size_t len, struct buf *out)
{
    drop_line(l);
    while (len > 0) {
        if (l->unread.len == 0) {
            int rc = receive(l);
            if (rc < 0)
                return rc;
        }
        struct str piece = str_sub(buf_str(&l->unread), 0, len);
        if (buf_append_str(out, piece) < 0)
            return ERR_LIMIT;
        len -= piece.len;
        buf_consume(&l->unread, piece.len);
    }
    return 0;
}

int64_t demo_link_epoch(struct str greeting)
{
    struct str rest, digits;
    uint64_t epoch;
    const char *at = memmem(greeting.ptr, greeting.len, INSTANCE_WORD, strlen(INSTANCE_WORD));
    if (!at)
        return 0;
    rest = str_sub(greeting, (size_t)(at - greeting.ptr) + strlen(INSTANCE_WORD), SIZE_MAX);
    str_split(&rest, '@', &digits);
    return str_to_u64(digits, INT64_MAX, &epoch) == 0 ? (int64_t)epoch : 0;
}
