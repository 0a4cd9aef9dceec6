#include "director/prune.h"

#include "loop/sim.h"
#include "store/memory.h"
#include "store/store.h"
#include "unit/unit.h"

#define EVENTS    250 /* more than two steps */
#define MINUTE_MS 60000

struct node {
    struct sim_world *sim;
    struct store_memory *device;
    struct loop *loop;
    struct store *store;
    struct lease *lease;
    struct prune *prune;
    struct config config;
    size_t seen;
};

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

static void on_lease(void *arg)
{
    (void)arg;
}

static void run_ms(struct node *n, int64_t ms)
{
    sim_run_until(n->sim, mono_add_ms(sim_now(n->sim), ms));
}

/* leads: whether it, or another, is the director that leads. */
static void start(struct node *n, bool leads, int64_t events_max, int64_t events_age_ms)
{
    *n = (struct node){.sim = sim_world_new(1)};
    n->config = (struct config){.events_max = events_max, .events_age_ms = events_age_ms};
    n->device = store_memory_new(device_clock, n->sim);
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = n->device};
    n->loop = sim_loop_new(n->sim, "a", "a");
    assert_ok(store_open(n->loop, &options, &n->store, NULL));
    if (!leads)
        network_lease_take(store_network(n->store), STR("director"), STR("b"), 0, 1000 * MINUTE_MS, NULL,
                           NULL);
    n->lease = lease_new(n->loop, store_network(n->store), STR("director"), STR("a"), 2500,
                         &(struct lease_ops){on_lease, on_lease}, n);
    struct network_change event = {NETWORK_EVENT, STR("failover"), STR("mail1"), STR("{}"), 0};
    for (int i = 0; i < EVENTS; i++)
        network_write(store_network(n->store), &event, 1, NULL, NULL, NULL);
    n->prune = prune_new(n->loop, store_network(n->store), n->lease, &n->config);
}

static void on_events(void *arg, int err, const struct network_event *events, size_t count)
{
    (void)events;
    assert_ok(err);
    ((struct node *)arg)->seen = count;
}

static size_t left(struct node *n)
{
    network_events(store_network(n->store), 0, 1000, on_events, n);
    run_ms(n, 100);
    return n->seen;
}

static void end(struct node *n)
{
    prune_free(n->prune);
    lease_free(n->lease);
    store_close(n->store);
    sim_loop_free(n->loop);
    store_memory_free(n->device);
    sim_world_free(n->sim);
}

static void what_is_too_many_goes(void **state)
{
    (void)state;
    struct node n;
    start(&n, true, 10, 90 * MINUTE_MS);
    run_ms(&n, 2 * MINUTE_MS);
    assert_int_equal(left(&n), 10);
    end(&n);
}

static void what_is_too_old_goes(void **state)
{
    (void)state;
    struct node n;
    start(&n, true, 1000, 30 * MINUTE_MS);
    run_ms(&n, 20 * MINUTE_MS);
    assert_int_equal(left(&n), EVENTS);
    run_ms(&n, 20 * MINUTE_MS);
    assert_int_equal(left(&n), 0);
    end(&n);
}

static void who_does_not_lead_forgets_nothing(void **state)
{
    (void)state;
    struct node n;
    start(&n, false, 10, MINUTE_MS);
    run_ms(&n, 10 * MINUTE_MS);
    assert_int_equal(left(&n), EVENTS);
    end(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_too_many_goes),
        cmocka_unit_test(what_is_too_old_goes),
        cmocka_unit_test(who_does_not_lead_forgets_nothing),
    };
    return cmocka_run_group_tests_name("director prune", tests, NULL, NULL);
}
