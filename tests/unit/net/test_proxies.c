/* Connections of proxies: whose they are, what comes first, and what ends them. */
#include "net/proxies.h"

#include "loop/sim.h"
#include "unit/unit.h"

#define HEADER "PROXY TCP4 192.0.2.1 198.51.100.2 4711 25\r\n"

struct bench {
    struct sim_world *world;
    struct loop *loop;
    struct proxies *proxies;
    struct loop_listener *listener;
    struct addr at, proxy;
    struct loop_stream *far[PROXIES_WAITING_MAX + 1], *near;
    size_t far_count;
    unsigned clients, ends;
    struct addr client;
    char said[64];
    bool free_when_read;
};

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct bench *b = arg;
    assert_int_equal(err, 0);
    assert_true(strlen(b->said) + len < sizeof(b->said));
    strncat(b->said, data, len);
    if (b->free_when_read) {
        loop_stream_free(b->near);
        b->near = NULL;
    }
}

static void on_client(void *arg, struct loop_stream *stream, const struct addr *client)
{
    struct bench *b = arg;
    b->clients++;
    b->client = *client;
    b->near = stream;
    loop_stream_read_start(stream, on_read, b);
    assert_string_equal(b->said, ""); /* not from inside the call */
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct bench *b = arg;
    (void)peer;
    proxies_take(b->proxies, s, &b->proxy, "SMTP", on_client, b);
}

static void on_far_read(void *arg, const char *data, size_t len, int err)
{
    struct bench *b = arg;
    (void)data;
    (void)len;
    b->ends += err != 0;
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct bench *b = arg;
    assert_int_equal(err, 0);
    b->far[b->far_count++] = s;
    loop_stream_read_start(s, on_far_read, b);
}

static void run_ms(struct bench *b, int64_t ms)
{
    sim_run_until(b->world, mono_add_ms(sim_now(b->world), ms));
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->world = sim_world_new(3);
    b->loop = sim_loop_new(b->world, "host", "test");
    b->proxies = proxies_new(b->loop, NULL);
    assert_int_equal(addr_parse(STR("10.1.0.1:25"), &b->at), 0);
    assert_int_equal(addr_parse(STR("10.9.0.9:999"), &b->proxy), 0);
    assert_int_equal(loop_listen(b->loop, &b->at, on_accept, b, &b->listener, NULL), 0);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < b->far_count; i++)
        loop_stream_free(b->far[i]);
    loop_stream_free(b->near);
    proxies_free(b->proxies);
    loop_listener_free(b->listener);
    sim_loop_free(b->loop);
    sim_world_free(b->world);
    free(b);
    return 0;
}

static void connect_and_say(struct bench *b, const char *text)
{
    struct loop_connect *c;
    size_t before = b->far_count;
    loop_connect(b->loop, &b->at, NULL, 1000, on_connect, b, &c);
    while (b->far_count == before)
        assert_true(sim_step(b->world));
    loop_stream_write(b->far[before], text, strlen(text));
    run_ms(b, 100);
}

static void test_the_client_that_is_named(void **state)
{
    struct bench *b = *state;
    char text[ADDR_TEXT_MAX];
    struct addr a;
    connect_and_say(b, HEADER "EHLO");
    assert_int_equal(b->clients, 1);
    assert_string_equal(b->said, "EHLO");
    addr_format(&b->client, text);
    assert_string_equal(text, "192.0.2.1:4711");
    loop_stream_peer(b->near, &a);
    assert_true(addr_eq(&a, &b->client));
    loop_stream_local(b->near, &a);
    addr_format(&a, text);
    assert_string_equal(text, "198.51.100.2:25");
    loop_stream_write(b->far[0], " client", 7);
    run_ms(b, 100);
    assert_string_equal(b->said, "EHLO client");
}

static void test_the_proxy_itself(void **state)
{
    struct bench *b = *state;
    connect_and_say(b, "PROXY UNKNOWN\r\n");
    assert_int_equal(b->clients, 1);
    assert_true(addr_eq(&b->client, &b->proxy));
}

static void test_another_machines_loopback_is_not_ours(void **state)
{
    struct bench *b = *state;
    connect_and_say(b, "PROXY TCP4 127.0.0.1 198.51.100.2 4711 25\r\n");
    assert_true(addr_eq(&b->client, &b->proxy));
    assert_int_equal(addr_parse(STR("127.0.0.9:999"), &b->proxy), 0);
    loop_stream_free(b->near);
    connect_and_say(b, "PROXY TCP4 127.0.0.1 198.51.100.2 4711 25\r\n");
    assert_int_equal(b->clients, 2);
    assert_true(addr_is_loopback(&b->client) && !addr_ip_eq(&b->client, &b->proxy));
}

static void test_what_is_no_header_is_closed(void **state)
{
    struct bench *b = *state;
    connect_and_say(b, "EHLO client\r\n");
    assert_int_equal(b->clients, 0);
    assert_int_equal(b->ends, 1);
}

static void test_no_header_in_time(void **state)
{
    struct bench *b = *state;
    connect_and_say(b, "PROXY TC");
    run_ms(b, 4500);
    assert_int_equal(b->ends, 0);
    run_ms(b, 1000);
    assert_int_equal(b->ends, 1);
    assert_int_equal(b->clients, 0);
}

static void test_the_owner_may_free_it_when_it_reads(void **state)
{
    struct bench *b = *state;
    b->free_when_read = true;
    connect_and_say(b, HEADER "EHLO");
    assert_string_equal(b->said, "EHLO");
    assert_null(b->near);
}

static void test_not_too_many_wait(void **state)
{
    struct bench *b = *state;
    struct loop_connect *c;
    for (size_t i = 0; i < PROXIES_WAITING_MAX; i++)
        loop_connect(b->loop, &b->at, NULL, 1000, on_connect, b, &c);
    run_ms(b, 100);
    assert_int_equal(b->ends, 0);
    connect_and_say(b, HEADER);
    assert_int_equal(b->ends, 1); /* the first that came */
    assert_int_equal(b->clients, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_client_that_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_proxy_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_machines_loopback_is_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_header_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_header_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_owner_may_free_it_when_it_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_too_many_wait, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
