/* A stream that came through a proxy keeps the contract of the loop's streams, over a simulated network and a
 * real one. */
#include "base/mem.h"
#include "loop/contract.h"
#include "loop/real.h"
#include "loop/sim.h"
#include "net/proxies.h"

struct kind {
    struct contract contract; /* first */
    struct proxies *proxies;
    struct loop_stream *server;
};

static void on_client(void *arg, struct loop_stream *stream, const struct addr *client)
{
    struct kind *k = arg;
    (void)client;
    k->server = stream;
    loop_stop(k->contract.l);
}

static void wrap(struct contract *c, struct loop_stream **client, struct loop_stream **server)
{
    struct kind *k = (struct kind *)c;
    struct addr peer;
    loop_stream_peer(*server, &peer);
    loop_stream_write(*client, "PROXY UNKNOWN\r\n", 15);
    proxies_take(k->proxies, *server, &peer, "SMTP", on_client, k);
    contract_run(c);
    *server = k->server;
}

static void fini_sim(struct contract *c)
{
    proxies_free(((struct kind *)c)->proxies);
    sim_loop_free(c->l);
    sim_world_free(c->world);
}

static void fini_real(struct contract *c)
{
    proxies_free(((struct kind *)c)->proxies);
    loop_real_free(c->l);
}

static struct kind *kind_new(struct loop *l, const char *ip, void (*fini)(struct contract *c))
{
    struct kind *k = mem_zalloc(sizeof(*k));
    k->contract = (struct contract){.l = l, .ip = ip, .fini = fini, .wrap = wrap};
    k->proxies = proxies_new(l, NULL);
    return k;
}

static int setup_sim(void **state)
{
    struct sim_world *world = sim_world_new(7);
    struct kind *k = kind_new(sim_loop_new(world, "host", "test"), "10.1.0.1", fini_sim);
    k->contract.world = world;
    *state = k;
    return 0;
}

static int setup_real(void **state)
{
    *state = kind_new(loop_real_new(), "127.0.0.1", fini_real);
    return 0;
}

#define ON_SIM(name)  cmocka_unit_test_setup_teardown(name, setup_sim, contract_teardown),
#define ON_REAL(name) cmocka_unit_test_setup_teardown(name, setup_real, contract_teardown),

int main(void)
{
    const struct CMUnitTest tests[] = {CONTRACT_STREAMS(ON_SIM) CONTRACT_STREAMS(ON_REAL)};
    return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
