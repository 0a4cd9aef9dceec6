#include "run/lifeline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

int lifeline_open(struct lifeline *ret_lifeline, struct err_buf *eb)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(eb, err_from_errno(errno), "no pipe for the lifeline of this node's roles: %m");
    ret_lifeline->read_fd = fds[0];
    ret_lifeline->write_fd = fds[1];
    snprintf(ret_lifeline->env, sizeof(ret_lifeline->env), LIFELINE_ENV "=%d", fds[0]);
    return 0;
}

void lifeline_close(struct lifeline *l)
{
    close(l->read_fd);
    close(l->write_fd);
    l->read_fd = l->write_fd = -1;
}

int lifeline_fd(void)
{
    uint64_t fd;
    struct str text = str_from(getenv(LIFELINE_ENV));
    if (text.len == 0 || str_to_u64(text, INT_MAX, &fd) < 0 || fcntl((int)fd, F_GETFD) < 0)
        return -1;
    return (int)fd;
}

struct lifeline_hold {
    int fd;
    struct loop_watch *watch;
};

static void on_ready(void *arg, bool readable, bool writable)
{
    struct lifeline_hold *h = arg;
    char byte;
    (void)writable;
    if (!readable || read(h->fd, &byte, 1) != 0) /* only its end has a meaning */
        return;
    log_event(LOG_WARNING, "the node's supervisor is gone: ending");
    _exit(LIFELINE_EXIT_STATUS);
}

struct lifeline_hold *lifeline_hold(struct loop *l)
{
    int fd = lifeline_fd();
    if (fd < 0)
        return NULL;
    struct lifeline_hold *h = mem_zalloc(sizeof(*h));
    h->fd = fd;
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL,
                flags | O_NONBLOCK); /* shared by all who hold it; none of them waits in a read */
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    h->watch = loop_watch_new(l, fd, on_ready, h);
    loop_watch_set(h->watch, true, false);
    return h;
}

void lifeline_release(struct lifeline_hold *h)
{
    if (!h)
        return;
    loop_watch_free(h->watch);
    free(h);
}
