#include "unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/bind.h"
#include "loop/real.h"
#include "network.h"
#include "store/memory.h"
#include "web/web.h"

/* The whole of it: a real loop, the memory store, real sockets. */
struct fixture {
    struct config *config;
    struct loop *loop;
    struct store_memory *device;
    struct store *store;
    struct web *web;
    struct queue *queue;
    struct loop_timer *tick;
    bool (*until)(struct fixture *f);
    struct mono_time deadline; /* of until */
    bool too_late;
    char reply[1 << 16];
};

#define TICK_MS      5
#define READ_LIMIT_S 20
#define RUN_LIMIT_MS 20000 /* far above what anything here takes, below meson's own limit */

static struct mono_time device_clock(void *loop)
{
    return loop_now(loop);
}

static void on_tick(void *arg)
{
    struct fixture *f = arg;
    f->too_late = mono_before(f->deadline, loop_now(f->loop));
    if (f->until(f) || f->too_late)
        loop_stop(f->loop);
    else
        loop_timer_start(f->tick, TICK_MS);
}

static void run_until_is(struct fixture *f, bool (*until)(struct fixture *f), const char *what)
{
    f->until = until;
    f->deadline = mono_add_ms(loop_now(f->loop), RUN_LIMIT_MS);
    loop_timer_start(f->tick, 0);
    loop_run(f->loop);
    if (f->too_late)
        fail_msg("%s: not within %d ms; the last reply: %s", what, RUN_LIMIT_MS, f->reply);
}

#define run_until(f, until) run_until_is(f, until, #until)

/* port: of the first address; 0: a free one. */
static void start(struct fixture *f, uint16_t port)
{
    struct err_buf eb = {""};
    struct store_options options = {.engine = STORE_ENGINE_MEMORY};
    f->config = network_config();
    addr_set_port(&f->config->web[0].listen.addrs[0], port);
    addr_set_port(&f->config->web[0].listen.addrs[1], 0);
    f->loop = loop_real_new();
    f->tick = loop_timer_new(f->loop, on_tick, f);
    f->device = store_memory_new(device_clock, f->loop);
    options.memory = f->device;
    assert_ok(store_open(f->loop, &options, &f->store, &eb));
    f->web = web_open(f->loop, f->config, &f->config->web[0]);
    web_start(f->web, f->store);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    web_free(f->web);
    if (f->queue)
        queue_close(f->queue);
    store_close(f->store);
    loop_timer_free(f->tick);
    loop_real_free(f->loop);
    store_memory_free(f->device);
    config_free(f->config);
    free(f);
    return 0;
}

/* Sends a request and reads until the other side closes. */
static void talk(const struct addr *to, const char *request, char *reply, size_t size)
{
    struct timeval limit = {.tv_sec = READ_LIMIT_S};
    size_t len = 0;
    int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_ok(connect(fd, &to->u.sa, addr_len(to)));
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    for (ssize_t got = 1; got > 0 && len<size - 1; len += got> 0 ? (size_t)got : 0)
        got = recv(fd, reply + len, size - 1 - len, 0);
    reply[len] = '\0';
    close(fd);
}

static const char *ask(struct fixture *f, const char *method, const char *path)
{
    struct addr at;
    char request[256];
    assert_true(web_local(f->web, 0, &at));
    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
             path);
    talk(&at, request, f->reply, sizeof(f->reply));
    return f->reply;
}

static bool is_healthy(struct fixture *f)
{
    return str_starts(str_from(ask(f, "GET", "/healthz")), STR("HTTP/1.1 200 "));
}

#define assert_status(text, status)                                                                          \
    do {                                                                                                     \
        const char *text_ = (text);                                                                          \
        if (strncmp(text_, "HTTP/1.1 " status " ", sizeof("HTTP/1.1 " status " ") - 1) != 0)                 \
            fail_msg("not %s: %s", status, text_);                                                           \
    } while (0)
#define assert_has(text, part)                                                                               \
    do {                                                                                                     \
        if (!strstr(text, part))                                                                             \
            fail_msg("no '%s' in %s", part, text);                                                           \
    } while (0)

static void test_the_four_pages(void **state)
{
    struct fixture *f = *state;
    start(f, 0);
    assert_status(ask(f, "GET", "/healthz"), "503"); /* nothing was read yet */
    run_until(f, is_healthy);
    assert_has(ask(f, "GET", "/healthz"), "\r\n\r\nok\n");
    assert_status(ask(f, "GET", "/api/v1/status?x=1"), "200");
    assert_has(f->reply, "Content-Type: application/json\r\n");
    assert_has(f->reply, "\r\nAge: ");
    assert_has(f->reply, "\"name\":\"mail1\"");
    assert_status(ask(f, "GET", "/metrics"), "200");
    assert_has(f->reply, "\nholdfast_store_answers 1\n");
    assert_status(ask(f, "GET", "/"), "200");
    assert_has(f->reply, "Content-Security-Policy: default-src 'none';");
    assert_has(f->reply, "X-Content-Type-Options: nosniff\r\n");
    assert_has(f->reply, "<!DOCTYPE html>");
}

static void test_other_requests_are_refused(void **state)
{
    struct fixture *f = *state;
    struct addr at;
    start(f, 0);
    assert_true(web_local(f->web, 0, &at));
    assert_status(ask(f, "HEAD", "/"), "200");
    assert_null(strstr(f->reply, "<html"));
    assert_status(ask(f, "DELETE", "/"), "405");
    assert_has(f->reply, "Allow: GET, HEAD\r\n");
    assert_status(ask(f, "GET", "/nowhere"), "404");
    talk(&at, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nabc", f->reply, sizeof(f->reply));
    assert_status(f->reply, "405");
    talk(&at, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", f->reply, sizeof(f->reply));
    assert_null(strstr(f->reply, "<html"));
    talk(&at, "nonsense\r\n\r\n", f->reply, sizeof(f->reply));
    assert_null(strstr(f->reply, " 200 "));
}

static void test_a_request_larger_than_its_memory(void **state)
{
    struct fixture *f = *state;
    struct addr at;
    size_t size = 256 << 10;
    char *request = malloc(size + 1);
    start(f, 0);
    assert_true(web_local(f->web, 0, &at));
    memset(request, 'a', size);
    memcpy(request, "GET /", 5);
    request[size] = '\0';
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = READ_LIMIT_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    assert_ok(connect(fd, &at.u.sa, addr_len(&at)));
    (void)!send(fd, request, size, MSG_NOSIGNAL); /* cut, or answered with 414 or 431 */
    ssize_t got = recv(fd, f->reply, sizeof(f->reply) - 1, 0);
    f->reply[got > 0 ? got : 0] = '\0';
    assert_null(strstr(f->reply, " 200 "));
    close(fd);
    free(request);
    assert_status(ask(f, "GET", "/"), "200");
}

/* ---- what waits ---- */

static void on_accept(void *arg, int err, int64_t message_id)
{
    (void)arg, (void)message_id;
    assert_ok(err);
}

static void on_own(void *arg, int err, struct queue *q, int64_t epoch)
{
    struct fixture *f = arg;
    struct queue_message_in message = {.reverse_path = STR("a@b.test"),
                                       .helo = STR("b.test"),
                                       .client = STR("127.0.0.1"),
                                       .received_at = loop_wall(f->loop)};
    struct queue_recipient_in to[] = {{STR("alice@example.test"), STR("example.test"), STR_EMPTY},
                                      {STR("bob@example.test"), STR("example.test"), STR_EMPTY}};
    (void)epoch;
    assert_ok(err);
    f->queue = q;
    struct body_writer *body = queue_body_begin(q);
    body_append(body, "x\r\n", 3);
    queue_accept(q, body, &message, to, ARRAY_LEN(to), on_accept, f);
}

static bool shows_two(struct fixture *f)
{
    return strstr(ask(f, "GET", "/metrics"), "\nholdfast_server_queued{server=\"mail1\"} 2\n");
}

static void test_what_is_accepted_is_counted_soon(void **state)
{
    struct fixture *f = *state;
    start(f, 0);
    run_until(f, is_healthy);
    assert_false(shows_two(f));
    store_queue_own(f->store, STR("relay-west"), STR("west1"), 0, on_own, f);
    run_until(f, shows_two);
    assert_has(f->reply, "\nholdfast_relay_queued{relay=\"relay-west\"} 2\n");
    assert_has(f->reply, "\nholdfast_relay_queued{relay=\"relay-east\"} 0\n");
    assert_has(f->reply, "\nholdfast_relay_counted{relay=\"relay-east\"} 1\n"); /* never made: empty */
}

/* ---- a store that does not answer ---- */

static bool is_sick(struct fixture *f)
{
    return !is_healthy(f);
}

static void test_a_store_that_falls_silent(void **state)
{
    struct fixture *f = *state;
    start(f, 0);
    run_until(f, is_healthy);
    store_memory_cut(f->store, true);
    run_until(f, is_sick);
    assert_status(ask(f, "GET", "/api/v1/status"), "200"); /* the last that is known */
    assert_has(ask(f, "GET", "/metrics"), "\nholdfast_store_answers 0\n");
    store_memory_cut(f->store, false);
    run_until(f, is_healthy);
}

/* ---- an address in use ---- */

static bool is_served(struct fixture *f)
{
    struct addr at;
    return web_local(f->web, 0, &at);
}

static void test_an_address_in_use_is_tried_again(void **state)
{
    struct fixture *f = *state;
    struct addr at;
    socklen_t len = sizeof(at);
    int other;
    assert_ok(addr_parse(STR("127.0.0.1:0"), &at));
    assert_ok(loop_bind(LOOP_TCP, &at, &other, NULL));
    assert_ok(listen(other, 1));
    assert_ok(getsockname(other, &at.u.sa, &len));
    start(f, addr_port(&at));
    assert_false(is_served(f));
    assert_true(web_local(f->web, 1, &at));
    close(other);
    run_until(f, is_served);
    run_until(f, is_healthy);
}

/* ---- many at once, while texts change ---- */

static void *ask_often(void *arg)
{
    const struct addr *at = arg;
    char *reply = malloc(1 << 16);
    for (int i = 0; i < 50; i++) {
        talk(at, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", reply, 1 << 16);
        assert_status(reply, "200");
    }
    free(reply);
    return NULL;
}

static bool has_passed(struct fixture *f)
{
    (void)f;
    static int ticks;
    return ++ticks > 100;
}

static void test_many_readers_while_texts_change(void **state)
{
    struct fixture *f = *state;
    struct addr at;
    pthread_t readers[4];
    start(f, 0);
    run_until(f, is_healthy);
    assert_true(web_local(f->web, 0, &at));
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        assert_ok(pthread_create(&readers[i], NULL, ask_often, &at));
    run_until(f, has_passed);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        assert_ok(pthread_join(readers[i], NULL));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_the_four_pages),
        CASE(test_other_requests_are_refused),
        CASE(test_a_request_larger_than_its_memory),
        CASE(test_what_is_accepted_is_counted_soon),
        CASE(test_a_store_that_falls_silent),
        CASE(test_an_address_in_use_is_tried_again),
        CASE(test_many_readers_while_texts_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
