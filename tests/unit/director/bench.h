/* One simulated process with a lease on the memory store, for tests that hand
 * views to the director's parts themselves. */
#ifndef HOLDFAST_TESTS_DIRECTOR_BENCH_H
#define HOLDFAST_TESTS_DIRECTOR_BENCH_H

#include <stdlib.h>

#include "loop/sim.h"
#include "store/lease.h"
#include "store/memory.h"
#include "store/records.h"
#include "store/store.h"
#include "unit/unit.h"

#define BENCH_LEASE_MS 2500
#define BENCH_WRITE_MS 20 /* longer than any write takes */

struct bench {
    struct sim_world *sim;
    struct store_memory *device;
    struct loop *loop;
    struct store *store;
    struct lease *lease;
    int64_t device_ahead_ms;
    int lost;
    bool taken;
    int64_t version; /* of the record looked at; 0: there is none */
};

static inline struct mono_time bench_clock(void *arg)
{
    struct bench *b = arg;
    return mono_add_ms(sim_now(b->sim), b->device_ahead_ms);
}

static inline uint64_t bench_draw(void *arg, uint64_t n)
{
    return sim_random_below(arg, n);
}

static inline void bench_held(void *arg)
{
    (void)arg;
}

static inline void bench_lost(void *arg)
{
    ((struct bench *)arg)->lost++;
}

static inline void bench_run(struct bench *b)
{
    sim_run_until(b->sim, mono_add_ms(sim_now(b->sim), BENCH_WRITE_MS));
}

/* Holds the lease afterwards. */
static inline void bench_init(struct bench *b, const char *lease)
{
    struct store_memory_faults faults = {.latency_min_us = 1000, .latency_max_us = 3000};
    *b = (struct bench){.sim = sim_world_new(1)};
    b->device = store_memory_new(bench_clock, b);
    store_memory_set_faults(b->device, &faults, bench_draw, b->sim);
    struct store_options options = {.engine = STORE_ENGINE_MEMORY, .memory = b->device};
    b->loop = sim_loop_new(b->sim, "east1", "director");
    assert_ok(store_open(b->loop, &options, &b->store, NULL));
    b->lease = lease_new(b->loop, store_network(b->store), str_from(lease), STR("east1"), BENCH_LEASE_MS,
                         &(struct lease_ops){bench_held, bench_lost}, b);
    bench_run(b);
    assert_true(lease_is_held(b->lease));
}

static inline void bench_fini(struct bench *b)
{
    lease_free(b->lease);
    store_close(b->store);
    sim_loop_free(b->loop);
    store_memory_free(b->device);
    sim_world_free(b->sim);
}

static inline void bench_on_take(void *arg, int err, const struct network_lease *current)
{
    (void)current;
    ((struct bench *)arg)->taken = err == 0;
}

/* Another takes the lease, when by the store's clock it has run out; by its own
 * clock its holder does not know it yet. */
static inline void bench_steal(struct bench *b, const char *lease)
{
    b->device_ahead_ms += BENCH_LEASE_MS + 1;
    network_lease_take(store_network(b->store), str_from(lease), STR("west1"), 0, BENCH_LEASE_MS,
                       bench_on_take, b);
    bench_run(b);
    assert_true(b->taken);
    assert_true(lease_is_held(b->lease));
}

static inline void bench_on_read(void *arg, int err, const struct network_record *records, size_t count)
{
    assert_ok(err);
    ((struct bench *)arg)->version = count == 1 ? records[0].version : 0;
}

static inline int64_t bench_version(struct bench *b, const char *kind, const char *key)
{
    network_read(store_network(b->store), str_from(kind), str_from(key), bench_on_read, b);
    bench_run(b);
    return b->version;
}

#endif
