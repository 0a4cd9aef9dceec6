#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/bind.h"
#include "loop/real_impl.h"

#define BACKLOG         1024 /* waiting for accept; a burst of senders after an outage fits */
#define ACCEPT_BURST    64   /* per turn, so that others get their turn */
#define ACCEPT_PAUSE_MS 100  /* when out of descriptors or memory: until some are freed */

struct real_listener {
    struct loop_listener base;
    struct real_object object;
    struct real_loop *loop;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *retry;
    bool paused, refuses;
    bool busy; /* in on_ready, which lets go of the memory of a listener freed meanwhile */
    bool freed;
    loop_accept_fn *on_accept;
    void *arg;
};

static struct real_listener *listener_of(struct loop_listener *base)
{
    return CONTAINER_OF(base, struct real_listener, base);
}

static void update_watch(struct real_listener *li)
{
    loop_watch_set(li->watch, !li->paused && !li->refuses && !loop_timer_active(li->retry), false);
}

/* The connection that failed is gone from the backlog with most errors; with
 * these it is still there, and accept would fail again at once. */
static bool out_of_resources(int errno_value)
{
    return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOBUFS || errno_value == ENOMEM;
}

/* Accepts one; false when there is none, or when accepting has to stop. */
static bool accept_one(struct real_listener *li)
{
    struct addr peer;
    socklen_t len = sizeof(peer.u);
    int fd = accept4(li->fd, &peer.u.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        li->on_accept(li->arg, real_stream_open(li->loop, fd, &peer), &peer);
        return true;
    }
    if (out_of_resources(errno)) {
        loop_timer_start(li->retry, ACCEPT_PAUSE_MS);
        update_watch(li);
        return false;
    }
    return errno != EAGAIN;
}

static void on_ready(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct real_listener *li = arg;
    li->busy = true;
    for (int i = 0; i < ACCEPT_BURST && accept_one(li); i++)
        if (li->freed || li->paused || li->refuses)
            break;
    li->busy = false;
    if (li->freed)
        free(li);
}

static void on_retry(void *arg)
{
    update_watch(arg);
}

static void listener_dispose(struct real_object *o)
{
    real_listener_free(&CONTAINER_OF(o, struct real_listener, object)->base);
}

static struct loop_listener *listener_new(struct real_loop *l, int fd, loop_accept_fn *on_accept, void *arg)
{
    struct real_listener *li = mem_alloc(sizeof(*li));
    *li = (struct real_listener){
        .base.ops = &real_ops, .loop = l, .fd = fd, .on_accept = on_accept, .arg = arg};
    real_object_init(l, &li->object, listener_dispose);
    li->retry = loop_timer_new(&l->base, on_retry, li);
    li->watch = loop_watch_new(&l->base, fd, on_ready, li);
    update_watch(li);
    return &li->base;
}

int real_listen_fd(struct loop *l, int fd, loop_accept_fn *on_accept, void *arg,
                   struct loop_listener **ret_listener, struct err_buf *eb)
{
    if (listen(fd, BACKLOG) != 0) {
        int errno_value = errno;
        struct addr at = {.u.in.sin_family = AF_INET};
        socklen_t len = sizeof(at.u);
        getsockname(fd, &at.u.sa, &len);
        close(fd);
        char text[ADDR_TEXT_MAX];
        addr_format(&at, text);
        return err_set(eb, err_from_errno(errno_value), "%s: cannot listen: %s", text,
                       errno_value == EADDRINUSE ? "address in use" : strerror(errno_value));
    }
    *ret_listener = listener_new(real_of(l), fd, on_accept, arg);
    return 0;
}

int real_listen(struct loop *l, const struct addr *at, loop_accept_fn *on_accept, void *arg,
                struct loop_listener **ret_listener, struct err_buf *eb)
{
    int fd;
    int rc = loop_bind(LOOP_TCP, at, &fd, eb);
    return rc < 0 ? rc : real_listen_fd(l, fd, on_accept, arg, ret_listener, eb);
}

void real_listener_pause(struct loop_listener *base, bool paused)
{
    struct real_listener *li = listener_of(base);
    li->paused = paused;
    update_watch(li);
}

/* What shutdown(2) does to a listening socket is Linux's own: it is as before listen(2), and bound. The poll
 * goes first: such a socket reports POLLHUP, whatever is asked for. */
int real_listener_refuse(struct loop_listener *base, bool refuse)
{
    struct real_listener *li = listener_of(base);
    if (refuse == li->refuses)
        return 0;
    if (!refuse && listen(li->fd, BACKLOG) != 0)
        return err_from_errno(errno);
    li->refuses = refuse;
    update_watch(li);
    return refuse && shutdown(li->fd, SHUT_RD) != 0 ? err_from_errno(errno) : 0;
}

void real_listener_local(const struct loop_listener *base, struct addr *ret_addr)
{
    const struct real_listener *li = (const struct real_listener *)base;
    socklen_t len = sizeof(ret_addr->u);
    CHECK(getsockname(li->fd, &ret_addr->u.sa, &len) == 0);
}

void real_listener_free(struct loop_listener *base)
{
    struct real_listener *li = listener_of(base);
    list_remove(&li->object.node);
    loop_timer_free(li->retry);
    loop_watch_free(li->watch);
    close(li->fd);
    li->freed = true;
    if (!li->busy)
        free(li);
}
