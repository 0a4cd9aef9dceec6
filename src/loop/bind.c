#include "loop/bind.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *reason_text(int errno_value)
{
    switch (errno_value) {
    case EADDRINUSE:
        return "address in use: another program, or another start of this one, has it; "
               "end that, or configure another";
    case EADDRNOTAVAIL:
        return "no interface of this machine has that address: add it, or configure another";
    case EACCES:
        return "permission denied (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    default:
        return strerror(errno_value);
    }
}

static int bind_failed(int fd, const struct addr *at, struct err_buf *eb)
{
    int errno_value = errno;
    if (fd >= 0)
        close(fd);
    char text[ADDR_TEXT_MAX];
    addr_format(at, text);
    return err_set(eb, err_from_errno(errno_value), "%s: %s", text, reason_text(errno_value));
}

int loop_bind(enum loop_transport transport, const struct addr *at, int *ret_fd, struct err_buf *eb)
{
    int type = transport == LOOP_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int on = 1;
    int fd = socket(at->u.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return bind_failed(fd, at, eb);
    if (transport == LOOP_TCP && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return bind_failed(fd, at, eb);
    if (at->u.sa.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
        return bind_failed(fd, at, eb);
    if (bind(fd, &at->u.sa, addr_len(at)) != 0)
        return bind_failed(fd, at, eb);
    *ret_fd = fd;
    return 0;
}
