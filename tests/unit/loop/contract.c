#include "contract.h"

#include "base/mem.h"

#define GUARD_MS 60000 /* far more than any test takes on a loaded machine */

static void on_guard(void *arg)
{
    (void)arg;
    fail_msg("nothing stopped the loop");
}

void contract_run(struct contract *c)
{
    struct loop_timer *guard = loop_timer_new(c->l, on_guard, c);
    loop_timer_start(guard, GUARD_MS);
    loop_run(c->l);
    loop_timer_free(guard);
}

int contract_teardown(void **state)
{
    struct contract *c = *state;
    c->fini(c);
    free(c);
    return 0;
}

struct loop_listener *contract_listen(struct contract *c,
                                      void (*on_accept)(void *, struct loop_stream *, const struct addr *),
                                      void *arg, struct addr *ret_at)
{
    struct addr at;
    struct loop_listener *li;
    struct err_buf eb;
    assert_ok(addr_parse_ip(str_from(c->ip), 0, &at));
    assert_ok(loop_listen(c->l, &at, on_accept, arg, &li, &eb));
    loop_listener_local(li, ret_at);
    assert_int_not_equal(addr_port(ret_at), 0);
    return li;
}

struct pairing {
    struct loop *l;
    struct contract_pair pair;
};

static void stop_when_paired(struct pairing *p)
{
    if (p->pair.client && p->pair.server)
        loop_stop(p->l);
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    (void)peer;
    struct pairing *p = arg;
    p->pair.server = s;
    stop_when_paired(p);
}

static void on_connect(void *arg, struct loop_stream *s, int err)
{
    struct pairing *p = arg;
    assert_int_equal(err, 0);
    p->pair.client = s;
    stop_when_paired(p);
}

struct contract_pair contract_connect(struct contract *c)
{
    struct pairing p = {.l = c->l};
    struct addr at;
    struct loop_connect *connect;
    struct loop_listener *li = contract_listen(c, on_accept, &p, &at);
    loop_connect(c->l, &at, NULL, 10000, on_connect, &p, &connect);
    contract_run(c);
    loop_listener_free(li);
    if (c->wrap)
        c->wrap(c, &p.pair.client, &p.pair.server);
    return p.pair;
}
