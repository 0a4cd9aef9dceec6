/* A stream of TLS keeps the contract of the loop's streams. */
#include "base/mem.h"
#include "certificates.h"
#include "net/tls_client.h"
#include "net/tls_server.h"
#include "stream_kind.h"

static struct certificates certificates;

struct kit {
    struct loop *l;
    struct tls_server *server;
    struct tls_client *client;
    int ready;
};

static void on_ready(void *arg, int err, const char *detail)
{
    struct kit *k = arg;
    if (err)
        fail_msg("%s", detail);
    if (++k->ready == 2)
        loop_stop(k->l);
}

static void wrap(struct contract *c, struct loop_stream **client, struct loop_stream **server)
{
    struct kit *k = c->wrap_arg;
    k->ready = 0;
    *client = tls_client_stream(k->client, *client, on_ready, k);
    *server = tls_server_stream(k->server, *server, on_ready, k);
    contract_run(c);
}

static void *begin(struct loop *l)
{
    struct kit *k = mem_zalloc(sizeof(*k));
    struct tls_files files = {"test", certificates_path(&certificates, "test.pem"),
                              certificates_path(&certificates, "test.key")};
    struct tls_client_options options = {.policy = TLS_OPPORTUNISTIC, .name = "a.test"};
    k->l = l;
    k->server = tls_server_new(l, (struct tls_files *[]){&files}, 1);
    k->client = tls_client_new(l);
    assert_ok(tls_client_set(k->client, &options, NULL));
    return k;
}

static void end(void *kit)
{
    struct kit *k = kit;
    tls_server_free(k->server);
    tls_client_free(k->client);
    free(k);
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

int main(void)
{
    return stream_kind_run(&(struct stream_kind){
        .name = "TLS", .begin = begin, .end = end, .wrap = wrap, .setup = setup, .teardown = teardown});
}
