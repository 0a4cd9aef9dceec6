#include "base/mem.h"
#include "loop/sim_impl.h"

#define BACKLOG 1024 /* as the real loop's */

struct sim_listener {
    struct loop_listener base;
    struct sim_object object;
    struct list node; /* of the world's listeners; in none when dead */
    struct sim_loop *loop;
    struct addr at;
    bool paused;
    struct list backlog; /* sim_conn */
    struct sim_event event;
    loop_accept_fn *on_accept;
    void *arg;
};

static struct sim_listener *listener_of(struct loop_listener *base)
{
    return CONTAINER_OF(base, struct sim_listener, base);
}

/* ---- accepting ---- */

static void accept_later(struct sim_listener *li)
{
    if (!li->paused && !list_empty(&li->backlog) && !sim_event_waits(&li->event))
        sim_event_schedule(li->loop->world, &li->event, li->loop->world->now_ns);
}

static size_t backlog_len(const struct sim_listener *li)
{
    size_t len = 0;
    LIST_FOREACH (it, &li->backlog)
        len++;
    return len;
}

static void accept_fire(struct sim_event *e)
{
    struct sim_listener *li = CONTAINER_OF(e, struct sim_listener, event);
    if (li->paused || list_empty(&li->backlog))
        return;
    struct sim_conn *c = LIST_ENTRY(li->backlog.next, struct sim_conn, backlog);
    list_remove(&c->backlog);
    accept_later(li);
    struct addr peer = c->ends[0].local;
    li->on_accept(li->arg, sim_stream_open(&c->ends[1]), &peer);
}

struct sim_conn *sim_listener_offer(struct sim_listener *li, struct sim_loop *from,
                                    const struct addr *from_at)
{
    if (backlog_len(li) >= BACKLOG)
        return NULL;
    struct sim_conn *c = sim_conn_new(from, from_at, li->loop, &li->at);
    list_append(&li->backlog, &c->backlog);
    accept_later(li);
    return c;
}

void sim_listener_pause(struct loop_listener *base, bool paused)
{
    struct sim_listener *li = listener_of(base);
    li->paused = paused;
    accept_later(li);
}

/* ---- life ---- */

static bool listens_at(const struct sim_listener *li, const struct addr *at, const struct sim_host *h)
{
    return li->loop->host == h && addr_eq(&li->at, at);
}

static struct sim_listener *listener_find(const struct sim_world *w, const struct addr *at,
                                          const struct sim_host *h)
{
    LIST_FOREACH (it, &w->listeners) {
        struct sim_listener *li = LIST_ENTRY(it, struct sim_listener, node);
        if (listens_at(li, at, h))
            return li;
    }
    return NULL;
}

struct sim_listener *sim_listener_at(const struct sim_world *w, const struct addr *at)
{
    return listener_find(w, at, sim_address_owner(w, at));
}

static void stop(struct sim_listener *li)
{
    sim_event_cancel(li->loop->world, &li->event);
    list_remove(&li->node);
    while (!list_empty(&li->backlog))
        sim_end_close(&LIST_ENTRY(li->backlog.next, struct sim_conn, backlog)->ends[1], true);
}

/* As in the real one, another may listen there meanwhile. */
int sim_listener_refuse(struct loop_listener *base, bool refuse)
{
    struct sim_listener *li = listener_of(base);
    if (refuse == list_empty(&li->node))
        return 0;
    if (refuse) {
        stop(li);
        return 0;
    }
    if (!li->loop->alive || listener_find(li->loop->world, &li->at, li->loop->host))
        return ERR_BUSY;
    list_append(&li->loop->world->listeners, &li->node);
    return 0;
}

static void listener_kill(struct sim_object *o)
{
    stop(CONTAINER_OF(o, struct sim_listener, object));
}

static void listener_dispose(struct sim_object *o)
{
    sim_listener_free(&CONTAINER_OF(o, struct sim_listener, object)->base);
}

static void choose_port(struct sim_loop *l, struct addr *at)
{
    do
        addr_set_port(at, sim_port_choose(l->world));
    while (listener_find(l->world, at, l->host));
}

int sim_listen(struct loop *base, const struct addr *at, loop_accept_fn *on_accept, void *arg,
               struct loop_listener **ret_listener, struct err_buf *eb)
{
    struct sim_loop *l = sim_of(base);
    char text[ADDR_TEXT_MAX];
    addr_format(at, text);
    if (!l->alive)
        return err_set(eb, ERR_UNAVAILABLE, "%s: this process is dead", text);
    if (addr_port(at) != 0 && listener_find(l->world, at, l->host))
        return err_set(eb, ERR_BUSY, "%s: address in use", text);
    struct sim_listener *li = mem_alloc(sizeof(*li));
    *li =
        (struct sim_listener){.base.ops = &sim_ops, .loop = l, .at = *at, .on_accept = on_accept, .arg = arg};
    if (addr_port(at) == 0)
        choose_port(l, &li->at);
    list_init(&li->backlog);
    sim_event_init(&li->event, l, accept_fire);
    sim_object_init(l, &li->object, listener_kill, listener_dispose);
    list_append(&l->world->listeners, &li->node);
    sim_address_claim(l->world, at, l->host);
    *ret_listener = &li->base;
    return 0;
}

int sim_listen_fd(struct loop *l, int fd, loop_accept_fn *on_accept, void *arg,
                  struct loop_listener **ret_listener, struct err_buf *eb)
{
    (void)l;
    (void)fd;
    (void)on_accept;
    (void)arg;
    (void)ret_listener;
    return err_set(eb, ERR_UNSUPPORTED, "a simulated process has no descriptors");
}

void sim_listener_local(const struct loop_listener *base, struct addr *ret_addr)
{
    *ret_addr = ((const struct sim_listener *)base)->at;
}

void sim_listener_free(struct loop_listener *base)
{
    struct sim_listener *li = listener_of(base);
    listener_kill(&li->object);
    list_remove(&li->object.node);
    free(li);
}
