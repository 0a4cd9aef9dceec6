/* Work that is gone about again: no word is forgotten, and a store that refuses is left alone. */
#include "relay/errand.h"

#include "base/mem.h"
#include "loop/sim.h"
#include "unit/unit.h"

struct bench {
    struct sim_world *world;
    struct loop *loop;
    struct errand errand;
    int begun;
    bool steps; /* each begin starts a step */
};

/* Stands for an operation: it is only looked at. */
static struct store_op *step(struct bench *b)
{
    return (struct store_op *)(void *)b;
}

static void on_begin(void *arg)
{
    struct bench *b = arg;
    b->begun++;
    b->errand.op = b->steps ? step(b) : NULL;
}

static int setup(void **state)
{
    struct bench *b = mem_zalloc(sizeof(*b));
    b->world = sim_world_new(1);
    b->loop = sim_loop_new(b->world, "host", "test");
    errand_init(&b->errand, b->loop, on_begin, b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    b->errand.op = NULL;
    errand_fini(&b->errand);
    sim_loop_free(b->loop);
    sim_world_free(b->world);
    free(b);
    return 0;
}

/* Until nothing is to happen any more. */
static void pass(struct bench *b)
{
    (void)sim_run_until(b->world, MONO_NEVER);
}

static void a_kick_amid_a_step_is_not_lost(void **state)
{
    struct bench *b = *state;
    b->steps = true;
    errand_begin(&b->errand);
    errand_kick(&b->errand);
    assert_int_equal(b->begun, 1); /* one step at a time */
    b->errand.op = NULL;
    assert_false(errand_rest(&b->errand));
    assert_int_equal(b->begun, 2);
    b->errand.op = NULL;
    assert_true(errand_rest(&b->errand)); /* once */
    assert_int_equal(b->begun, 2);
}

static void at_rest_a_kick_begins(void **state)
{
    struct bench *b = *state;
    errand_kick(&b->errand);
    assert_int_equal(b->begun, 1);
    assert_true(errand_rest(&b->errand));
    pass(b);
    assert_int_equal(b->begun, 1);
}

static void a_store_that_refuses_is_left_alone(void **state)
{
    struct bench *b = *state;
    errand_begin(&b->errand);
    errand_refused(&b->errand);
    errand_kick(&b->errand);
    assert_int_equal(b->begun, 1);
    pass(b);
    assert_int_equal(b->begun, 2);
    assert_true(errand_rest(&b->errand)); /* what was said meanwhile, it has seen */
    errand_kick(&b->errand);
    assert_int_equal(b->begun, 3);
}

static void a_kick_does_not_wait_for_the_next_look(void **state)
{
    struct bench *b = *state;
    errand_begin(&b->errand);
    errand_look_in(&b->errand, 3600000);
    errand_kick(&b->errand);
    assert_int_equal(b->begun, 2);
    pass(b);
    assert_int_equal(b->begun, 2);
    errand_look_in(&b->errand, -5);
    pass(b);
    assert_int_equal(b->begun, 3);
}

#define ERRAND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ERRAND_TEST(a_kick_amid_a_step_is_not_lost),
        ERRAND_TEST(at_rest_a_kick_begins),
        ERRAND_TEST(a_store_that_refuses_is_left_alone),
        ERRAND_TEST(a_kick_does_not_wait_for_the_next_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
