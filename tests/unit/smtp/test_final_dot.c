/* The end of a message is put out when the kernel takes it at once, and asked about then: never before, to
 * lie in a queue of ours. The server reads nothing after DATA, and the body fills all that is on the way. */
#include <string.h>

#include "base/mem.h"
#include "loop/sim.h"
#include "smtp/client_connection.h"
#include "unit/unit.h"

#define WINDOW_BYTES (256 * 1024) /* that the simulated kernels take (loop/sim.h) */
#define LINE         "0123456789abcde fghijklmnopqrs\r\n"

struct world {
    struct sim_world *sim;
    struct loop *server_loop, *client_loop;
    struct loop_listener *listener;
    struct loop_stream *stream; /* the server's */
    char tail[8];               /* the last that it read */
    size_t read_bytes;
    bool data;

    struct smtp_client_options options;
    struct smtp_client_connection *client;
    struct str recipient;
    size_t body_left;
    bool may;
    unsigned asked, ended;
    enum smtp_outcome outcome;
};

/* ---- the server ---- */

static void say(struct world *w, const char *text)
{
    loop_stream_write(w->stream, text, strlen(text));
}

static void note_tail(struct world *w, const char *data, size_t len)
{
    w->read_bytes += len;
    for (size_t i = 0; i < len; i++) {
        memmove(w->tail, w->tail + 1, sizeof(w->tail) - 2);
        w->tail[sizeof(w->tail) - 2] = data[i];
    }
}

/* One command at a time: the client knows no PIPELINING. */
static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct world *w = arg;
    if (err)
        return;
    note_tail(w, data, len);
    if (w->data || data[len - 1] != '\n')
        return;
    w->data = len >= 6 && memcmp(data + len - 6, "DATA\r\n", 6) == 0;
    if (w->data)
        loop_stream_read_stop(w->stream);
    say(w, w->data ? "354 go on\r\n" : "250 ok\r\n");
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct world *w = arg;
    (void)peer;
    w->stream = s;
    loop_stream_read_start(s, on_read, w);
    say(w, "220 hello\r\n");
}

/* ---- the client ---- */

static void on_ready(void *arg)
{
    struct world *w = arg;
    struct smtp_client_message m = {
        .reverse_path = STR("a@a.test"), .recipients = &w->recipient, .recipient_count = 1};
    smtp_client_send(smtp_client_connection_session(w->client), &m);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct world *w = arg;
    char piece[SMTP_CLIENT_BODY_MAX];
    size_t len = w->body_left < len_max ? w->body_left : len_max;
    for (size_t i = 0; i < len; i++)
        piece[i] = LINE[i % (sizeof(LINE) - 1)];
    w->body_left -= len;
    smtp_client_body(smtp_client_connection_session(w->client), piece, len);
}

static bool may_end(void *arg)
{
    struct world *w = arg;
    w->asked++;
    return w->may;
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    (void)index;
    ((struct world *)arg)->outcome = r->outcome;
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    (void)end, (void)stage, (void)reply, (void)why;
    ((struct world *)arg)->ended++;
}

static const struct smtp_client_ops ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .may_end = may_end, .result = on_result, .end = on_end};

static void pass(struct world *w, int64_t ms)
{
    (void)sim_run_until(w->sim, mono_add_ms(sim_now(w->sim), ms));
}

/* Up to a full window: a message that is given whole, less its end. */
static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof(*w));
    struct err_buf eb;
    struct addr at;
    *state = w;
    w->sim = sim_world_new(1);
    w->server_loop = sim_loop_new(w->sim, "server", "server");
    w->client_loop = sim_loop_new(w->sim, "relay", "relay");
    w->options.hostname = "relay.test";
    w->recipient = STR("bob@b.test");
    w->body_left = WINDOW_BYTES;
    w->may = true;
    assert_ok(addr_parse(STR("127.1.0.10:25"), &at));
    assert_ok(loop_listen(w->server_loop, &at, on_accept, w, &w->listener, &eb));
    w->client = smtp_client_connection_new(w->client_loop, &at, NULL, 3000, &w->options, &ops, w);
    pass(w, 1000);
    assert_true(w->data);
    assert_int_equal(w->body_left, 0);
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    smtp_client_connection_free(w->client);
    loop_stream_free(w->stream);
    loop_listener_free(w->listener);
    sim_loop_free(w->server_loop);
    sim_loop_free(w->client_loop);
    sim_world_free(w->sim);
    free(w);
    return 0;
}

static void read_on(struct world *w)
{
    loop_stream_read_start(w->stream, on_read, w);
    pass(w, 1000);
}

static void it_is_not_given_while_the_kernel_has_no_room(void **state)
{
    struct world *w = *state;
    assert_int_equal(w->asked, 0);
    w->may = false; /* the right was lost meanwhile */
    read_on(w);
    assert_int_equal(w->asked, 1);
    assert_int_equal(w->ended, 1);
    assert_int_equal(w->outcome, SMTP_OUTCOME_ABANDONED);
    assert_true(w->read_bytes >= WINDOW_BYTES);
    assert_string_equal(w->tail + 5, "\r\n"); /* of the last line: no dot has followed */
    assert_string_not_equal(w->tail + 2, "\r\n.\r\n");
}

static void it_is_given_once_there_is_room(void **state)
{
    struct world *w = *state;
    assert_int_equal(w->asked, 0);
    read_on(w);
    assert_int_equal(w->asked, 1);
    assert_string_equal(w->tail + 2, "\r\n.\r\n");
    say(w, "250 taken\r\n");
    pass(w, 1000);
    assert_int_equal(w->outcome, SMTP_OUTCOME_DELIVERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_not_given_while_the_kernel_has_no_room, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_given_once_there_is_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
