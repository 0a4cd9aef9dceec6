#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/real_impl.h"

struct real_connect {
    struct loop_connect base;
    struct real_object object;
    struct real_loop *loop;
    int fd;
    int err; /* of a call that failed at once: reported by the timer */
    struct addr to;
    struct loop_watch *watch; /* NULL when it failed at once */
    struct loop_timer *timer;
    loop_connect_fn *on_connect;
    void *arg;
};

static void connect_release(struct real_connect *c)
{
    list_remove(&c->object.node);
    loop_timer_free(c->timer);
    loop_watch_free(c->watch);
    free(c);
}

static void finish(struct real_connect *c, int err)
{
    struct real_loop *l = c->loop;
    loop_connect_fn *on_connect = c->on_connect;
    void *arg = c->arg;
    struct addr to = c->to;
    int fd = c->fd;
    connect_release(c);
    if (err && fd >= 0)
        close(fd);
    on_connect(arg, err ? NULL : real_stream_open(l, fd, &to), err);
}

/* On one machine a connect to a port that nobody listens on can meet itself,
 * when the kernel chose that port for our side. */
static bool is_self(int fd, const struct addr *to)
{
    struct addr local;
    socklen_t len = sizeof(local.u);
    return getsockname(fd, &local.u.sa, &len) == 0 && addr_eq(&local, to);
}

static int connect_error(int errno_value)
{
    switch (errno_value) {
    case ECONNRESET: /* instead of an answer to our SYN: a refusal, too */
        return ERR_REFUSED;
    case EADDRNOTAVAIL: /* no port, or no address, is left to connect from */
    case ENOBUFS:
    case EAGAIN:
        return ERR_LIMIT;
    default:
        return err_from_errno(errno_value);
    }
}

static void on_ready(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct real_connect *c = arg;
    int errno_value = 0;
    socklen_t len = sizeof(errno_value);
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errno_value, &len) != 0)
        errno_value = errno;
    if (errno_value == 0 && is_self(c->fd, &c->to))
        finish(c, ERR_REFUSED);
    else
        finish(c, connect_error(errno_value));
}

static void on_timer(void *arg)
{
    struct real_connect *c = arg;
    finish(c, c->err ? c->err : ERR_TIMEOUT);
}

/* The port is chosen at connect, per destination: many more connections fit. */
static int bind_from(int fd, const struct addr *from)
{
    int on = 1;
    if (addr_port(from) == 0)
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, &from->u.sa, addr_len(from));
}

/* Fills c->fd; returns 0 or an errno value. */
static int begin(struct real_connect *c, const struct addr *from)
{
    c->fd = socket(c->to.u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return errno;
    if (from && bind_from(c->fd, from) != 0)
        return errno;
    if (connect(c->fd, &c->to.u.sa, addr_len(&c->to)) != 0 && errno != EINPROGRESS)
        return errno;
    return 0;
}

static void connect_dispose(struct real_object *o)
{
    real_connect_cancel(&CONTAINER_OF(o, struct real_connect, object)->base);
}

void real_connect(struct loop *base, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                  loop_connect_fn *on_connect, void *arg, struct loop_connect **ret_connect)
{
    struct real_loop *l = real_of(base);
    struct real_connect *c = mem_alloc(sizeof(*c));
    *c = (struct real_connect){
        .base.ops = &real_ops, .loop = l, .to = *to, .on_connect = on_connect, .arg = arg};
    real_object_init(l, &c->object, connect_dispose);
    c->timer = loop_timer_new(base, on_timer, c);
    int errno_value = begin(c, from);
    if (errno_value) {
        c->err = connect_error(errno_value);
        timeout_ms = 0;
    } else {
        c->watch = loop_watch_new(base, c->fd, on_ready, c);
        loop_watch_set(c->watch, false, true);
    }
    loop_timer_start(c->timer, timeout_ms);
    *ret_connect = &c->base;
}

void real_connect_cancel(struct loop_connect *base)
{
    struct real_connect *c = CONTAINER_OF(base, struct real_connect, base);
    int fd = c->fd;
    connect_release(c);
    if (fd >= 0)
        close(fd);
}
