#include "net/conn.h"

#include "base/buf.h"
#include "base/mem.h"
#include "loop/sim.h"
#include "unit/unit.h"

#define BIG_BYTES ((size_t)1 << 20)

struct fixture {
    struct sim_world *w;
    struct loop *l;
    struct loop_stream *peer;
    struct net_conn *c;
    struct buf got; /* by the connection */
    int inputs, rooms, ends, end_err, gone;
    bool free_on_input, stop_on_input, echo;
    size_t peer_bytes;
    int peer_reads, peer_ends, peer_err;
};

static void on_input(void *arg, const char *data, size_t len)
{
    struct fixture *f = arg;
    f->inputs++;
    assert_ok(buf_append(&f->got, data, len));
    if (f->echo)
        for (size_t i = 0; i < len; i++)
            net_conn_write(f->c, &data[i], 1);
    if (f->stop_on_input)
        net_conn_want_input(f->c, false);
    if (f->free_on_input) {
        net_conn_write(f->c, "last", 4);
        net_conn_close(f->c, 1000);
        f->c = NULL;
    }
}

static void on_room(void *arg)
{
    struct fixture *f = arg;
    f->rooms++;
    assert_false(net_conn_full(f->c));
}

static void on_end(void *arg, int err)
{
    struct fixture *f = arg;
    f->ends++;
    f->end_err = err;
}

static const struct net_conn_ops ops = {.on_input = on_input, .on_room = on_room, .on_end = on_end};

static void peer_on_read(void *arg, const char *data, size_t len, int err)
{
    (void)data;
    struct fixture *f = arg;
    f->peer_reads++;
    f->peer_bytes += len;
    f->peer_ends += err != 0;
    f->peer_err = err;
}

static void on_gone(void *arg)
{
    struct fixture *f = arg;
    f->gone++;
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)peer;
    struct fixture *f = arg;
    f->c = net_conn_new(f->l, s, &ops, f);
    net_conn_on_gone(f->c, on_gone, f);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct fixture *f = arg;
    assert_int_equal(err, 0);
    f->peer = s;
    loop_stream_read_start(s, peer_on_read, f);
}

static void idle_tick(void *arg)
{
    (void)arg;
}

static void run(struct fixture *f, int64_t ms)
{
    sim_at(f->w, ms, idle_tick, NULL);
    struct mono_time until = mono_add_ms(sim_now(f->w), ms);
    sim_run_until(f->w, until);
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct addr at;
    struct loop_listener *li;
    struct loop_connect *connect;
    f->w = sim_world_new(5);
    f->l = sim_loop_new(f->w, "host", "test");
    buf_init(&f->got, 2 * BIG_BYTES);
    assert_ok(addr_parse(STR("10.0.0.1:25"), &at));
    assert_ok(loop_listen(f->l, &at, on_accept, f, &li, NULL));
    loop_connect(f->l, &at, NULL, 1000, on_connect, f, &connect);
    run(f, 100);
    assert_non_null(f->c);
    assert_non_null(f->peer);
    loop_listener_free(li);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    net_conn_free(f->c);
    assert_int_equal(f->gone, 1);
    loop_stream_free(f->peer);
    buf_fini(&f->got);
    sim_loop_free(f->l);
    sim_world_free(f->w);
    free(f);
    return 0;
}

static void write_zeros(struct fixture *f, size_t len)
{
    char *data = mem_zalloc(len);
    net_conn_write(f->c, data, len);
    free(data);
}

static void input_and_replies(void **state)
{
    struct fixture *f = *state;
    sim_net_latency(f->w, 10, 10);
    f->echo = true;
    loop_stream_write(f->peer, "hello", 5);
    run(f, 100);
    assert_str(buf_str(&f->got), "hello");
    assert_int_equal(f->peer_bytes, 5);
    assert_true(net_conn_bytes_in(f->c) == 5);
    assert_true(net_conn_bytes_out(f->c) == 5);
    assert_int_equal(f->ends, 0);
}

static void marks_tell_full_and_room(void **state)
{
    struct fixture *f = *state;
    loop_stream_read_stop(f->peer);
    net_conn_set_marks(f->c, 1000, 100000);
    write_zeros(f, 10);
    assert_false(net_conn_full(f->c));
    write_zeros(f, BIG_BYTES);
    assert_true(net_conn_full(f->c));
    run(f, 1000);
    assert_int_equal(f->rooms, 0);
    loop_stream_read_start(f->peer, peer_on_read, f);
    run(f, 1000);
    assert_int_equal(f->rooms, 1);
    assert_int_equal(f->peer_bytes, BIG_BYTES + 10);
    assert_int_equal(net_conn_pending(f->c), 0);
}

/* What one callback writes may pass the mark and be taken by the kernel at once. */
static void full_for_a_moment_gets_room(void **state)
{
    struct fixture *f = *state;
    f->echo = true;
    net_conn_set_marks(f->c, 10, 100);
    char data[1000] = {0};
    loop_stream_write(f->peer, data, sizeof(data));
    run(f, 100);
    assert_int_equal(f->got.len, sizeof(data));
    assert_false(net_conn_full(f->c));
    assert_true(f->rooms > 0);
    assert_int_equal(f->peer_bytes, sizeof(data));
}

static void full_output_stops_input(void **state)
{
    struct fixture *f = *state;
    loop_stream_read_stop(f->peer);
    write_zeros(f, BIG_BYTES);
    loop_stream_write(f->peer, "more", 4);
    run(f, 1000);
    assert_int_equal(f->inputs, 0);
    loop_stream_read_start(f->peer, peer_on_read, f);
    run(f, 1000);
    assert_str(buf_str(&f->got), "more");
}

static void unwanted_input_waits(void **state)
{
    struct fixture *f = *state;
    f->stop_on_input = true;
    loop_stream_write(f->peer, "a", 1);
    run(f, 100);
    loop_stream_write(f->peer, "b", 1);
    run(f, 100);
    assert_str(buf_str(&f->got), "a");
    net_conn_want_input(f->c, true);
    run(f, 100);
    assert_str(buf_str(&f->got), "ab");
}

static void idle_ends_without_activity(void **state)
{
    struct fixture *f = *state;
    net_conn_set_idle(f->c, 1000);
    for (int i = 0; i < 5; i++) {
        run(f, 900);
        loop_stream_write(f->peer, "x", 1);
    }
    assert_int_equal(f->ends, 0);
    run(f, 1100);
    assert_int_equal(f->end_err, ERR_TIMEOUT);
    write_zeros(f, 3); /* a last word */
    run(f, 100);
    assert_int_equal(f->peer_bytes, 3);
    run(f, 5000);
    assert_int_equal(f->ends, 1);
}

static void deadline_ends_in_spite_of_activity(void **state)
{
    struct fixture *f = *state;
    net_conn_set_idle(f->c, 1000);
    net_conn_set_deadline(f->c, 2000);
    for (int i = 0; i < 6; i++) {
        run(f, 300);
        loop_stream_write(f->peer, "x", 1);
    }
    assert_int_equal(f->ends, 0);
    run(f, 300);
    assert_int_equal(f->end_err, ERR_TIMEOUT);
}

static void deadline_and_idle_are_taken_back(void **state)
{
    struct fixture *f = *state;
    net_conn_set_idle(f->c, 1000);
    net_conn_set_deadline(f->c, 2000);
    net_conn_set_idle(f->c, 0);
    net_conn_set_deadline(f->c, 0);
    run(f, 10000);
    assert_int_equal(f->ends, 0);
}

static void peers_end_still_takes_replies(void **state)
{
    struct fixture *f = *state;
    loop_stream_write(f->peer, "QUIT", 4);
    loop_stream_close(f->peer, 1000);
    f->peer = NULL;
    run(f, 100);
    assert_str(buf_str(&f->got), "QUIT");
    assert_int_equal(f->end_err, ERR_CLOSED);
    write_zeros(f, 3);
    run(f, 5000);
    assert_int_equal(f->ends, 1);
}

static void broken_stream_ends(void **state)
{
    struct fixture *f = *state;
    net_conn_want_input(f->c, false);
    loop_stream_read_stop(f->peer);
    write_zeros(f, BIG_BYTES);
    run(f, 100);
    loop_stream_free(f->peer);
    f->peer = NULL;
    run(f, 100);
    assert_int_equal(f->ends, 1);
    assert_true(f->end_err < 0);
    assert_int_equal(net_conn_pending(f->c), 0);
}

static void closed_in_its_input(void **state)
{
    struct fixture *f = *state;
    f->free_on_input = true;
    loop_stream_write(f->peer, "x", 1);
    run(f, 100);
    assert_null(f->c);
    assert_int_equal(f->gone, 1);
    assert_int_equal(f->peer_bytes, 4);
    assert_int_equal(f->peer_err, ERR_CLOSED);
    assert_int_equal(f->ends, 0);
}

static void close_sends_what_waits(void **state)
{
    struct fixture *f = *state;
    write_zeros(f, BIG_BYTES);
    net_conn_close(f->c, 5000);
    f->c = NULL;
    run(f, 4000);
    assert_int_equal(f->peer_bytes, BIG_BYTES);
    assert_int_equal(f->peer_err, ERR_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(input_and_replies),
        TEST(marks_tell_full_and_room),
        TEST(full_for_a_moment_gets_room),
        TEST(full_output_stops_input),
        TEST(unwanted_input_waits),
        TEST(idle_ends_without_activity),
        TEST(deadline_ends_in_spite_of_activity),
        TEST(deadline_and_idle_are_taken_back),
        TEST(peers_end_still_takes_replies),
        TEST(broken_stream_ends),
        TEST(closed_in_its_input),
        TEST(close_sends_what_waits),
    };
    return cmocka_run_group_tests_name("net conn", tests, NULL, NULL);
}
