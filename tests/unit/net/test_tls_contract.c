/* A stream of TLS keeps the contract of the loop's streams, over a simulated network and a real one. */
#include "base/mem.h"
#include "certificates.h"
#include "loop/contract.h"
#include "loop/real.h"
#include "loop/sim.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

static struct certificates certificates;

struct kind {
    struct contract contract; /* first */
    struct tls_server *server;
    struct tls_client *client;
    int ready;
};

static void on_ready(void *arg, int err, const char *detail)
{
    struct kind *k = arg;
    if (err)
        fail_msg("%s", detail);
    if (++k->ready == 2)
        loop_stop(k->contract.l);
}

static void wrap(struct contract *c, struct loop_stream **client, struct loop_stream **server)
{
    struct kind *k = (struct kind *)c;
    k->ready = 0;
    *client = tls_client_stream(k->client, *client, on_ready, k);
    *server = tls_server_stream(k->server, *server, on_ready, k);
    contract_run(c);
}

static void fini_tls(struct kind *k)
{
    tls_server_free(k->server);
    tls_client_free(k->client);
}

static void fini_sim(struct contract *c)
{
    fini_tls((struct kind *)c);
    sim_loop_free(c->l);
    sim_world_free(c->world);
}

static void fini_real(struct contract *c)
{
    fini_tls((struct kind *)c);
    loop_real_free(c->l);
}

static struct kind *kind_new(struct loop *l, const char *ip, void (*fini)(struct contract *c))
{
    struct kind *k = mem_zalloc(sizeof(*k));
    struct tls_files files = {"test", certificates_path(&certificates, "test.pem"),
                              certificates_path(&certificates, "test.key")};
    struct tls_client_options options = {.policy = TLS_OPPORTUNISTIC, .name = "a.test"};
    k->contract = (struct contract){.l = l, .ip = ip, .fini = fini, .wrap = wrap};
    k->server = tls_server_new(l, (struct tls_files *[]){&files}, 1);
    k->client = tls_client_new(l);
    assert_ok(tls_client_set(k->client, &options, NULL));
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

static int setup(void **state)
{
    (void)state;
    certificates_open(&certificates);
    certificates_make(&certificates, "test", "ec", "DNS:a.test");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    certificates_close(&certificates);
    return 0;
}

#define ON_SIM(name)  cmocka_unit_test_setup_teardown(name, setup_sim, contract_teardown),
#define ON_REAL(name) cmocka_unit_test_setup_teardown(name, setup_real, contract_teardown),

int main(void)
{
    const struct CMUnitTest tests[] = {CONTRACT_STREAMS(ON_SIM) CONTRACT_STREAMS(ON_REAL)};
    return cmocka_run_group_tests_name("TLS", tests, setup, teardown);
}
