/* A running server as the other side. */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "dialogue/dialogue.h"

#define WAIT_MS 20000 /* for a line; a loaded machine under a sanitizer needs seconds */

struct socket_peer {
    struct dialogue_peer base;
    int fd;
    bool ended;
    struct buf received;
    size_t line_len;
};

/* Reads what there is, waiting for it; false at the end or when nothing comes. */
static bool receive(struct socket_peer *p, int wait_ms)
{
    char data[16384];
    struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};
    if (poll(&poll_fd, 1, wait_ms) != 1)
        return false;
    ssize_t len = recv(p->fd, data, sizeof(data), 0);
    p->ended = len <= 0;
    if (len > 0)
        buf_append(&p->received, data, (size_t)len);
    return len > 0;
}

static void peer_send(struct dialogue_peer *base, const char *data, size_t len)
{
    struct socket_peer *p = (struct socket_peer *)base;
    while (len > 0 && !p->ended) {
        struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN | POLLOUT};
        if (poll(&poll_fd, 1, WAIT_MS) != 1)
            return;
        if (poll_fd.revents & POLLIN)
            receive(p, 0);
        ssize_t sent = send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return; /* what the server said before it closed can still be read */
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        }
    }
}

static int peer_read_line(struct dialogue_peer *base, struct str *ret_line)
{
    struct socket_peer *p = (struct socket_peer *)base;
    size_t end;
    buf_consume(&p->received, p->line_len);
    p->line_len = 0;
    while ((end = str_find(buf_str(&p->received), '\n', 0)) == SIZE_MAX) {
        if (!p->ended && receive(p, WAIT_MS))
            continue;
        return p->ended ? 0 : ERR_TIMEOUT;
    }
    p->line_len = end + 1;
    *ret_line = str_sub(buf_str(&p->received), 0, p->line_len);
    return 1;
}

static void peer_shut(struct dialogue_peer *base)
{
    shutdown(((struct socket_peer *)base)->fd, SHUT_WR);
}

static void peer_free(struct dialogue_peer *base)
{
    struct socket_peer *p = (struct socket_peer *)base;
    close(p->fd);
    buf_fini(&p->received);
    free(p);
}

struct dialogue_peer *peer_socket_new(const char *host, const char *port, struct err_buf *eb)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    int on = 1, rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        err_set(eb, ERR_INVALID, "%s:%s: %s", host, port, gai_strerror(rc));
        return NULL;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (rc != 0) {
        err_set(eb, err_from_errno(errno), "%s:%s: %s", host, port, strerror(errno));
        close(fd);
        return NULL;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct socket_peer *p = mem_zalloc(sizeof(*p));
    p->base = (struct dialogue_peer){peer_send, peer_read_line, NULL, peer_shut, peer_free};
    p->fd = fd;
    buf_init(&p->received, 64 << 20);
    return &p->base;
}
