#include "stream_kind.h"

#include "base/mem.h"
#include "loop/real.h"
#include "loop/sim.h"

static const struct stream_kind *tested;

static void fini_sim(struct contract *c)
{
    tested->end(c->wrap_arg);
    sim_loop_free(c->l);
    sim_world_free(c->world);
}

static void fini_real(struct contract *c)
{
    tested->end(c->wrap_arg);
    loop_real_free(c->l);
}

static struct contract *contract_new(struct loop *l, const char *ip, void (*fini)(struct contract *c))
{
    struct contract *c = mem_zalloc(sizeof(*c));
    *c =
        (struct contract){.l = l, .ip = ip, .fini = fini, .wrap = tested->wrap, .wrap_arg = tested->begin(l)};
    return c;
}

static int setup_sim(void **state)
{
    struct sim_world *world = sim_world_new(7);
    struct contract *c = contract_new(sim_loop_new(world, "host", "test"), "10.1.0.1", fini_sim);
    c->world = world;
    *state = c;
    return 0;
}

static int setup_real(void **state)
{
    *state = contract_new(loop_real_new(), "127.0.0.1", fini_real);
    return 0;
}

#define ON_SIM(name)  cmocka_unit_test_setup_teardown(name, setup_sim, contract_teardown),
#define ON_REAL(name) cmocka_unit_test_setup_teardown(name, setup_real, contract_teardown),

int stream_kind_run(const struct stream_kind *kind)
{
    const struct CMUnitTest tests[] = {CONTRACT_STREAMS(ON_SIM) CONTRACT_STREAMS(ON_REAL)};
    tested = kind;
    return cmocka_run_group_tests_name(kind->name, tests, kind->setup, kind->teardown);
}
