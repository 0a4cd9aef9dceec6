/* The handshake: a SYN to the listener's kernel, an answer from there. What a
 * cut takes is sent again, until the caller's time is up. */
#include "base/mem.h"
#include "loop/sim_impl.h"

struct sim_connect {
    struct loop_connect base;
    struct sim_object object;
    struct sim_loop *loop;
    struct addr to, from;
    struct sim_event syn;    /* of the world: at the other host */
    struct sim_event answer; /* of the world: back here */
    struct sim_event result; /* of the process */
    struct sim_host *peer_host;
    struct sim_conn *conn; /* once the other kernel has it */
    int err;
    struct loop_timer *timer;
    loop_connect_fn *on_connect;
    void *arg;
};

static void connect_release(struct sim_connect *c)
{
    struct sim_world *w = c->loop->world;
    sim_event_cancel(w, &c->syn);
    sim_event_cancel(w, &c->answer);
    sim_event_cancel(w, &c->result);
    loop_timer_free(c->timer);
    list_remove(&c->object.node);
    free(c);
}

static void finish(struct sim_connect *c, int err)
{
    loop_connect_fn *on_connect = c->on_connect;
    void *arg = c->arg;
    struct sim_conn *conn = c->conn;
    connect_release(c);
    if (err && conn)
        sim_end_close(&conn->ends[0], true);
    on_connect(arg, err ? NULL : sim_stream_open(&conn->ends[0]), err);
}

static void result_fire(struct sim_event *e)
{
    struct sim_connect *c = CONTAINER_OF(e, struct sim_connect, result);
    finish(c, c->err);
}

static void on_timeout(void *arg)
{
    finish(arg, ERR_TIMEOUT);
}

/* ---- the way there and back ---- */

static void answer_fire(struct sim_event *e)
{
    struct sim_connect *c = CONTAINER_OF(e, struct sim_connect, answer);
    struct sim_world *w = c->loop->world;
    if (c->peer_host && sim_net_is_cut(w, c->peer_host, c->loop->host))
        sim_event_schedule(w, e, w->now_ns + SIM_RETRY_NS);
    else
        sim_event_schedule(w, &c->result, w->now_ns);
}

static void syn_fire(struct sim_event *e)
{
    struct sim_connect *c = CONTAINER_OF(e, struct sim_connect, syn);
    struct sim_world *w = c->loop->world;
    c->peer_host = sim_address_owner(w, &c->to);
    bool lost = c->peer_host && sim_net_is_cut(w, c->loop->host, c->peer_host);
    struct sim_listener *li = sim_listener_at(w, &c->to);
    if (li && !lost) {
        c->conn = sim_listener_offer(li, c->loop, &c->from);
        lost = !c->conn;
    }
    if (lost) {
        sim_event_schedule(w, e, w->now_ns + SIM_RETRY_NS);
        return;
    }
    c->err = li ? 0 : ERR_REFUSED;
    sim_event_schedule(w, &c->answer, w->now_ns + sim_net_delay_ns(w));
}

/* ---- the caller's side ---- */

/* Its end of the connection is an object of its own. */
static void connect_kill(struct sim_object *o)
{
    struct sim_connect *c = CONTAINER_OF(o, struct sim_connect, object);
    struct sim_world *w = c->loop->world;
    sim_event_cancel(w, &c->syn);
    sim_event_cancel(w, &c->answer);
    sim_event_cancel(w, &c->result);
    c->conn = NULL;
}

static void connect_dispose(struct sim_object *o)
{
    sim_connect_cancel(&CONTAINER_OF(o, struct sim_connect, object)->base);
}

static void choose_from(struct sim_connect *c, const struct addr *from)
{
    if (from)
        c->from = *from;
    else
        sim_address_choose(c->loop->world, c->loop->host, c->to.u.sa.sa_family, &c->from);
    if (addr_port(&c->from) == 0)
        addr_set_port(&c->from, sim_port_choose(c->loop->world));
}

void sim_connect(struct loop *base, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                 loop_connect_fn *on_connect, void *arg, struct loop_connect **ret_connect)
{
    struct sim_loop *l = sim_of(base);
    struct sim_connect *c = mem_alloc(sizeof(*c));
    *c = (struct sim_connect){
        .base.ops = &sim_ops, .loop = l, .to = *to, .on_connect = on_connect, .arg = arg};
    sim_event_init(&c->syn, NULL, syn_fire);
    sim_event_init(&c->answer, NULL, answer_fire);
    sim_event_init(&c->result, l, result_fire);
    choose_from(c, from);
    sim_object_init(l, &c->object, connect_kill, connect_dispose);
    c->timer = loop_timer_new(base, on_timeout, c);
    *ret_connect = &c->base;
    if (!l->alive)
        return;
    loop_timer_start(c->timer, timeout_ms);
    if (l->starved) {
        c->err = ERR_LIMIT;
        sim_event_schedule(l->world, &c->result, l->world->now_ns);
        return;
    }
    sim_event_schedule(l->world, &c->syn, l->world->now_ns + sim_net_delay_ns(l->world));
}

void sim_connect_cancel(struct loop_connect *base)
{
    struct sim_connect *c = CONTAINER_OF(base, struct sim_connect, base);
    struct sim_conn *conn = c->conn;
    connect_release(c);
    if (conn)
        sim_end_close(&conn->ends[0], false);
}
