#include "dns/server_udp.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/bind.h"

#define BATCH 32 /* beyond, a call costs little less per datagram, and an answer waits for the others */
#define QUERY_BYTES                                                                                          \
    4096 /* a query has below 300; options may pad it. Longer ones are cut, and so malformed */
#define CONTROL_BYTES 64 /* one IP_PKTINFO or IPV6_PKTINFO */

struct slot {
    struct sockaddr_storage peer;
    uint8_t control[CONTROL_BYTES] __attribute__((aligned(8)));
    uint8_t query[QUERY_BYTES], reply[DNS_UDP_CAP_BYTES];
    struct iovec in, out;
};

struct worker {
    struct dns_udp *udp;
    size_t index;
    pthread_t thread;
    bool running;
    struct pollfd *polls; /* its sockets, then the stop event */
    struct slot slots[BATCH];
    struct mmsghdr in[BATCH], out[BATCH];
};

struct dns_udp {
    struct dns_current *current;
    size_t address_count, worker_count;
    int stop_fd;
    struct worker **workers;
};

/* Some services answer anything, an error of ours included (RFC 862, 864, 865, 867, 868); nobody asks from
 * port 0. */
static bool may_loop(const struct sockaddr_storage *peer)
{
    static const uint16_t ports[] = {0, 7, 13, 17, 19, 37};
    uint16_t port = ntohs(peer->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)peer)->sin6_port
                                                      : ((const struct sockaddr_in *)peer)->sin_port);
    for (size_t i = 0; i < ARRAY_LEN(ports); i++)
        if (port == ports[i])
            return true;
    return false;
}

static void reset_batch(struct worker *w)
{
    for (size_t i = 0; i < BATCH; i++) {
        struct slot *s = &w->slots[i];
        s->in = (struct iovec){s->query, sizeof(s->query)};
        w->in[i].msg_hdr = (struct msghdr){.msg_name = &s->peer,
                                           .msg_namelen = sizeof(s->peer),
                                           .msg_iov = &s->in,
                                           .msg_iovlen = 1,
                                           .msg_control = s->control,
                                           .msg_controllen = sizeof(s->control)};
    }
}

/* The reply leaves from the address that was asked: the control data came with it. */
static bool respond(struct worker *w, const struct dns_source *source, size_t at, struct mmsghdr *out)
{
    struct slot *s = &w->slots[at];
    const struct msghdr *in = &w->in[at].msg_hdr;
    if (may_loop(&s->peer))
        return false;
    size_t len = dns_respond(source, DNS_UDP, s->query, w->in[at].msg_len, s->reply);
    if (len == 0)
        return false;
    s->out = (struct iovec){s->reply, len};
    out->msg_hdr = (struct msghdr){.msg_name = in->msg_name,
                                   .msg_namelen = in->msg_namelen,
                                   .msg_iov = &s->out,
                                   .msg_iovlen = 1,
                                   .msg_control = in->msg_controllen ? in->msg_control : NULL,
                                   .msg_controllen = in->msg_controllen};
    return true;
}

/* A datagram that cannot be sent is lost, as the network may lose any; the others go on. */
static void send_all(int fd, struct mmsghdr *out, unsigned count)
{
    for (unsigned sent = 0; sent < count;) {
        int now = sendmmsg(fd, out + sent, count - sent, 0);
        if (now < 0 && errno == EINTR)
            continue;
        sent += now > 0 ? (unsigned)now : 1;
    }
}

static void serve(struct worker *w, int fd)
{
    unsigned count = 0;
    reset_batch(w);
    int got = recvmmsg(fd, w->in, BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0)
        return;
    const struct dns_source *source = dns_current_enter(w->udp->current, w->index);
    for (int i = 0; i < got; i++)
        if (respond(w, source, (size_t)i, &w->out[count]))
            count++;
    dns_current_leave(w->udp->current, w->index);
    send_all(fd, w->out, count);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    size_t count = w->udp->address_count;
    for (;;) {
        if (poll(w->polls, count + 1, -1) < 0)
            continue; /* EINTR */
        if (w->polls[count].revents)
            return NULL;
        for (size_t i = 0; i < count; i++)
            if (w->polls[i].revents)
                serve(w, w->polls[i].fd);
    }
}

static bool is_any(const struct addr *a)
{
    return a->u.sa.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr)
                                         : a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
}

static int set_options(int fd, const struct addr *at)
{
    const int on = 1, omit = IP_PMTUDISC_OMIT; /* forged path MTUs do not make us fragment: RFC 9715 3.1 */
    bool v6 = at->u.sa.sa_family == AF_INET6;
    int err = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (err == 0 && v6)
        err = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (err == 0 && !v6)
        err = setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
    if (err == 0 && is_any(at))
        err = v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on))
                 : setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    return err;
}

static int open_socket(const struct addr *at, int *ret_fd, struct err_buf *eb)
{
    char text[ADDR_TEXT_MAX];
    int fd = socket(at->u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && set_options(fd, at) == 0 && bind(fd, &at->u.sa, addr_len(at)) == 0) {
        *ret_fd = fd;
        return 0;
    }
    int why = errno;
    addr_format(at, text);
    if (fd >= 0)
        close(fd);
    return err_set(eb, err_from_errno(why), "cannot bind %s (UDP): %s", text, strerror(why));
}

/* With SO_REUSEPORT another process of ours could share the port unnoticed; a plain bind finds out. */
static int check_free(const struct addr *addrs, size_t count, struct err_buf *eb)
{
    for (size_t i = 0; i < count; i++) {
        int fd, err = loop_bind(LOOP_UDP, &addrs[i], &fd, eb);
        if (err < 0)
            return err;
        close(fd);
    }
    return 0;
}

static int add_worker(struct dns_udp *u, const struct addr *addrs, struct err_buf *eb)
{
    struct worker *w = mem_zalloc(sizeof(*w));
    int err = 0;
    w->udp = u;
    w->index = u->worker_count;
    w->polls = mem_calloc(u->address_count + 1, sizeof(*w->polls));
    u->workers[u->worker_count++] = w;
    for (size_t i = 0; i <= u->address_count; i++)
        w->polls[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    w->polls[u->address_count].fd = u->stop_fd;
    for (size_t i = 0; err == 0 && i < u->address_count; i++)
        err = open_socket(&addrs[i], &w->polls[i].fd, eb);
    return err;
}

int dns_udp_open(const struct addr *addrs, size_t count, size_t threads, struct dns_udp **ret_udp,
                 struct err_buf *eb)
{
    CHECK(threads >= 1 && threads <= DNS_READERS_MAX);
    int err = check_free(addrs, count, eb);
    if (err < 0)
        return err;
    struct dns_udp *u = mem_zalloc(sizeof(*u));
    u->address_count = count;
    u->workers = mem_calloc(threads, sizeof(struct worker *));
    u->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->stop_fd < 0)
        err = err_set(eb, err_from_errno(errno), "cannot make an eventfd: %s", strerror(errno));
    for (size_t i = 0; err == 0 && i < threads; i++)
        err = add_worker(u, addrs, eb);
    if (err < 0) {
        dns_udp_free(u);
        return err;
    }
    *ret_udp = u;
    return 0;
}

int dns_udp_start(struct dns_udp *u, struct dns_current *current, struct err_buf *eb)
{
    sigset_t all, before;
    int why = 0;
    u->current = current;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
    for (size_t i = 0; why == 0 && i < u->worker_count; i++) {
        why = pthread_create(&u->workers[i]->thread, NULL, run, u->workers[i]);
        u->workers[i]->running = why == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why == 0 ? 0 : err_set(eb, ERR_IO, "cannot start a thread: %s", strerror(why));
}

static void worker_free(struct worker *w, size_t address_count)
{
    if (w->running)
        pthread_join(w->thread, NULL);
    for (size_t i = 0; i < address_count; i++)
        if (w->polls[i].fd >= 0)
            close(w->polls[i].fd);
    free(w->polls);
    free(w);
}

void dns_udp_free(struct dns_udp *u)
{
    if (u == NULL)
        return;
    if (u->stop_fd >= 0)
        (void)!write(u->stop_fd, &(uint64_t){1}, sizeof(uint64_t)); /* never read: all of them see it */
    for (size_t i = 0; i < u->worker_count; i++)
        worker_free(u->workers[i], u->address_count);
    if (u->stop_fd >= 0)
        close(u->stop_fd);
    free(u->workers);
    free(u);
}
