#include "loop/real.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "contract.h"
#include "loop/bind.h"

static void contract_fini(struct contract *c)
{
    loop_real_free(c->l);
}

int contract_setup(void **state)
{
    struct contract *c = mem_zalloc(sizeof(*c));
    *c = (struct contract){.l = loop_real_new(), .fini = contract_fini, .ip = "127.0.0.1"};
    *state = c;
    return 0;
}

/* ---- connecting ---- */

static void expect_timeout(void *arg, struct loop_stream *s, int err)
{
    assert_null(s);
    assert_int_equal(err, ERR_TIMEOUT);
    loop_stop(arg);
}

static void expect_limit(void *arg, struct loop_stream *s, int err)
{
    assert_null(s);
    assert_int_equal(err, ERR_LIMIT);
    loop_stop(arg);
}

static int blocking_connect(const struct addr *to)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    int rc = connect(fd, &to->u.sa, addr_len(to));
    (void)rc; /* under way, or done */
    return fd;
}

/* The kernel drops a SYN to a listener whose backlog is full. */
static void connect_times_out(void **state)
{
    struct contract *c = *state;
    struct addr at;
    int fd, clients[4];
    assert_ok(addr_parse(STR("127.0.0.1:0"), &at));
    assert_ok(loop_bind(LOOP_TCP, &at, &fd, NULL));
    assert_int_equal(listen(fd, 0), 0);
    socklen_t len = sizeof(at.u);
    assert_int_equal(getsockname(fd, &at.u.sa, &len), 0);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = blocking_connect(&at);
    struct loop_connect *connect;
    loop_connect(c->l, &at, NULL, 30, expect_timeout, c->l, &connect);
    contract_run(c);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        close(clients[i]);
    close(fd);
}

static void connect_from_a_foreign_address(void **state)
{
    struct contract *c = *state;
    struct addr to, from;
    struct loop_connect *connect;
    assert_ok(addr_parse(STR("127.0.0.1:9"), &to));
    assert_ok(addr_parse(STR("192.0.2.1:0"), &from)); /* RFC 5737: no machine has it */
    loop_connect(c->l, &to, &from, 1000, expect_limit, c->l, &connect);
    contract_run(c);
}

/* Stops when the one connection was seen from both sides. */
struct meeting {
    struct loop *l;
    struct addr peer;
    int sides;
};

static void one_side(struct meeting *m)
{
    if (++m->sides == 2)
        loop_stop(m->l);
}

static void meet_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct meeting *m = arg;
    m->peer = *peer;
    loop_stream_free(s);
    one_side(m);
}

static void meet_connect(void *arg, struct loop_stream *s, int err)
{
    assert_int_equal(err, 0);
    loop_stream_free(s);
    one_side(arg);
}

static void stop_loop(void *arg, int signum)
{
    (void)signum;
    loop_stop(arg);
}

static void connect_from_a_chosen_address(void **state)
{
    struct contract *c = *state;
    struct addr at, from;
    struct meeting m = {.l = c->l};
    struct loop_connect *connect;
    struct loop_listener *li = contract_listen(c, meet_accept, &m, &at);
    assert_ok(addr_parse(STR("127.0.0.77:0"), &from));
    loop_connect(c->l, &at, &from, 10000, meet_connect, &m, &connect);
    contract_run(c);
    assert_true(addr_ip_eq(&m.peer, &from));
    loop_listener_free(li);
}

/* ---- listening ---- */

static void never_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)arg;
    (void)s;
    (void)peer;
    fail();
}

static void listen_on_a_foreign_address(void **state)
{
    struct contract *c = *state;
    struct addr at;
    struct loop_listener *li = NULL;
    struct err_buf eb;
    assert_ok(addr_parse(STR("192.0.2.1:2525"), &at));
    assert_err(loop_listen(c->l, &at, never_accept, NULL, &li, &eb), ERR_UNAVAILABLE);
    assert_null(li);
    assert_non_null(strstr(eb.text, "192.0.2.1:2525"));
}

static void listen_on_a_descriptor(void **state)
{
    struct contract *c = *state;
    struct addr at;
    struct meeting m = {.l = c->l};
    struct loop_listener *li;
    struct loop_connect *connect;
    int fd;
    assert_ok(addr_parse(STR("127.0.0.1:0"), &at));
    assert_ok(loop_bind(LOOP_TCP, &at, &fd, NULL));
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_ok(loop_listen_fd(c->l, fd, meet_accept, &m, &li, NULL));
    loop_listener_local(li, &at);
    loop_connect(c->l, &at, NULL, 10000, meet_connect, &m, &connect);
    contract_run(c);
    assert_int_equal(m.peer.u.sa.sa_family, AF_INET);
    loop_listener_free(li);
}

struct scarce {
    struct loop *l;
    struct rlimit before;
    int accepted;
};

static void count_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)peer;
    struct scarce *w = arg;
    w->accepted++;
    loop_stream_free(s);
    loop_stop(w->l);
}

static void lift_limit(void *arg)
{
    struct scarce *w = arg;
    assert_int_equal(w->accepted, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &w->before), 0);
}

/* Out of descriptors: the connection waits in the backlog and is taken later. */
static void accept_outlives_a_lack_of_descriptors(void **state)
{
    struct contract *c = *state;
    struct scarce w = {.l = c->l};
    struct addr at;
    struct loop_listener *li = contract_listen(c, count_accept, &w, &at);
    int client = blocking_connect(&at), lowest_free = dup(client);
    close(lowest_free);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &w.before), 0);
    struct rlimit none = {.rlim_cur = (rlim_t)lowest_free, .rlim_max = w.before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct loop_timer *t = loop_timer_new(c->l, lift_limit, &w);
    loop_timer_start(t, 20);
    contract_run(c);
    assert_int_equal(w.accepted, 1);
    loop_timer_free(t);
    close(client);
    loop_listener_free(li);
}

/* ---- watches, signals, the end ---- */

struct watching {
    struct loop *l;
    struct loop_watch *w;
    int fd, calls;
};

static void on_ready(void *arg, bool readable, bool writable)
{
    struct watching *w = arg;
    assert_true(readable);
    assert_false(writable);
    char byte;
    assert_int_equal(read(w->fd, &byte, 1), 1);
    if (++w->calls == 2) {
        loop_watch_free(w->w);
        loop_stop(w->l);
    }
}

static void watch_is_level_triggered(void **state)
{
    struct contract *c = *state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct watching w = {.l = c->l, .fd = fds[0]};
    w.w = loop_watch_new(c->l, fds[0], on_ready, &w);
    loop_watch_set(w.w, true, false);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    contract_run(c);
    assert_int_equal(w.calls, 2);
    close(fds[0]);
    close(fds[1]);
}

static void signal_reaches_its_callback(void **state)
{
    struct contract *c = *state;
    struct loop_signal *s = loop_signal_new(c->l, SIGUSR1, stop_loop, c->l);
    assert_int_equal(raise(SIGUSR1), 0);
    contract_run(c);
    loop_signal_free(s);
}

static void never_connect(void *arg, struct loop_stream *s, int err)
{
    (void)arg;
    (void)s;
    (void)err;
    fail();
}

static void never_fire(void *arg)
{
    (void)arg;
    fail();
}

/* Leak checks and the teardown's loop_real_free see what is left. */
static void loop_freed_with_objects_alive(void **state)
{
    struct contract *c = *state;
    struct addr at;
    struct loop_connect *connect;
    contract_listen(c, never_accept, NULL, &at);
    struct contract_pair p = contract_connect(c);
    loop_stream_close(p.server, 10000);
    loop_stream_write(p.client, "x", 1);
    loop_timer_start(loop_timer_new(c->l, never_fire, NULL), 0);
    loop_connect(c->l, &at, NULL, 10000, never_connect, NULL, &connect);
    loop_signal_new(c->l, SIGUSR1, stop_loop, c->l);
    loop_post(c->l, never_fire, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TIMERS(CONTRACT_TEST) CONTRACT_STREAMS(CONTRACT_TEST) /* */
        CONTRACT_TEST(connect_times_out)                               /* */
        CONTRACT_TEST(connect_from_a_foreign_address)                  /* */
        CONTRACT_TEST(connect_from_a_chosen_address)                   /* */
        CONTRACT_TEST(listen_on_a_foreign_address)                     /* */
        CONTRACT_TEST(listen_on_a_descriptor)                          /* */
        CONTRACT_TEST(accept_outlives_a_lack_of_descriptors)           /* */
        CONTRACT_TEST(watch_is_level_triggered)                        /* */
        CONTRACT_TEST(signal_reaches_its_callback)                     /* */
        CONTRACT_TEST(loop_freed_with_objects_alive)                   /* */
    };
    return cmocka_run_group_tests_name("loop real", tests, NULL, NULL);
}
