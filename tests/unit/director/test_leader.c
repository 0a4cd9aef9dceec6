/* The leader with views of our own making: what it must not do with them. What
 * it does with true ones is in test_role.c. */
#include "director/leader.h"

#include "base/log.h"
#include "bench.h"
#include "unit/store/wrap_network.h"

static struct config_site sites[] = {{"east"}};
static struct config_server servers[] = {{.name = "mail1", .kind = SERVER_EXTERNAL, .site = sites}};
static const struct config config = {
    .sites = sites, .site_count = 1, .servers = servers, .server_count = 1, .lease_ms = BENCH_LEASE_MS};

/* An external server that is not yet recorded: the leader adopts it. */
struct world {
    struct bench bench;
    struct leader *leader;
    struct addr address;
};

static int written; /* transactions that were asked for */

/* Every write passes here: linked with --wrap. */
struct store_op *__wrap_network_write(struct network *n, const struct network_change *changes, size_t count,
                                      const struct network_lease *guard,
                                      void (*on_write)(void *arg, int err, size_t failed), void *arg)
{
    written++;
    return __real_network_write(n, changes, count, guard, on_write, arg);
}

static void on_refresh(void *arg)
{
    (void)arg;
}

static void init(struct world *w)
{
    bench_init(&w->bench, "director");
    assert_ok(addr_parse_ip(STR("127.1.0.10"), 0, &w->address));
    servers[0].address.addrs = &w->address;
    servers[0].address.count = 1;
    written = 0;
    w->leader = leader_new(w->bench.loop, &(struct leader_options){.config = &config,
                                                                   .network = store_network(w->bench.store),
                                                                   .lease = w->bench.lease,
                                                                   .refresh = on_refresh,
                                                                   .arg = w});
}

static void fini(struct world *w)
{
    leader_free(w->leader);
    bench_fini(&w->bench);
}

static struct view empty_view(struct world *w)
{
    return (struct view){.read_at = loop_now(w->bench.loop)};
}

static void adopts_what_runs(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    struct view view = empty_view(&w);
    leader_on_view(w.leader, &view);
    assert_int_equal(bench_version(&w.bench, "server", "mail1"), 1);
    fini(&w);
}

static void writes_nothing_when_another_holds_the_lease(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    bench_steal(&w.bench, "director");
    struct view view = empty_view(&w);
    leader_on_view(w.leader, &view);
    assert_int_equal(bench_version(&w.bench, "server", "mail1"), 0);
    assert_int_equal(w.bench.lost, 1);
    assert_false(lease_is_held(w.bench.lease));
    fini(&w);
}

static void does_not_act_on_a_view_from_before_its_last_write(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    struct view old = empty_view(&w);
    leader_on_view(w.leader, &old);
    leader_on_view(w.leader, &old); /* nor while it is written */
    assert_int_equal(written, 1);
    bench_run(&w.bench);
    leader_on_view(w.leader, &old);
    bench_run(&w.bench);
    assert_int_equal(written, 1);
    struct view as_if_new = empty_view(&w); /* tried, and refused for the record's version */
    leader_on_view(w.leader, &as_if_new);
    bench_run(&w.bench);
    assert_int_equal(written, 2);
    assert_int_equal(bench_version(&w.bench, "server", "mail1"), 1);
    fini(&w);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adopts_what_runs),
        cmocka_unit_test(writes_nothing_when_another_holds_the_lease),
        cmocka_unit_test(does_not_act_on_a_view_from_before_its_last_write),
    };
    return cmocka_run_group_tests_name("director leader", tests, NULL, NULL);
}
