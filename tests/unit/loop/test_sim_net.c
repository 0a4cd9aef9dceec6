/* The simulated network: two hosts, a stream between them, and its troubles. */
#include "base/mem.h"
#include "loop/sim.h"
#include "unit/unit.h"

#define SERVER_AT "10.1.0.1:25"

struct party {
    struct loop *l;
    struct loop_stream *s;
    int connects, connect_err;
    size_t read_bytes;
    int ends, end_err;
    int drains, drain_err;
};

struct net {
    struct sim_world *w;
    struct party client, server;
    struct loop_listener *li;
    struct loop_connect *connect;
    struct addr at;
};

static void on_read(void *arg, const char *data, size_t len, int err)
{
    (void)data;
    struct party *p = arg;
    p->read_bytes += len;
    if (err) {
        p->ends++;
        p->end_err = err;
    }
}

static void on_drain(void *arg, int err)
{
    struct party *p = arg;
    p->drains++;
    p->drain_err = err;
}

static void party_take(struct party *p, struct loop_stream *s)
{
    p->s = s;
    loop_stream_on_drain(s, on_drain, p);
    loop_stream_read_start(s, on_read, p);
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)peer;
    struct net *n = arg;
    if (n->server.s)
        loop_stream_free(s);
    else
        party_take(&n->server, s);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct net *n = arg;
    n->client.connects++;
    n->client.connect_err = err;
    if (s)
        party_take(&n->client, s);
}

static void net_connect(struct net *n, int64_t timeout_ms)
{
    loop_connect(n->client.l, &n->at, NULL, timeout_ms, on_connect, n, &n->connect);
}

static void net_run(struct net *n, int64_t ms)
{
    sim_run_until(n->w, mono_add_ms(sim_now(n->w), ms));
    sim_at(n->w, 0, (void (*)(void *))free, NULL); /* so that time goes on without events */
}

static void net_init(struct net *n, uint64_t seed)
{
    *n = (struct net){.w = sim_world_new(seed)};
    n->client.l = sim_loop_new(n->w, "a", "client");
    n->server.l = sim_loop_new(n->w, "b", "server");
    assert_ok(addr_parse(STR(SERVER_AT), &n->at));
    assert_ok(loop_listen(n->server.l, &n->at, on_accept, n, &n->li, NULL));
}

static int setup(void **state)
{
    struct net *n = mem_alloc(sizeof(*n));
    net_init(n, 11);
    *state = n;
    return 0;
}

static int setup_connected(void **state)
{
    setup(state);
    struct net *n = *state;
    net_connect(n, 1000);
    net_run(n, 100);
    assert_non_null(n->client.s);
    assert_non_null(n->server.s);
    return 0;
}

static void net_fini(struct net *n)
{
    loop_stream_free(n->client.s);
    loop_stream_free(n->server.s);
    loop_listener_free(n->li);
    sim_loop_free(n->client.l);
    sim_loop_free(n->server.l);
    sim_world_free(n->w);
}

static int teardown(void **state)
{
    net_fini(*state);
    free(*state);
    return 0;
}

static void send_bytes(struct party *p, size_t len)
{
    char *data = mem_zalloc(len);
    loop_stream_write(p->s, data, len);
    free(data);
}

/* ---- connecting ---- */

static void connect_over_a_cut_times_out(void **state)
{
    struct net *n = *state;
    sim_net_cut(n->w, "a", "b", true);
    net_connect(n, 500);
    net_run(n, 499);
    assert_int_equal(n->client.connects, 0);
    net_run(n, 2);
    assert_int_equal(n->client.connect_err, ERR_TIMEOUT);
}

static void connect_over_a_cut_way_back_times_out(void **state)
{
    struct net *n = *state;
    sim_net_cut(n->w, "b", "a", true);
    net_connect(n, 500);
    net_run(n, 501);
    assert_int_equal(n->client.connect_err, ERR_TIMEOUT);
}

static void connect_outlives_a_short_cut(void **state)
{
    struct net *n = *state;
    sim_net_isolate(n->w, "b", true);
    net_connect(n, 5000);
    net_run(n, 500);
    sim_net_isolate(n->w, "b", false);
    net_run(n, 2000);
    assert_int_equal(n->client.connects, 1);
    assert_non_null(n->client.s);
}

static void connect_to_a_dead_process_is_refused(void **state)
{
    struct net *n = *state;
    sim_loop_kill(n->server.l);
    net_connect(n, 500);
    net_run(n, 100);
    assert_int_equal(n->client.connect_err, ERR_REFUSED);
}

static void connect_to_a_frozen_process_waits_in_its_backlog(void **state)
{
    struct net *n = *state;
    sim_loop_freeze(n->server.l, true);
    net_connect(n, 500);
    net_run(n, 1000);
    assert_non_null(n->client.s);
    assert_null(n->server.s);
    send_bytes(&n->client, 10);
    net_run(n, 100);
    sim_loop_freeze(n->server.l, false);
    net_run(n, 100);
    assert_int_equal(n->server.read_bytes, 10);
}

/* From its own address, with a port that is nobody's yet. */
static void listening_host_connects_from_its_address(void **state)
{
    struct net *n = *state;
    struct addr at, from;
    struct loop_listener *li;
    assert_ok(addr_parse(STR("10.2.0.2:25"), &at));
    assert_ok(loop_listen(n->client.l, &at, on_accept, n, &li, NULL));
    net_connect(n, 1000);
    net_run(n, 100);
    loop_stream_local(n->client.s, &from);
    assert_true(addr_ip_eq(&from, &at));
    assert_int_not_equal(addr_port(&from), addr_port(&at));
    loop_listener_free(li);
}

/* A second host takes the address over while the first is cut off. */
static void address_moves_to_its_last_listener(void **state)
{
    struct net *n = *state;
    struct loop *l = sim_loop_new(n->w, "c", "server");
    struct loop_listener *li;
    struct net taken = {.w = n->w};
    sim_net_isolate(n->w, "b", true);
    assert_ok(loop_listen(l, &n->at, on_accept, &taken, &li, NULL));
    net_connect(n, 500);
    net_run(n, 100);
    assert_non_null(taken.server.s);
    assert_null(n->server.s);
    loop_stream_free(taken.server.s);
    loop_listener_free(li);
    sim_loop_free(l);
}

/* ---- streams ---- */

static void window_is_bounded(void **state)
{
    struct net *n = *state;
    loop_stream_read_stop(n->server.s);
    send_bytes(&n->client, 300 * 1024);
    net_run(n, 1000);
    assert_int_equal(loop_stream_pending(n->client.s), (300 - 256) * 1024);
    loop_stream_read_start(n->server.s, on_read, &n->server);
    net_run(n, 1000);
    assert_int_equal(n->server.read_bytes, 300 * 1024);
    assert_int_equal(n->client.drains, 1);
}

static void count_reads(void *arg, const char *data, size_t len, int err)
{
    (void)data;
    (void)len;
    (void)err;
    ++*(int *)arg;
}

static void streams_are_split_anywhere(void **state)
{
    struct net *n = *state;
    int reads = 0;
    loop_stream_read_start(n->server.s, count_reads, &reads);
    for (int i = 0; i < 20; i++)
        send_bytes(&n->client, 1000);
    net_run(n, 1000);
    assert_true(reads > 1 && reads != 20);
}

static void cut_holds_data_until_healed(void **state)
{
    struct net *n = *state;
    sim_net_cut(n->w, "a", "b", true);
    send_bytes(&n->client, 1000);
    send_bytes(&n->server, 10);
    net_run(n, 10000);
    assert_int_equal(n->server.read_bytes, 0);
    assert_int_equal(n->client.read_bytes, 10);
    sim_net_cut(n->w, "a", "b", false);
    send_bytes(&n->client, 1000);
    net_run(n, 100);
    assert_int_equal(n->server.read_bytes, 2000);
}

static void read_and_compare(void *arg, const char *data, size_t len, int err)
{
    struct party *p = arg;
    assert_int_equal(err, 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal((unsigned char)data[i], (p->read_bytes + i) % 251);
    p->read_bytes += len;
}

static void cuts_keep_the_order(void **state)
{
    struct net *n = *state;
    unsigned char data[251];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)i;
    loop_stream_read_start(n->server.s, read_and_compare, &n->server);
    for (int i = 0; i < 500; i++) {
        loop_stream_write(n->client.s, data, sizeof(data));
        sim_net_cut(n->w, "a", "b", sim_random_below(n->w, 2));
        net_run(n, 1);
    }
    sim_net_cut(n->w, "a", "b", false);
    net_run(n, 1000);
    assert_int_equal(n->server.read_bytes, 500 * sizeof(data));
}

static void kill_ends_streams_at_the_peers(void **state)
{
    (void)state;
    int resets = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net n;
        net_init(&n, seed);
        net_connect(&n, 1000);
        net_run(&n, 100);
        send_bytes(&n.server, 10);
        sim_loop_kill(n.server.l);
        net_run(&n, 100);
        assert_int_equal(n.client.ends, 1);
        assert_int_equal(n.client.read_bytes, 10); /* its kernel had them */
        assert_int_equal(n.server.ends, 0);
        resets += n.client.end_err == ERR_IO;
        net_fini(&n);
    }
    assert_in_range(resets, 1, 19);
}

/* A machine that dies while it is cut off says nothing: only writing tells. */
static void death_behind_a_cut_is_found_by_writing(void **state)
{
    struct net *n = *state;
    sim_net_isolate(n->w, "b", true);
    send_bytes(&n->client, 5);
    net_run(n, 10);
    loop_stream_read_stop(n->server.s);
    send_bytes(&n->server, 300 * 1024); /* unsent, so that its end is a reset */
    sim_loop_kill(n->server.l);
    net_run(n, 1000);
    assert_int_equal(n->client.ends, 0);
    sim_net_isolate(n->w, "b", false);
    net_run(n, 1000);
    assert_int_equal(n->client.ends, 1);
}

static void reset_reaches_both_ends(void **state)
{
    struct net *n = *state;
    send_bytes(&n->client, 1000); /* does not arrive after the end */
    assert_true(sim_net_reset_one(n->w));
    net_run(n, 10);
    assert_int_equal(n->server.read_bytes, 0);
    assert_int_equal(n->client.end_err, ERR_IO);
    assert_int_equal(n->server.end_err, ERR_IO);
    send_bytes(&n->client, 1);
    net_run(n, 10);
    assert_int_equal(n->client.drain_err, ERR_CLOSED);
    assert_int_equal(n->client.drains, 1);
}

static void nothing_to_reset(void **state)
{
    struct net *n = *state;
    assert_false(sim_net_reset_one(n->w));
}

static void what_was_accepted_is_reset(void **state)
{
    struct net *n = *state;
    send_bytes(&n->server, 1000); /* is not heard any more */
    assert_true(sim_net_reset_accepted(n->server.l));
    net_run(n, 10);
    assert_int_equal(n->client.read_bytes, 0);
    assert_int_equal(n->client.end_err, ERR_IO);
    assert_int_equal(n->server.end_err, ERR_IO);
}

static void what_was_connected_is_not(void **state)
{
    struct net *n = *state;
    assert_false(sim_net_reset_accepted(n->client.l));
    send_bytes(&n->client, 1000);
    net_run(n, 10);
    assert_int_equal(n->server.read_bytes, 1000);
}

static void latency_is_in_its_range(void **state)
{
    struct net *n = *state;
    sim_net_latency(n->w, 20000, 20000);
    send_bytes(&n->client, 1);
    net_run(n, 19);
    assert_int_equal(n->server.read_bytes, 0);
    net_run(n, 2);
    assert_int_equal(n->server.read_bytes, 1);
}

/* ---- the same seed, the same run ---- */

static uint64_t run_of(uint64_t seed)
{
    struct net n;
    net_init(&n, seed);
    net_connect(&n, 1000);
    net_run(&n, 100);
    for (int i = 0; i < 50; i++) {
        send_bytes(&n.client, 1 + (size_t)sim_random_below(n.w, 20000));
        sim_net_cut(n.w, "b", "a", i % 3 == 0);
        sim_loop_freeze(n.server.l, i % 7 == 0);
        net_run(&n, (int64_t)sim_random_below(n.w, 5));
    }
    sim_loop_kill(n.server.l);
    net_run(&n, 1000);
    uint64_t hash = sim_trace_hash(n.w);
    net_fini(&n);
    return hash;
}

static void same_seed_same_run(void **state)
{
    (void)state;
    uint64_t first = run_of(1);
    void *shift = mem_alloc(100000); /* other addresses than before */
    assert_true(run_of(1) == first);
    free(shift);
    assert_true(run_of(2) != first);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CONNECTED(name) cmocka_unit_test_setup_teardown(name, setup_connected, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(connect_over_a_cut_times_out),
        TEST(connect_over_a_cut_way_back_times_out),
        TEST(connect_outlives_a_short_cut),
        TEST(connect_to_a_dead_process_is_refused),
        TEST(connect_to_a_frozen_process_waits_in_its_backlog),
        TEST(listening_host_connects_from_its_address),
        TEST(address_moves_to_its_last_listener),
        CONNECTED(window_is_bounded),
        CONNECTED(streams_are_split_anywhere),
        CONNECTED(cut_holds_data_until_healed),
        CONNECTED(cuts_keep_the_order),
        cmocka_unit_test(kill_ends_streams_at_the_peers),
        CONNECTED(death_behind_a_cut_is_found_by_writing),
        CONNECTED(reset_reaches_both_ends),
        CONNECTED(what_was_accepted_is_reset),
        CONNECTED(what_was_connected_is_not),
        TEST(nothing_to_reset),
        CONNECTED(latency_is_in_its_range),
        cmocka_unit_test(same_seed_same_run),
    };
    return cmocka_run_group_tests_name("loop sim_net", tests, NULL, NULL);
}
