#include "net/listener.h"

#include "base/mem.h"
#include "loop/sim.h"
#include "unit/unit.h"

#define CLIENTS_MAX 400

struct client {
    struct fixture *fixture;
    struct loop_stream *s;
    char text[64];
    size_t len;
    bool ended;
};

struct fixture {
    struct sim_world *w;
    struct loop *l;
    struct net_listener *li;
    struct addr at[2];
    struct net_conn *conns[CLIENTS_MAX];
    size_t accepted, refused;
    enum net_refusal why;
    struct client clients[CLIENTS_MAX];
    size_t client_count;
};

static void on_input(void *arg, const char *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
}

static void on_end(void *arg, int err)
{
    (void)arg;
    (void)err;
}

static const struct net_conn_ops conn_ops = {.on_input = on_input, .on_end = on_end};

static void on_accept(void *arg, struct net_conn *c, const struct addr *peer)
{
    (void)peer;
    struct fixture *f = arg;
    net_conn_set_ops(c, &conn_ops, f);
    f->conns[f->accepted++] = c;
}

static void on_refuse(void *arg, enum net_refusal why, const struct addr *peer, struct buf *reply)
{
    (void)peer;
    struct fixture *f = arg;
    f->refused++;
    f->why = why;
    assert_ok(buf_append_text(reply, "421 too many\r\n"));
}

static const struct net_listener_ops ops = {.on_accept = on_accept, .on_refuse = on_refuse};

static void client_on_read(void *arg, const char *data, size_t len, int err)
{
    struct client *c = arg;
    c->ended |= err != 0;
    assert_true(c->len + len < sizeof(c->text));
    if (len > 0)
        memcpy(c->text + c->len, data, len);
    c->len += len;
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct client *c = arg;
    assert_int_equal(err, 0);
    c->s = s;
    loop_stream_read_start(s, client_on_read, c);
}

static struct client *client_new(struct fixture *f, const char *from, int place)
{
    struct client *c = &f->clients[f->client_count++];
    struct addr a;
    struct loop_connect *connect;
    assert_ok(addr_parse_ip(str_from(from), 0, &a));
    loop_connect(f->l, &f->at[place], &a, 1000, on_connect, c, &connect);
    return c;
}

static void tick(void *arg)
{
    (void)arg;
}

static void run(struct fixture *f, int64_t ms)
{
    sim_at(f->w, ms, tick, NULL);
    struct mono_time until = mono_add_ms(sim_now(f->w), ms);
    sim_run_until(f->w, until);
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    f->w = sim_world_new(9);
    f->l = sim_loop_new(f->w, "host", "test");
    f->li = net_listener_new(f->l, 3, 2, &ops, f);
    assert_ok(addr_parse(STR("10.0.0.1:25"), &f->at[0]));
    assert_ok(addr_parse(STR("10.0.0.1:587"), &f->at[1]));
    assert_ok(net_listener_add(f->li, &f->at[0], NULL));
    assert_ok(net_listener_add(f->li, &f->at[1], NULL));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    net_listener_free(f->li);
    for (size_t i = 0; i < f->accepted; i++)
        net_conn_free(f->conns[i]);
    for (size_t i = 0; i < f->client_count; i++)
        loop_stream_free(f->clients[i].s);
    sim_loop_free(f->l);
    sim_world_free(f->w);
    free(f);
    return 0;
}

static void one_client_too_often(void **state)
{
    struct fixture *f = *state;
    client_new(f, "10.9.0.1", 0);
    client_new(f, "10.9.0.1", 1);
    run(f, 100);
    struct client *third = client_new(f, "10.9.0.1", 0);
    run(f, 100);
    assert_int_equal(f->accepted, 2);
    assert_int_equal(f->refused, 1);
    assert_int_equal(f->why, NET_REFUSED_CLIENT);
    assert_string_equal(third->text, "421 too many\r\n");
    assert_true(third->ended);
    client_new(f, "10.9.0.2", 0);
    run(f, 100);
    assert_int_equal(f->accepted, 3);
}

static void too_many_in_all(void **state)
{
    struct fixture *f = *state;
    client_new(f, "10.9.0.1", 0);
    client_new(f, "10.9.0.2", 1);
    client_new(f, "10.9.0.3", 0);
    run(f, 100);
    client_new(f, "10.9.0.4", 1);
    run(f, 100);
    assert_int_equal(f->accepted, 3);
    assert_int_equal(f->why, NET_REFUSED_TOTAL);
    assert_int_equal(net_listener_connections(f->li), 3);
}

static void a_closed_connection_makes_room(void **state)
{
    struct fixture *f = *state;
    client_new(f, "10.9.0.1", 0);
    client_new(f, "10.9.0.1", 0);
    run(f, 100);
    net_conn_close(f->conns[0], 1000);
    f->conns[0] = NULL;
    assert_int_equal(net_listener_connections(f->li), 1);
    client_new(f, "10.9.0.1", 0);
    run(f, 100);
    assert_int_equal(f->refused, 0);
    assert_int_equal(f->accepted, 3);
}

static void a_flood_is_refused_without_words(void **state)
{
    struct fixture *f = *state;
    size_t answered = 0;
    sim_net_latency(f->w, 0, 0);
    for (int i = 0; i < 300; i++)
        client_new(f, "10.9.0.1", 0);
    run(f, 500);
    for (size_t i = 0; i < f->client_count; i++)
        answered += f->clients[i].len > 0;
    assert_int_equal(f->refused, 298);
    assert_int_equal(answered, 100);
    run(f, 1000);
    struct client *later = client_new(f, "10.9.0.1", 0);
    run(f, 100);
    assert_true(later->len > 0);
}

static void paused_at_all_places(void **state)
{
    struct fixture *f = *state;
    net_listener_pause(f->li, true);
    client_new(f, "10.9.0.1", 0);
    client_new(f, "10.9.0.1", 1);
    run(f, 100);
    assert_int_equal(f->accepted, 0);
    net_listener_pause(f->li, false);
    run(f, 100);
    assert_int_equal(f->accepted, 2);
}

static void connections_outlive_their_listener(void **state)
{
    struct fixture *f = *state;
    struct client *client = client_new(f, "10.9.0.1", 0);
    run(f, 100);
    net_listener_free(f->li);
    f->li = NULL;
    net_conn_write(f->conns[0], "still", 5);
    run(f, 100);
    assert_string_equal(client->text, "still");
}

static void listening_twice_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct err_buf eb;
    assert_err(net_listener_add(f->li, &f->at[0], &eb), ERR_BUSY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_client_too_often),           TEST(too_many_in_all),
        TEST(a_closed_connection_makes_room), TEST(a_flood_is_refused_without_words),
        TEST(paused_at_all_places),           TEST(connections_outlive_their_listener),
        TEST(listening_twice_is_an_error),
    };
    return cmocka_run_group_tests_name("net listener", tests, NULL, NULL);
}
