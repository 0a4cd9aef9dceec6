#include "contract.h"

#include <stdio.h>

#include "base/mem.h"

#define BIG_BYTES ((size_t)10 << 20)
/* More than the send and receive buffers of any kernel hold together. */
#define HUGE_BYTES ((size_t)48 << 20)

/* One end: what it has read and what its writer was told. */
struct end {
    struct loop *l;
    struct loop_stream *s;
    size_t read_bytes, stop_at_bytes;
    bool content_differs;
    int ends, end_err;
    int drains, drain_err;
    bool stop_at_end, stop_at_drain;
};

static char pattern_at(size_t offset)
{
    return (char)((offset * 2654435761u) >> 13);
}

static char *pattern_new(size_t len)
{
    char *data = mem_alloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = pattern_at(i);
    return data;
}

static void end_on_read(void *arg, const char *data, size_t len, int err)
{
    struct end *e = arg;
    if (err) {
        assert_int_equal(len, 0);
        e->ends++;
        e->end_err = err;
        if (e->stop_at_end)
            loop_stop(e->l);
        return;
    }
    assert_true(len > 0);
    for (size_t i = 0; i < len; i++)
        e->content_differs |= data[i] != pattern_at(e->read_bytes + i);
    e->read_bytes += len;
    if (e->stop_at_bytes && e->read_bytes >= e->stop_at_bytes)
        loop_stop(e->l);
}

static void end_on_drain(void *arg, int err)
{
    struct end *e = arg;
    e->drains++;
    e->drain_err = err;
    if (e->stop_at_drain)
        loop_stop(e->l);
}

static void end_init(struct end *e, struct contract *c, struct loop_stream *s)
{
    *e = (struct end){.l = c->l, .s = s};
    loop_stream_on_drain(s, end_on_drain, e);
}

static void write_pattern(struct loop_stream *s, size_t len)
{
    char *data = pattern_new(len);
    loop_stream_write(s, data, len);
    memset(data, 0, len); /* it was copied */
    free(data);
}

/* Runs the loop until all that is under way now has had its turn. */
static void on_settled(void *arg)
{
    loop_stop(arg);
}

static void settle(struct contract *c)
{
    struct loop_timer *t = loop_timer_new(c->l, on_settled, c->l);
    loop_timer_start(t, 30);
    contract_run(c);
    loop_timer_free(t);
}

/* ---- listening and connecting ---- */

static void never_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)arg;
    (void)s;
    (void)peer;
    fail();
}

void listen_gives_the_port_and_refuses_a_second(void **state)
{
    struct contract *c = *state;
    struct addr at;
    struct err_buf eb;
    struct loop_listener *li = contract_listen(c, never_accept, NULL, &at), *second = NULL;
    assert_err(loop_listen(c->l, &at, never_accept, NULL, &second, &eb), ERR_BUSY);
    assert_null(second);
    char text[ADDR_TEXT_MAX];
    addr_format(&at, text);
    assert_non_null(strstr(eb.text, text));
    loop_listener_free(li);
    assert_ok(loop_listen(c->l, &at, never_accept, NULL, &second, &eb));
    loop_listener_free(second);
}

static void expect_refused(void *arg, struct loop_stream *s, int err)
{
    assert_null(s);
    assert_int_equal(err, ERR_REFUSED);
    loop_stop(arg);
}

void connect_refused(void **state)
{
    struct contract *c = *state;
    struct addr at;
    struct loop_connect *connect;
    loop_listener_free(contract_listen(c, never_accept, NULL, &at));
    loop_connect(c->l, &at, NULL, 10000, expect_refused, c->l, &connect);
    contract_run(c);
}

static void never_connect(void *arg, struct loop_stream *s, int err)
{
    (void)arg;
    (void)s;
    (void)err;
    fail();
}

static void accept_and_drop(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)arg;
    (void)peer;
    loop_stream_free(s);
}

void connect_cancelled(void **state)
{
    struct contract *c = *state;
    struct addr at;
    struct loop_connect *connect;
    struct loop_listener *li = contract_listen(c, accept_and_drop, NULL, &at);
    loop_connect(c->l, &at, NULL, 1, never_connect, NULL, &connect);
    loop_connect_cancel(connect);
    settle(c);
    loop_listener_free(li);
}

void stream_knows_its_ends(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct addr a, b;
    loop_stream_local(p.client, &a);
    loop_stream_peer(p.server, &b);
    assert_true(addr_eq(&a, &b));
    loop_stream_peer(p.client, &a);
    loop_stream_local(p.server, &b);
    assert_true(addr_eq(&a, &b));
    assert_int_not_equal(addr_port(&a), 0);
    loop_stream_free(p.client);
    loop_stream_free(p.server);
}

struct accepting {
    struct loop *l;
    struct loop_listener *li;
    struct loop_stream *client;
    int accepted;
};

static void note_connect(void *arg, struct loop_stream *s, int err)
{
    struct accepting *a = arg;
    assert_int_equal(err, 0);
    a->client = s;
    loop_stop(a->l);
}

static void count_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)peer;
    struct accepting *a = arg;
    a->accepted++;
    loop_stream_free(s);
    loop_stop(a->l);
}

void listener_paused_leaves_them_waiting(void **state)
{
    struct contract *c = *state;
    struct accepting a = {.l = c->l};
    struct addr at;
    struct loop_connect *connect;
    a.li = contract_listen(c, count_accept, &a, &at);
    loop_listener_pause(a.li, true);
    loop_connect(c->l, &at, NULL, 10000, note_connect, &a, &connect);
    contract_run(c);
    settle(c);
    assert_int_equal(a.accepted, 0);
    loop_listener_pause(a.li, false);
    contract_run(c);
    assert_int_equal(a.accepted, 1);
    loop_stream_free(a.client);
    loop_listener_free(a.li);
}

static void free_listener(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct accepting *a = arg;
    loop_listener_free(a->li);
    count_accept(arg, s, peer);
}

static void note_refusal(void *arg, struct loop_stream *s, int err)
{
    struct accepting *a = arg;
    assert_null(s);
    assert_int_equal(err, ERR_REFUSED);
    loop_stop(a->l);
}

static void connect_to(struct contract *c, struct accepting *a, const struct addr *at, bool refused)
{
    struct loop_connect *connect;
    loop_connect(c->l, at, NULL, 10000, refused ? note_refusal : note_connect, a, &connect);
    contract_run(c);
}

/* Its port stays its own: nobody else is in the way of its return. */
static void refuse_and_return(struct contract *c, struct accepting *a, const struct addr *at)
{
    assert_ok(loop_listener_refuse(a->li, true));
    assert_ok(loop_listener_refuse(a->li, true));
    settle(c); /* it is not woken by what the socket reports now */
    connect_to(c, a, at, true);
    assert_ok(loop_listener_refuse(a->li, false));
    assert_ok(loop_listener_refuse(a->li, false));
}

void listener_refuses_and_listens_again(void **state)
{
    struct contract *c = *state;
    struct accepting a = {.l = c->l};
    struct addr at;
    struct err_buf eb;
    loop_listener_free(contract_listen(c, count_accept, &a, &at));
    settle(c);
    assert_ok(loop_listen(c->l, &at, count_accept, &a, &a.li, &eb)); /* at a port that is named */
    for (int k = 1; k <= 3; k++) {
        refuse_and_return(c, &a, &at);
        a.client = NULL;
        connect_to(c, &a, &at, false);
        while (!a.client || a.accepted < k)
            contract_run(c);
        loop_stream_free(a.client);
    }
    loop_listener_free(a.li);
}

static void keep_connect(void *arg, struct loop_stream *s, int err)
{
    (void)err; /* the second may be refused, or cut: its listener is gone */
    struct loop_stream **ret_stream = arg;
    *ret_stream = s;
}

void listener_freed_by_its_callback(void **state)
{
    struct contract *c = *state;
    struct accepting a = {.l = c->l};
    struct loop_stream *clients[2] = {NULL, NULL};
    struct addr at;
    struct loop_connect *connect;
    a.li = contract_listen(c, free_listener, &a, &at);
    loop_connect(c->l, &at, NULL, 10000, keep_connect, &clients[0], &connect);
    loop_connect(c->l, &at, NULL, 10000, keep_connect, &clients[1], &connect);
    contract_run(c);
    settle(c);
    assert_int_equal(a.accepted, 1);
    loop_stream_free(clients[0]);
    loop_stream_free(clients[1]);
}

/* ---- reading and writing ---- */

static void echo_on_drain(void *arg, int err);

static void echo_on_read(void *arg, const char *data, size_t len, int err)
{
    struct end *e = arg;
    if (err) {
        loop_stream_close(e->s, 10000);
        e->s = NULL;
        return;
    }
    loop_stream_write(e->s, data, len);
    if (loop_stream_pending(e->s) > 0)
        loop_stream_read_stop(e->s);
}

static void echo_on_drain(void *arg, int err)
{
    struct end *e = arg;
    assert_int_equal(err, 0);
    loop_stream_read_start(e->s, echo_on_read, e);
}

void echo_of_10_mib_is_exact(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server = {.l = c->l, .s = p.server};
    loop_stream_on_drain(p.server, echo_on_drain, &server);
    loop_stream_read_start(p.server, echo_on_read, &server);
    end_init(&client, c, p.client);
    client.stop_at_bytes = BIG_BYTES;
    write_pattern(p.client, BIG_BYTES);
    loop_stream_read_start(p.client, end_on_read, &client);
    contract_run(c);
    assert_int_equal(client.read_bytes, BIG_BYTES);
    assert_false(client.content_differs);
    loop_stream_free(p.client);
    settle(c);
    assert_null(server.s);
}

void writer_waits_for_reader(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    client.stop_at_drain = true;
    write_pattern(p.client, HUGE_BYTES);
    settle(c);
    assert_int_equal(client.drains, 0);
    assert_true(loop_stream_pending(p.client) > 0);
    loop_stream_read_start(p.server, end_on_read, &server);
    contract_run(c);
    assert_int_equal(client.drains, 1);
    assert_int_equal(client.drain_err, 0);
    assert_int_equal(loop_stream_pending(p.client), 0);
    loop_stream_free(p.client);
    loop_stream_free(p.server);
}

void drain_fires_only_after_a_queue(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    server.stop_at_bytes = 6;
    loop_stream_read_start(p.server, end_on_read, &server);
    write_pattern(p.client, 6);
    assert_int_equal(loop_stream_pending(p.client), 0);
    contract_run(c);
    settle(c);
    assert_int_equal(client.drains, 0);
    assert_false(server.content_differs);
    loop_stream_free(p.client);
    loop_stream_free(p.server);
}

static void read_once(void *arg, const char *data, size_t len, int err)
{
    struct end *e = arg;
    end_on_read(arg, data, len, err);
    loop_stream_read_stop(e->s);
    loop_stop(e->l);
}

void read_stop_in_callback_holds(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    loop_stream_read_start(p.server, read_once, &server);
    write_pattern(p.client, 1 << 20);
    contract_run(c);
    size_t read_bytes = server.read_bytes;
    settle(c);
    assert_int_equal(server.read_bytes, read_bytes);
    assert_true(read_bytes < 1 << 20);
    server.stop_at_bytes = 1 << 20;
    loop_stream_read_start(p.server, end_on_read, &server);
    contract_run(c);
    assert_false(server.content_differs);
    loop_stream_free(p.client);
    loop_stream_free(p.server);
}

static void free_on_read(void *arg, const char *data, size_t len, int err)
{
    struct end *e = arg;
    assert_non_null(e->s);
    end_on_read(arg, data, len, err);
    loop_stream_free(e->s);
    e->s = NULL;
}

void stream_freed_in_its_read(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    client.stop_at_end = true;
    loop_stream_read_start(p.client, end_on_read, &client);
    loop_stream_read_start(p.server, free_on_read, &server);
    loop_stream_write(p.server, "x", 1);
    write_pattern(p.client, BIG_BYTES);
    contract_run(c);
    settle(c);
    assert_null(server.s);
    assert_int_equal(client.ends, 1);
    loop_stream_free(p.client);
}

/* Until there is none: nothing of it lies in a queue. Then the writer is told when there is some again. */
void what_is_written_with_room_leaves_at_once(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    char some[100] = {0};
    size_t written = 0;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    for (; loop_stream_ask_room(p.client); written += sizeof(some)) {
        assert_true(written < HUGE_BYTES);
        loop_stream_write(p.client, some, sizeof(some));
        assert_int_equal(loop_stream_pending(p.client), 0);
    }
    client.stop_at_drain = true;
    loop_stream_read_start(p.server, end_on_read, &server);
    contract_run(c);
    assert_int_equal(client.drain_err, 0);
    assert_true(loop_stream_ask_room(p.client));
    server.stop_at_bytes = written;
    if (server.read_bytes < written)
        contract_run(c);
    settle(c);
    assert_int_equal(client.drains, 1);
    loop_stream_free(p.client);
    loop_stream_free(p.server);
}

static void free_on_drain(void *arg, int err)
{
    struct end *e = arg;
    assert_int_equal(err, 0);
    loop_stream_free(e->s);
    e->s = NULL;
}

void stream_freed_in_its_drain(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    loop_stream_on_drain(p.client, free_on_drain, &client);
    loop_stream_read_start(p.client, end_on_read, &client);
    server.stop_at_end = true;
    loop_stream_read_start(p.server, end_on_read, &server);
    write_pattern(p.client, HUGE_BYTES);
    contract_run(c);
    assert_null(client.s);
    assert_int_equal(server.read_bytes, HUGE_BYTES); /* all was taken by the kernel: nothing to cut */
    assert_int_equal(server.end_err, ERR_CLOSED);
    loop_stream_free(p.server);
}

/* ---- ends ---- */

void end_is_reported_once(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end server;
    end_init(&server, c, p.server);
    server.stop_at_end = true;
    loop_stream_read_start(p.server, end_on_read, &server);
    loop_stream_free(p.client);
    contract_run(c);
    loop_stream_read_start(p.server, end_on_read, &server);
    settle(c);
    assert_int_equal(server.ends, 1);
    assert_int_equal(server.end_err, ERR_CLOSED);
    loop_stream_free(p.server);
}

/* The client's close keeps reading until the server's end. */
void reply_after_the_peers_end_arrives(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end server;
    end_init(&server, c, p.server);
    server.stop_at_end = true;
    loop_stream_read_start(p.server, end_on_read, &server);
    loop_stream_close(p.client, 10000);
    contract_run(c);
    server.stop_at_drain = true;
    write_pattern(p.server, HUGE_BYTES);
    contract_run(c);
    assert_int_equal(server.drain_err, 0);
    loop_stream_close(p.server, 10000);
    settle(c);
}

void close_lingers_until_all_is_sent(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&server, c, p.server);
    end_init(&client, c, p.client);
    write_pattern(p.server, HUGE_BYTES);
    loop_stream_close(p.server, 50000);
    client.stop_at_end = true;
    loop_stream_read_start(p.client, end_on_read, &client);
    contract_run(c);
    assert_int_equal(client.end_err, ERR_CLOSED);
    assert_int_equal(client.read_bytes, HUGE_BYTES);
    assert_false(client.content_differs);
    assert_int_equal(server.drains, 0);
    loop_stream_free(p.client);
    settle(c);
}

/* A plain close(2) with input unread resets, and the reply is lost. */
void close_is_not_a_reset_with_unread_input(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client, server;
    end_init(&client, c, p.client);
    end_init(&server, c, p.server);
    client.stop_at_end = true;
    write_pattern(p.client, 1000);
    settle(c);
    write_pattern(p.server, 9);
    loop_stream_close(p.server, 10000);
    settle(c);
    loop_stream_read_start(p.client, end_on_read, &client);
    contract_run(c);
    assert_int_equal(client.end_err, ERR_CLOSED);
    assert_int_equal(client.read_bytes, 9);
    loop_stream_free(p.client);
    settle(c);
}

void close_gives_up_after_its_linger(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client;
    end_init(&client, c, p.client);
    write_pattern(p.server, HUGE_BYTES);
    loop_stream_close(p.server, 5);
    settle(c);
    client.stop_at_end = true;
    loop_stream_read_start(p.client, end_on_read, &client);
    contract_run(c);
    assert_int_equal(client.end_err, ERR_IO);
    assert_true(client.read_bytes < HUGE_BYTES);
    loop_stream_free(p.client);
}

void free_with_unsent_data_cuts(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client;
    end_init(&client, c, p.client);
    write_pattern(p.server, HUGE_BYTES);
    loop_stream_free(p.server);
    client.stop_at_end = true;
    loop_stream_read_start(p.client, end_on_read, &client);
    contract_run(c);
    assert_int_equal(client.end_err, ERR_IO);
    assert_true(client.read_bytes < HUGE_BYTES);
    assert_false(client.content_differs);
    loop_stream_free(p.client);
}

void write_to_a_cut_stream_reports_once(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client;
    end_init(&client, c, p.client);
    write_pattern(p.server, HUGE_BYTES);
    loop_stream_free(p.server);
    settle(c);
    client.stop_at_drain = true;
    write_pattern(p.client, 10);
    write_pattern(p.client, 10);
    contract_run(c);
    assert_true(client.drain_err < 0);
    assert_int_equal(loop_stream_pending(p.client), 0);
    write_pattern(p.client, 10);
    settle(c);
    assert_int_equal(client.drains, 1);
    loop_stream_free(p.client);
}

/* Nothing that is written now arrives: it is not to be taken for sent. */
void a_cut_stream_has_no_room(void **state)
{
    struct contract *c = *state;
    struct contract_pair p = contract_connect(c);
    struct end client;
    end_init(&client, c, p.client);
    write_pattern(p.server, HUGE_BYTES);
    loop_stream_free(p.server);
    settle(c);
    client.stop_at_drain = true;
    assert_false(loop_stream_ask_room(p.client));
    contract_run(c);
    assert_true(client.drain_err < 0);
    assert_false(loop_stream_ask_room(p.client));
    settle(c);
    assert_int_equal(client.drains, 1);
    loop_stream_free(p.client);
}
