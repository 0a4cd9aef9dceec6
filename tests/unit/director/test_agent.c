/* A node's agent with views of our own making: each order is carried out once,
 * and only by whoever is the node. */
#include "director/agent.h"

#include "base/log.h"
#include "bench.h"
#include "director/orders.h"

#define KEY      "mail1/0000000001/destroy/2"
#define SITE_KEY "west/0000000000/fence-site/0"

static struct config_server servers[] = {{.name = "mail1", .kind = SERVER_BUILTIN}};
static struct config_site sites[] = {{.name = "west"}};
static struct config_node nodes[] = {{.name = "west1", .site = sites}};
static const struct config config = {.path = "/sim/conf",
                                     .state_dir = "/sim/state",
                                     .sites = sites,
                                     .site_count = 1,
                                     .nodes = nodes,
                                     .node_count = 1,
                                     .servers = servers,
                                     .server_count = 1};

struct world {
    struct bench bench;
    struct agent *agent;
    struct arena arena;
    struct view_order order;
    struct view_lease lease; /* of the site's node */
    int runs;
};

static void on_spawn(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec)
{
    struct world *w = arg;
    w->runs++;
    if (str_eq(w->order.record.verb, STR(ORDER_FENCE_SITE))) {
        assert_string_equal(spec->argv[0], "/agent");
        assert_null(spec->argv[1]);
        assert_str(spec->input, "action=off\nplug=west\n");
        sim_spawn_done(s, 0, STR_EMPTY);
        return;
    }
    assert_string_equal(spec->argv[1], ORDER_DESTROY);
    sim_spawn_done(s, 0, STR("{}"));
}

static void on_put(void *arg, int err, size_t failed)
{
    (void)arg, (void)failed;
    assert_ok(err);
}

static void store_order(struct world *w)
{
    char *json = record_order_encode(&w->order.record);
    struct network_change change = {
        .type = NETWORK_PUT, .kind = STR("order"), .key = w->order.key, .value = str_from(json)};
    network_write(store_network(w->bench.store), &change, 1, NULL, on_put, NULL);
    bench_run(&w->bench);
    free(json);
}

/* An order to destroy, as the director would have left it in the store. */
static void put_order(struct world *w)
{
    struct order_args args = {.server = STR("mail1"),
                              .program = STR("process"),
                              .node = STR("east1"),
                              .epoch = 1,
                              .timeout_ms = 5000};
    w->order = (struct view_order){.key = STR(KEY),
                                   .version = 1,
                                   .record = {.target = STR("node/east1"),
                                              .verb = STR(ORDER_DESTROY),
                                              .subject = STR("mail1"),
                                              .args = order_args_encode(&w->arena, &args),
                                              .state = STR("new")}};
    store_order(w);
}

static void init(struct world *w)
{
    static const struct program_options options = {
        .config = &config, .self = "/sim/holdfast", .lifeline_fd = -1};
    bench_init(&w->bench, "node/east1");
    arena_init(&w->arena, 1 << 16);
    w->runs = 0;
    w->lease = (struct view_lease){STR("node/west1"), STR("west1"), 1, -60000};
    sim_loop_on_spawn(w->bench.loop, on_spawn, w);
    w->agent = agent_new(w->bench.loop, store_network(w->bench.store), w->bench.lease, "east1", &options);
    put_order(w);
}

static void fini(struct world *w)
{
    agent_free(w->agent);
    arena_fini(&w->arena);
    bench_fini(&w->bench);
}

static void look(struct world *w, int64_t version, const char *state)
{
    struct view view = {.orders = &w->order,
                        .order_count = 1,
                        .leases = &w->lease,
                        .lease_count = 1,
                        .read_at = loop_now(w->bench.loop)};
    w->order.version = version;
    w->order.record.state = str_from(state);
    agent_on_view(w->agent, &view);
    bench_run(&w->bench);
}

static void carries_an_order_out_once(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    look(&w, 1, "new");
    bench_run(&w.bench);
    assert_int_equal(w.runs, 1);
    assert_int_equal(bench_version(&w.bench, "order", KEY), 3); /* taken, then done */
    look(&w, 1, "new"); /* views that were read before: they come late */
    look(&w, 2, "taken");
    assert_int_equal(w.runs, 1);
    look(&w, 3, "done");
    assert_int_equal(w.runs, 1);
    assert_int_equal(bench_version(&w.bench, "order", KEY), 3);
    fini(&w);
}

static void carries_out_again_what_it_had_taken_before_it_died(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    look(&w, 1, "taken");
    assert_int_equal(w.runs, 1);
    fini(&w);
}

static void runs_nothing_when_another_is_the_node(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    bench_steal(&w.bench, "node/east1");
    look(&w, 1, "new");
    assert_int_equal(w.runs, 0);
    assert_int_equal(w.bench.lost, 1);
    assert_int_equal(bench_version(&w.bench, "order", KEY), 1);
    fini(&w);
}

/* Another order: to fence the west. */
static void make_it_fence_the_site(struct world *w)
{
    struct order_args args = {.program = STR("/agent"), .site = STR("west"), .timeout_ms = 5000};
    w->order.key = STR(SITE_KEY);
    w->order.record.verb = STR(ORDER_FENCE_SITE);
    w->order.record.subject = args.site;
    w->order.record.args = order_args_encode(&w->arena, &args);
    store_order(w);
}

static void turns_a_site_off(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    make_it_fence_the_site(&w);
    look(&w, 1, "new");
    bench_run(&w.bench);
    assert_int_equal(w.runs, 1);
    assert_int_equal(bench_version(&w.bench, "order", SITE_KEY), 3); /* taken, then done */
    fini(&w);
}

/* Nothing is left that would take it later. */
static void turns_no_site_off_without_its_lease(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    make_it_fence_the_site(&w);
    bench_steal(&w.bench, "node/east1");
    look(&w, 1, "new");
    assert_int_equal(w.runs, 0);
    w.lease.remaining_ms = 1000;
    w.order.key = STR("west/0000000000/fence-site/1"); /* another order of the same site is looked at */
    look(&w, 1, "taken");
    assert_int_equal(w.runs, 0);
    assert_int_equal(bench_version(&w.bench, "order", SITE_KEY), 1);
    fini(&w);
}

static void turns_no_site_off_that_lives_again(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    make_it_fence_the_site(&w);
    w.lease.remaining_ms = 1000;
    look(&w, 1, "taken"); /* by a process of this node that died since */
    assert_int_equal(w.runs, 0);
    assert_int_equal(bench_version(&w.bench, "order", SITE_KEY), 2); /* failed */
    fini(&w);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_an_order_out_once),
        cmocka_unit_test(carries_out_again_what_it_had_taken_before_it_died),
        cmocka_unit_test(runs_nothing_when_another_is_the_node),
        cmocka_unit_test(turns_a_site_off),
        cmocka_unit_test(turns_no_site_off_without_its_lease),
        cmocka_unit_test(turns_no_site_off_that_lives_again),
    };
    return cmocka_run_group_tests_name("director agent", tests, NULL, NULL);
}
