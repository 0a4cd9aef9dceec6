/* A stream that came through a proxy keeps the contract of the loop's streams. */
#include "base/mem.h"
#include "net/proxies.h"
#include "stream_kind.h"

struct kit {
    struct loop *l;
    struct proxies *proxies;
    struct loop_stream *server;
};

static void on_client(void *arg, struct loop_stream *stream, const struct addr *client)
{
    struct kit *k = arg;
    (void)client;
    k->server = stream;
    loop_stop(k->l);
}

static void wrap(struct contract *c, struct loop_stream **client, struct loop_stream **server)
{
    struct kit *k = c->wrap_arg;
    struct addr peer;
    loop_stream_peer(*server, &peer);
    loop_stream_write(*client, "PROXY UNKNOWN\r\n", 15);
    proxies_take(k->proxies, *server, &peer, "SMTP", on_client, k);
    contract_run(c);
    *server = k->server;
}

static void *begin(struct loop *l)
{
    struct kit *k = mem_zalloc(sizeof(*k));
    k->l = l;
    k->proxies = proxies_new(l, NULL);
    return k;
}

static void end(void *kit)
{
    proxies_free(((struct kit *)kit)->proxies);
    free(kit);
}

int main(void)
{
    return stream_kind_run(&(struct stream_kind){.name = "proxy", .begin = begin, .end = end, .wrap = wrap});
}
