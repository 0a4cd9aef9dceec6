#include "store/lease.h"

#include "loop/sim.h"
#include "store/memory.h"
#include "store/store.h"
#include "unit/unit.h"

#define TTL_MS 2500

struct holder {
    struct loop *loop;
    struct store *store;
    struct lease *lease;
    int held, lost, taken;
};

struct world {
    struct sim_world *sim;
    struct store_memory *device;
    struct holder a, b;
};

static struct mono_time device_clock(void *arg)
{
    return sim_now(arg);
}

static void on_held(void *arg)
{
    ((struct holder *)arg)->held++;
}

static void on_lost(void *arg)
{
    ((struct holder *)arg)->lost++;
}

static void on_taken(void *arg)
{
    ((struct holder *)arg)->taken++;
}

static void start(struct world *w, struct holder *h, const char *name)
{
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = w->device};
    h->loop = sim_loop_new(w->sim, name, name);
    assert_ok(store_open(h->loop, &options, &h->store, NULL));
    h->lease = lease_new(h->loop, store_network(h->store), STR("director"), str_from(name), TTL_MS,
                         &(struct lease_ops){on_held, on_lost, on_taken}, h);
}

static void run_ms(struct world *w, int64_t ms)
{
    sim_run_until(w->sim, mono_add_ms(sim_now(w->sim), ms));
}

static void end(struct world *w, struct holder *h, bool kill)
{
    if (kill)
        sim_loop_kill(h->loop);
    lease_free(h->lease);
    if (!kill)
        run_ms(w, 50); /* the store takes it */
    store_close(h->store);
    sim_loop_free(h->loop);
    *h = (struct holder){0};
}

static void init(struct world *w)
{
    *w = (struct world){.sim = sim_world_new(1)};
    w->device = store_memory_new(device_clock, w->sim);
}

static void fini(struct world *w)
{
    store_memory_free(w->device);
    sim_world_free(w->sim);
}

/* Never both; asked at every millisecond. */
static void run_never_both(struct world *w, int64_t ms)
{
    for (int64_t i = 0; i < ms; i++) {
        run_ms(w, 1);
        assert_false(lease_is_held(w->a.lease) && lease_is_held(w->b.lease));
    }
}

static void one_holds_and_renews(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    start(&w, &w.a, "a");
    run_ms(&w, 100);
    start(&w, &w.b, "b");
    run_ms(&w, 20 * TTL_MS);
    assert_true(lease_is_held(w.a.lease));
    assert_false(lease_is_held(w.b.lease));
    assert_int_equal(w.a.held, 1);
    assert_int_equal(w.a.lost, 0);
    assert_int_equal(w.a.taken, 0);
    assert_true(w.b.taken > 0);
    end(&w, &w.a, false);
    end(&w, &w.b, false);
    fini(&w);
}

static void another_takes_it_when_the_holder_dies(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    start(&w, &w.a, "a");
    run_ms(&w, 100);
    start(&w, &w.b, "b");
    run_ms(&w, 5000);
    end(&w, &w.a, true);
    run_ms(&w, TTL_MS + 100); /* at its end, not some polling later */
    assert_true(lease_is_held(w.b.lease));
    end(&w, &w.b, false);
    fini(&w);
}

static void given_back_at_an_orderly_end(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    start(&w, &w.a, "a");
    run_ms(&w, 100);
    start(&w, &w.b, "b");
    run_ms(&w, 100);
    end(&w, &w.a, false);
    run_ms(&w, TTL_MS / 5 + 100);
    assert_true(lease_is_held(w.b.lease));
    end(&w, &w.b, false);
    fini(&w);
}

static void a_holder_without_store_stops_before_another_starts(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    start(&w, &w.a, "a");
    run_ms(&w, 100);
    start(&w, &w.b, "b");
    run_ms(&w, 5130);
    store_memory_cut(w.a.store, true);
    run_never_both(&w, 2 * TTL_MS);
    assert_int_equal(w.a.lost, 1);
    assert_int_equal(w.a.taken, 0); /* not known yet */
    assert_true(lease_is_held(w.b.lease));
    store_memory_cut(w.a.store, false);
    run_never_both(&w, 2 * TTL_MS);
    assert_true(w.a.taken > 0);
    end(&w, &w.a, false);
    end(&w, &w.b, false);
    fini(&w);
}

/* No timer fires in a process that is stopped; it asks the clock before it acts. */
static void a_paused_holder_holds_no_more(void **state)
{
    (void)state;
    struct world w;
    init(&w);
    start(&w, &w.a, "a");
    run_ms(&w, 100);
    start(&w, &w.b, "b");
    run_ms(&w, 5130);
    sim_loop_freeze(w.a.loop, true);
    run_ms(&w, TTL_MS + 100);
    assert_true(lease_is_held(w.b.lease));
    assert_false(lease_is_held(w.a.lease));
    assert_int_equal(w.a.lost, 1);
    sim_loop_freeze(w.a.loop, false);
    run_never_both(&w, 2 * TTL_MS);
    end(&w, &w.a, false);
    end(&w, &w.b, false);
    fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_holds_and_renews),
        cmocka_unit_test(another_takes_it_when_the_holder_dies),
        cmocka_unit_test(given_back_at_an_orderly_end),
        cmocka_unit_test(a_holder_without_store_stops_before_another_starts),
        cmocka_unit_test(a_paused_holder_holds_no_more),
    };
    return cmocka_run_group_tests_name("store lease", tests, NULL, NULL);
}
