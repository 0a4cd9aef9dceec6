#include "unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ask.h"
#include "base/err.h"
#include "dns/server.h"
#include "dns/server_tcp.h"
#include "loop/real.h"
#include "network.h"

/* The server runs on a loop in a thread of its own; the tests ask it over real sockets. */
struct fixture {
    struct network network;
    struct dns_zones *zones;
    struct dns_view view;
    struct loop *loop;
    struct dns_server *server;
    struct addr at;
    pthread_t thread;
};

static void *run_loop(void *arg)
{
    struct fixture *f = arg;
    loop_run(f->loop);
    return NULL;
}

static void start(struct fixture *f, const char *listen)
{
    struct err_buf eb;
    network_init(&f->network);
    f->network.dns[0].listen = network_listen(&f->network, listen);
    assert_ok(dns_zones_load(&f->network.config, 7, &f->zones, &eb));
    dns_view_init(&f->view, &f->network.config);
    f->view.servers[0].state = f->view.servers[1].state = HEALTH_OPERATIONAL;
    f->view.servers[0].leased = f->view.servers[1].leased = true;
    f->loop = loop_real_new();
    assert_ok(dns_server_open(&f->network.dns[0].listen, 2, &f->server, &eb));
    dns_server_local(f->server, 0, &f->at);
    assert_ok(dns_server_start(f->server, f->loop, dns_snapshot_new(f->zones, &f->view), &eb));
    assert_int_equal(pthread_create(&f->thread, NULL, run_loop, f), 0);
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    start(*state, "127.0.0.1:0");
    return 0;
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_post(f->loop, stop_loop, f->loop);
    pthread_join(f->thread, NULL);
    dns_server_free(f->server);
    dns_view_fini(&f->view);
    dns_zones_free(f->zones);
    loop_real_free(f->loop);
    free(f);
    return 0;
}

/* ---- a plain client; what never comes is a failure after seconds ---- */

static int client(const struct fixture *f, int type)
{
    int fd = socket(AF_INET, type, 0);
    struct timeval limit = {.tv_sec = 20};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(fd, &f->at.u.sa, addr_len(&f->at)), 0);
    return fd;
}

static size_t query(uint8_t *out, const char *name, const char *type, uint16_t id)
{
    return ask_format(&(struct ask){.name = name, .type = type, .id = id}, out);
}

static const char *udp_ask(int fd, const char *name, const char *type)
{
    uint8_t bytes[1500];
    size_t len = query(bytes, name, type, 7);
    assert_int_equal(send(fd, bytes, len, 0), len);
    ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
    assert_true(got > 0);
    return ask_read(bytes, (size_t)got);
}

static size_t frame(uint8_t *out, const char *name, const char *type, uint16_t id)
{
    size_t len = query(out + 2, name, type, id);
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
    return len + 2;
}

/* The next message; its length, 0 when the server closed. */
static size_t tcp_read(int fd, uint8_t *out)
{
    uint8_t len[2];
    if (recv(fd, len, 2, MSG_WAITALL) != 2)
        return 0;
    size_t want = (size_t)(len[0] << 8 | len[1]);
    assert_int_equal(recv(fd, out, want, MSG_WAITALL), want);
    return want;
}

static uint16_t id_of(const uint8_t *message)
{
    return (uint16_t)(message[0] << 8 | message[1]);
}

/* ---- */

static void it_answers_by_udp(void **state)
{
    int fd = client(*state, SOCK_DGRAM);
    assert_string_equal(udp_ask(fd, "mail1.example.test", "A"),
                        "NOERROR aa | mail1.example.test 15 A 127.1.0.10 | |");
    close(fd);
}

static void a_response_gets_no_reply(void **state)
{
    uint8_t bytes[512];
    int fd = client(*state, SOCK_DGRAM);
    size_t len = query(bytes, "mail1.example.test", "A", 1);
    bytes[2] |= 0x80;
    assert_int_equal(send(fd, bytes, len, 0), len);
    assert_int_equal(send(fd, "short", 5, 0), 5);
    /* one socket's datagrams are served in order: the first reply is to the query */
    udp_ask(fd, "mail1.example.test", "A");
    assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
    close(fd);
}

static void a_burst_is_answered_whole(void **state)
{
    uint8_t bytes[512];
    bool seen[100] = {false};
    int fd = client(*state, SOCK_DGRAM);
    for (uint16_t id = 0; id < 100; id++) {
        size_t len = query(bytes, id % 2 ? "example.test" : "nowhere.example.test", "MX", id);
        assert_int_equal(send(fd, bytes, len, 0), len);
    }
    for (int i = 0; i < 100; i++) {
        assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
        assert_in_range(id_of(bytes), 0, 99);
        seen[id_of(bytes)] = true;
    }
    for (int i = 0; i < 100; i++)
        assert_true(seen[i]);
    close(fd);
}

static void it_answers_by_tcp(void **state)
{
    uint8_t bytes[2048];
    int fd = client(*state, SOCK_STREAM);
    for (uint16_t id = 1; id <= 3; id++) {
        size_t len = frame(bytes, "example.test", "NS", id);
        assert_int_equal(send(fd, bytes, len, 0), len);
        len = tcp_read(fd, bytes);
        assert_int_equal(id_of(bytes), id);
        assert_non_null(strstr(ask_read(bytes, len), "NS ns-west.example.test"));
    }
    close(fd);
}

static void tcp_queries_may_be_pipelined_and_cut_anywhere(void **state)
{
    uint8_t bytes[2048], reply[2048];
    int fd = client(*state, SOCK_STREAM);
    size_t len = 0;
    for (uint16_t id = 1; id <= 20; id++)
        len += frame(bytes + len, "example.test", "MX", id);
    assert_int_equal(send(fd, bytes, 1, 0), 1);
    assert_int_equal(send(fd, bytes + 1, 40, 0), 40);
    assert_int_equal(send(fd, bytes + 41, len - 41, 0), len - 41);
    for (uint16_t id = 1; id <= 20; id++) {
        assert_true(tcp_read(fd, reply) > 0);
        assert_int_equal(id_of(reply), id);
    }
    close(fd);
}

static void replies_are_sent_after_the_asker_is_done(void **state)
{
    uint8_t bytes[2048];
    int fd = client(*state, SOCK_STREAM);
    size_t len = frame(bytes, "example.test", "MX", 1);
    assert_int_equal(send(fd, bytes, len, 0), len);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(tcp_read(fd, bytes) > 0);
    assert_int_equal(tcp_read(fd, bytes), 0);
    close(fd);
}

static void what_is_no_query_ends_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } junk[] = {{"\0\0", 2}, {"\0\3abc", 5}, {"\377\377x", 3}, {"GET / HTTP/1.1\r\n", 16}};
    uint8_t bytes[2048];
    for (size_t i = 0; i < ARRAY_LEN(junk); i++) {
        int fd = client(*state, SOCK_STREAM);
        assert_int_equal(send(fd, junk[i].bytes, junk[i].len, 0), junk[i].len);
        assert_int_equal(tcp_read(fd, bytes), 0);
        close(fd);
    }
}

static void an_asker_that_does_not_read_is_held(void **state)
{
    uint8_t bytes[512], reply[2048];
    int fd = client(*state, SOCK_STREAM);
    size_t len = frame(bytes, "example.test", "MX", 1), sent = 0, replies = 0;
    /* far more replies than both kernels' buffers and ours hold: sending comes to a stop */
    while (send(fd, bytes, len, MSG_DONTWAIT) == (ssize_t)len && sent < 1000000)
        sent++;
    assert_true(sent > 1000);
    shutdown(fd, SHUT_WR);
    while (tcp_read(fd, reply) > 0)
        replies++;
    assert_in_range(replies, 1000, sent + 1);
    close(fd);
}

static void the_longest_idle_connection_makes_place(void **state)
{
    int fds[DNS_TCP_CONNECTIONS_MAX + 1];
    uint8_t bytes[2048];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = client(*state, SOCK_STREAM);
        size_t len = frame(bytes, "example.test", "MX", 1);
        assert_int_equal(send(fds[i], bytes, len, 0), len);
        assert_true(tcp_read(fds[i], bytes) > 0);
    }
    /* cut before the last one was answered */
    assert_true(recv(fds[0], bytes, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
    assert_int_equal(recv(fds[1], bytes, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void publish_west(void *arg)
{
    struct fixture *f = arg;
    CHECK(addr_parse_ip(STR("127.2.0.10"), 0, &f->view.servers[0].addresses[0]) == 0);
    dns_server_publish(f->server, dns_snapshot_new(f->zones, &f->view));
}

static void answers_change_with_what_is_published(void **state)
{
    struct fixture *f = *state;
    int fd = client(f, SOCK_DGRAM);
    loop_post(f->loop, publish_west, f);
    while (strstr(udp_ask(fd, "mail1.example.test", "A"), "127.2.0.10") == NULL)
        ;
    close(fd);
}

static void publish_often(void *arg)
{
    struct fixture *f = arg;
    for (int i = 0; i < 50; i++)
        dns_server_publish(f->server, dns_snapshot_new(f->zones, &f->view));
}

static void publishing_disturbs_no_answer(void **state)
{
    struct fixture *f = *state;
    int fds[4];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = client(f, SOCK_DGRAM);
    for (int round = 0; round < 20; round++) {
        loop_post(f->loop, publish_often, f);
        for (size_t i = 0; i < 100; i++)
            assert_non_null(strstr(udp_ask(fds[i % 4], "example.test", "MX"), "MX 10 mail1.example.test; "));
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void a_port_in_use_is_said(void **state)
{
    struct fixture *f = *state;
    struct config_listen listen = {&f->at, 1};
    struct dns_server *second = NULL;
    struct err_buf eb;
    char text[ADDR_TEXT_MAX];
    addr_format(&f->at, text);
    assert_err(dns_server_open(&listen, 1, &second, &eb), ERR_BUSY);
    assert_non_null(strstr(eb.text, text));
    assert_null(second);
}

static void replies_come_from_the_address_that_was_asked(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    (void)state;
    start(f, "0.0.0.0:0");
    uint16_t port = addr_port(&f->at);
    assert_ok(addr_parse_ip(STR("127.3.4.5"), port, &f->at));
    int fd = client(f, SOCK_DGRAM); /* connected: another source would not be received */
    assert_non_null(strstr(udp_ask(fd, "mail1.example.test", "A"), "127.1.0.10"));
    close(fd);
    void *made = f;
    tear_down(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_answers_by_udp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_response_gets_no_reply, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_burst_is_answered_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_answers_by_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tcp_queries_may_be_pipelined_and_cut_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replies_are_sent_after_the_asker_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_query_ends_the_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_asker_that_does_not_read_is_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_idle_connection_makes_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_change_with_what_is_published, set_up, tear_down),
        cmocka_unit_test_setup_teardown(publishing_disturbs_no_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_in_use_is_said, set_up, tear_down),
        cmocka_unit_test(replies_come_from_the_address_that_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
