/* Both sessions over streams of the simulated loop: latency, segments, resets, time. */
#include <stdio.h>

#include "base/mem.h"
#include "loop/sim.h"
#include "smtp/client_connection.h"
#include "smtp/server_connection.h"
#include "unit/unit.h"

#define BODY_BYTES 300000 /* more than any buffer on the way */

struct world {
    struct sim_world *sim;
    struct loop *server_loop, *client_loop;
    struct loop_listener *listener;
    struct addr at;

    struct smtp_server_options server_options;
    struct smtp_server_connection *server;
    bool answer_later, hold_message, slow_data;
    size_t message_bytes;
    uint32_t message_sum;
    unsigned messages, resets, cancels, closed;

    struct smtp_client_options client_options;
    struct smtp_client_connection *client;
    char *body;
    size_t body_at, send_count;
    struct str recipient;
    struct smtp_client_result last;
    unsigned results, done, ended;
    enum smtp_client_end end;
    enum smtp_stage end_stage;
    bool free_at_end;
};

static uint32_t sum(uint32_t s, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        s = s * 31 + (uint8_t)data[i];
    return s;
}

/* ---- the server's side ---- */

static struct smtp_server *session(struct world *w)
{
    return smtp_server_connection_session(w->server);
}

static void answer(void *arg)
{
    smtp_server_reply(session(arg), NULL);
}

static void on_question(struct world *w)
{
    if (w->answer_later)
        loop_post(w->server_loop, answer, w);
    else
        smtp_server_reply(session(w), NULL);
}

static void on_mail(void *arg, const struct smtp_mail *mail)
{
    struct world *w = arg;
    (void)mail;
    w->message_bytes = 0;
    w->message_sum = 0;
    on_question(w);
}

static void on_rcpt(void *arg, const struct smtp_rcpt *rcpt)
{
    (void)rcpt;
    on_question(arg);
}

static void resume(void *arg)
{
    smtp_server_resume(session(arg));
}

static bool on_data(void *arg, const char *data, size_t len)
{
    struct world *w = arg;
    w->message_bytes += len;
    w->message_sum = sum(w->message_sum, data, len);
    if (!w->slow_data)
        return true;
    loop_post(w->server_loop, resume, w);
    return false;
}

static void on_data_end(void *arg, const struct smtp_data_info *info)
{
    struct world *w = arg;
    (void)info;
    w->messages++;
    if (!w->hold_message)
        on_question(w);
}

static void on_reset(void *arg)
{
    ((struct world *)arg)->resets++;
}

static void on_cancel(void *arg)
{
    ((struct world *)arg)->cancels++;
}

static void on_closed(void *arg)
{
    struct world *w = arg;
    w->closed++;
    w->server = NULL;
}

static const struct smtp_server_ops server_ops = {
    .mail = on_mail,
    .rcpt = on_rcpt,
    .data = on_data,
    .data_end = on_data_end,
    .reset = on_reset,
    .cancel = on_cancel,
    .closed = on_closed,
};

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct world *w = arg;
    (void)peer;
    w->server = smtp_server_connection_new(w->server_loop, stream, NULL, &w->server_options, &server_ops, w);
}

/* ---- the client's side ---- */

static void send_or_quit(struct world *w)
{
    struct smtp_client *c = smtp_client_connection_session(w->client);
    struct smtp_client_message m = {
        .reverse_path = STR("a@b.test"), .recipients = &w->recipient, .recipient_count = 1};
    if (!smtp_client_is_ready(c))
        return;
    w->body_at = 0;
    if (w->send_count-- > 0)
        smtp_client_send(c, &m);
    else
        smtp_client_quit(c);
}

static void on_ready(void *arg)
{
    send_or_quit(arg);
}

static void give_body(void *arg)
{
    struct world *w = arg;
    size_t left = BODY_BYTES - w->body_at, len = left < 50000 ? left : 50000;
    w->body_at += len;
    smtp_client_body(smtp_client_connection_session(w->client), w->body + w->body_at - len, len);
}

static void on_body_wanted(void *arg, size_t len_max)
{
    struct world *w = arg;
    (void)len_max;
    if (w->answer_later)
        loop_post(w->client_loop, give_body, w);
    else
        give_body(w);
}

static void on_result(void *arg, size_t index, const struct smtp_client_result *r)
{
    struct world *w = arg;
    assert_int_equal(index, 0);
    w->last = *r;
    w->results++;
}

static void on_done(void *arg)
{
    ((struct world *)arg)->done++;
    send_or_quit(arg);
}

static void on_end(void *arg, enum smtp_client_end end, enum smtp_stage stage, const struct smtp_reply *reply,
                   struct str why)
{
    struct world *w = arg;
    (void)reply;
    (void)why;
    w->ended++;
    w->end = end;
    w->end_stage = stage;
    if (w->free_at_end) {
        smtp_client_connection_free(w->client);
        w->client = NULL;
    }
}

static const struct smtp_client_ops client_ops = {
    .ready = on_ready, .body_wanted = on_body_wanted, .result = on_result, .done = on_done, .end = on_end};

/* ---- a world ---- */

static void open_world(struct world *w, uint64_t seed)
{
    struct err_buf eb;
    *w = (struct world){.server_options = {.hostname = "mail.example.test", .idle_timeout_ms = 60000},
                        .client_options = {.hostname = "relay.example.test"},
                        .recipient = STR("alice@example.test"),
                        .send_count = 1};
    w->sim = sim_world_new(seed);
    w->server_loop = sim_loop_new(w->sim, "east", "mailbox");
    w->client_loop = sim_loop_new(w->sim, "west", "relay");
    sim_net_latency(w->sim, 100, 5000);
    w->body = mem_alloc(BODY_BYTES);
    for (size_t i = 0; i < BODY_BYTES; i++)
        w->body[i] = i % 60 == 58 ? '\r' : i % 60 == 59 ? '\n' : i % 60 == 0 ? '.' : (char)('a' + i % 26);
    assert_ok(addr_parse(STR("127.1.0.10:2525"), &w->at));
    assert_ok(loop_listen(w->server_loop, &w->at, on_accept, w, &w->listener, &eb));
}

static void start_client(struct world *w)
{
    w->client =
        smtp_client_connection_new(w->client_loop, &w->at, NULL, 3000, &w->client_options, &client_ops, w);
}

static void run_ms(struct world *w, int64_t ms)
{
    sim_run_until(w->sim, mono_add_ms(sim_now(w->sim), ms));
}

static void close_world(struct world *w)
{
    smtp_client_connection_free(w->client);
    smtp_server_connection_free(w->server);
    loop_listener_free(w->listener);
    sim_loop_free(w->server_loop);
    sim_loop_free(w->client_loop);
    sim_world_free(w->sim);
    free(w->body);
}

/* ---- stories ---- */

static void messages_arrive_whole(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct world w;
        open_world(&w, seed);
        w.answer_later = seed & 1;
        w.slow_data = seed & 2;
        w.free_at_end = seed & 4;
        w.send_count = 3;
        start_client(&w);
        run_ms(&w, 120000);
        assert_int_equal(w.ended, 1);
        assert_int_equal(w.end, SMTP_END_QUIT);
        assert_int_equal(w.results, 3);
        assert_int_equal(w.last.outcome, SMTP_OUTCOME_DELIVERED);
        assert_int_equal(w.messages, 3);
        assert_int_equal(w.message_sum, sum(sum(0, w.body, BODY_BYTES), "", 0));
        assert_int_equal(w.closed, 1);
        assert_int_equal(w.resets + w.cancels, 0);
        close_world(&w);
    }
}

static void nobody_listens(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 1);
    loop_listener_free(w.listener);
    w.listener = NULL;
    start_client(&w);
    assert_int_equal(w.ended, 0);
    run_ms(&w, 10000);
    assert_int_equal(w.ended, 1);
    assert_int_equal(w.end, SMTP_END_CONNECT);
    close_world(&w);
}

static void idle_client_is_told_to_go(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 2);
    w.hold_message = true; /* the client waits for an answer, not idle: no time runs */
    start_client(&w);
    run_ms(&w, 300000);
    assert_int_equal(w.messages, 1);
    assert_int_equal(w.closed, 0);
    smtp_server_reply(session(&w), NULL);
    run_ms(&w, 10000);
    assert_int_equal(w.closed, 1);
    assert_int_equal(w.end, SMTP_END_QUIT);
    close_world(&w);
}

static void mute_client_is_cut(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 3);
    start_client(&w);
    run_ms(&w, 30);
    assert_non_null(w.server);
    sim_loop_freeze(w.client_loop, true);
    run_ms(&w, 30000);
    assert_int_equal(w.closed, 0);
    run_ms(&w, 40000);
    assert_int_equal(w.closed, 1);
    assert_int_equal(w.ended, 0);
    close_world(&w);
}

static void silent_server_is_left(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 4);
    w.hold_message = true;
    w.client_options.timeout_ms = 5000;
    start_client(&w);
    run_ms(&w, 60000);
    assert_int_equal(w.ended, 1);
    assert_int_equal(w.end, SMTP_END_TIMEOUT);
    assert_int_equal(w.last.outcome, SMTP_OUTCOME_UNKNOWN);
    smtp_server_reply(session(&w), NULL); /* to nobody */
    run_ms(&w, 1000);
    assert_int_equal(w.closed, 1);
    close_world(&w);
}

static void killed_server(void **state)
{
    (void)state;
    for (int64_t at_ms = 1; at_ms < 120; at_ms += 3) {
        struct world w;
        open_world(&w, (uint64_t)at_ms);
        w.send_count = 2;
        w.answer_later = true;
        start_client(&w);
        run_ms(&w, at_ms);
        bool was_over = w.ended;
        unsigned results = w.results;
        sim_loop_kill(w.server_loop);
        run_ms(&w, 30000);
        assert_int_equal(w.ended, 1);
        assert_int_equal(w.done, w.results);
        if (!was_over && w.results > results && w.end == SMTP_END_LOST)
            assert_true(w.last.outcome == SMTP_OUTCOME_LOST || w.last.outcome == SMTP_OUTCOME_UNKNOWN ||
                        w.last.outcome == SMTP_OUTCOME_UNSENT || w.last.outcome == SMTP_OUTCOME_DELIVERED);
        close_world(&w);
    }
}

static void killed_client(void **state)
{
    unsigned unfinished = 0;
    (void)state;
    for (int64_t at_ms = 1; at_ms < 120; at_ms += 3) {
        struct world w;
        open_world(&w, (uint64_t)at_ms);
        start_client(&w);
        run_ms(&w, at_ms);
        sim_loop_kill(w.client_loop);
        run_ms(&w, 100000);
        assert_null(w.server);
        assert_true(w.messages + w.resets <= 1);
        unfinished += w.resets;
        close_world(&w);
    }
    assert_true(unfinished > 0);
}

static void owner_cuts_the_server(void **state)
{
    struct world w;
    (void)state;
    open_world(&w, 5);
    w.hold_message = true;
    start_client(&w);
    run_ms(&w, 20000);
    assert_int_equal(w.messages, 1);
    smtp_server_connection_free(w.server);
    assert_int_equal(w.cancels, 1);
    assert_int_equal(w.resets, 1);
    assert_int_equal(w.closed, 1);
    run_ms(&w, 1000);
    assert_int_equal(w.last.outcome, SMTP_OUTCOME_UNKNOWN);
    close_world(&w);
}

/* ---- a client that keeps a session with as little as it can ---- */

struct dripper {
    struct world *w;
    struct loop_stream *stream;
    struct loop_timer *timer;
    const char *first, *drip; /* what it says at once, and then each interval */
    int64_t interval_ms;
    bool closed;
};

static void on_drip(void *arg)
{
    struct dripper *d = arg;
    loop_stream_write(d->stream, d->drip, strlen(d->drip));
    loop_timer_start(d->timer, d->interval_ms);
}

static void on_dripper_read(void *arg, const char *data, size_t len, int err)
{
    struct dripper *d = arg;
    (void)data;
    (void)len;
    if (!err)
        return;
    d->closed = true;
    loop_timer_stop(d->timer);
}

static void on_dripper_connect(void *arg, struct loop_stream *s, int err)
{
    struct dripper *d = arg;
    assert_ok(err);
    d->stream = s;
    loop_stream_read_start(s, on_dripper_read, d);
    loop_stream_write(s, d->first, strlen(d->first));
    loop_timer_start(d->timer, d->interval_ms);
}

static bool is_ended_after(const char *first, const char *drip, int64_t interval_ms, int64_t ms)
{
    struct world w;
    open_world(&w, 6); /* an idle timeout of a minute */
    struct dripper d = {.w = &w, .first = first, .drip = drip, .interval_ms = interval_ms};
    struct loop_connect *connect;
    d.timer = loop_timer_new(w.client_loop, on_drip, &d);
    loop_connect(w.client_loop, &w.at, NULL, 1000, on_dripper_connect, &d, &connect);
    run_ms(&w, ms);
    bool ended = d.closed;
    assert_int_equal(w.closed, ended);
    loop_timer_free(d.timer);
    loop_stream_free(d.stream);
    close_world(&w);
    return ended;
}

static void commands_alone_keep_no_session(void **state)
{
    (void)state;
    assert_false(is_ended_after("EHLO c\r\n", "NOOP\r\n", 50000, 11 * 60000));
    assert_true(is_ended_after("EHLO c\r\n", "NOOP\r\n", 50000, 13 * 60000));
}

#define TO_RCPT "EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\n"
#define TO_DATA TO_RCPT "DATA\r\n"

static void a_message_that_drips_is_not_waited_for(void **state)
{
    (void)state;
    assert_true(is_ended_after(TO_DATA, "0123456789\r\n", 100, 2 * 60000)); /* 120 bytes a second */
}

/* A byte each second, wherever it is; a line is worth nothing before its end. */
static void who_drips_a_byte_a_second_is_not_waited_for(void **state)
{
    static const char *const firsts[] = {"", "EHLO c\r\nMAIL FROM:<", TO_DATA,
                                         TO_DATA "Subject: ", TO_RCPT "BDAT 1000000 LAST\r\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        assert_false(is_ended_after(firsts[i], "x", 1000, 59000));
        assert_true(is_ended_after(firsts[i], "x", 1000, 62000));
    }
}

static void a_message_that_is_slow_is_taken(void **state)
{
    static char line[203];
    (void)state;
    memset(line, 'x', 200);
    memcpy(line + 200, "\r\n", 3);
    assert_false(is_ended_after(TO_DATA, line, 100, 60 * 60000)); /* 2,020 bytes a second, for an hour */
}

/* BDAT is no talk: what counts is that it moves. */
static void a_chunk_that_is_slow_is_taken(void **state)
{
    static char line[203];
    (void)state;
    memset(line, 'x', 200);
    memcpy(line + 200, "\r\n", 3);
    assert_false(is_ended_after(TO_RCPT "BDAT 100000000\r\n", line, 100, 60 * 60000));
}

static void chunks_of_a_byte_keep_no_session(void **state)
{
    (void)state;
    assert_true(is_ended_after(TO_RCPT, "BDAT 1\r\nx", 50000, 13 * 60000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_whole),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(idle_client_is_told_to_go),
        cmocka_unit_test(mute_client_is_cut),
        cmocka_unit_test(silent_server_is_left),
        cmocka_unit_test(killed_server),
        cmocka_unit_test(killed_client),
        cmocka_unit_test(owner_cuts_the_server),
        cmocka_unit_test(commands_alone_keep_no_session),
        cmocka_unit_test(a_message_that_drips_is_not_waited_for),
        cmocka_unit_test(who_drips_a_byte_a_second_is_not_waited_for),
        cmocka_unit_test(a_message_that_is_slow_is_taken),
        cmocka_unit_test(a_chunk_that_is_slow_is_taken),
        cmocka_unit_test(chunks_of_a_byte_keep_no_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
