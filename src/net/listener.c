#include "net/listener.h"

#include "base/list.h"
#include "base/mem.h"

#define REFUSAL_LINGER_MS   1000 /* for the line to be fetched */
#define REFUSALS_PER_SECOND 100  /* answered with a line; each holds a socket for the time above */

struct place {
    struct list node;
    struct loop_listener *listener;
};

/* Outlives its owner by the connections that are counted in it. */
struct net_listener {
    struct loop *loop;
    struct net_quota quota;
    bool freed, paused;
    struct list places;
    const struct net_listener_ops *ops;
    void *arg;
    struct mono_time refusals_since;
    int refusals;
};

struct slot {
    struct net_listener *listener;
    struct addr client;
};

static void release_when_unused(struct net_listener *li)
{
    if (!li->freed || li->quota.total > 0)
        return;
    net_quota_fini(&li->quota);
    free(li);
}

static void on_conn_gone(void *arg)
{
    struct slot *slot = arg;
    struct net_listener *li = slot->listener;
    net_quota_give_back(&li->quota, &slot->client);
    free(slot);
    release_when_unused(li);
}

/* Whoever accepts sets its own; until then there is nobody to tell. */
static void ignore_input(void *arg, const char *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
}

static void ignore_end(void *arg, int err)
{
    (void)arg;
    (void)err;
}

static const struct net_conn_ops ignore_ops = {.on_input = ignore_input, .on_end = ignore_end};

static void admit(struct net_listener *li, struct loop_stream *s, const struct addr *peer)
{
    struct slot *slot = mem_alloc(sizeof(*slot));
    *slot = (struct slot){.listener = li, .client = *peer};
    struct net_conn *c = net_conn_new(li->loop, s, &ignore_ops, NULL);
    net_conn_on_gone(c, on_conn_gone, slot);
    li->ops->on_accept(li->arg, c, peer);
}

static bool may_answer_refusal(struct net_listener *li)
{
    struct mono_time now = loop_now(li->loop);
    if (mono_diff_ms(now, li->refusals_since) >= REFUSAL_LINGER_MS) {
        li->refusals_since = now;
        li->refusals = 0;
    }
    return li->refusals++ < REFUSALS_PER_SECOND;
}

static void refuse(struct net_listener *li, struct loop_stream *s, const struct addr *peer,
                   enum net_refusal why)
{
    struct buf reply;
    buf_init(&reply, NET_REFUSAL_MAX);
    bool answered = may_answer_refusal(li);
    if (li->ops->on_refuse)
        li->ops->on_refuse(li->arg, why, peer, &reply);
    if (answered)
        loop_stream_write(s, buf_data(&reply), reply.len);
    loop_stream_close(s, answered ? REFUSAL_LINGER_MS : 0);
    buf_fini(&reply);
}

static void on_accept(void *arg, struct loop_stream *s, const struct addr *peer)
{
    struct net_listener *li = arg;
    enum net_refusal why = net_quota_take(&li->quota, peer);
    if (why == NET_ADMITTED)
        admit(li, s, peer);
    else
        refuse(li, s, peer, why);
}

struct net_listener *net_listener_new(struct loop *l, size_t connections_max, size_t per_client_max,
                                      const struct net_listener_ops *ops, void *arg)
{
    struct net_listener *li = mem_alloc(sizeof(*li));
    *li = (struct net_listener){.loop = l, .ops = ops, .arg = arg, .refusals_since = loop_now(l)};
    net_quota_init(&li->quota, connections_max, per_client_max);
    list_init(&li->places);
    return li;
}

static void place_add(struct net_listener *li, struct loop_listener *listener)
{
    struct place *place = mem_alloc(sizeof(*place));
    place->listener = listener;
    list_append(&li->places, &place->node);
    loop_listener_pause(listener, li->paused);
}

int net_listener_add(struct net_listener *li, const struct addr *at, struct err_buf *eb)
{
    struct loop_listener *listener;
    int rc = loop_listen(li->loop, at, on_accept, li, &listener, eb);
    if (rc == 0)
        place_add(li, listener);
    return rc;
}

int net_listener_add_fd(struct net_listener *li, int fd, struct err_buf *eb)
{
    struct loop_listener *listener;
    int rc = loop_listen_fd(li->loop, fd, on_accept, li, &listener, eb);
    if (rc == 0)
        place_add(li, listener);
    return rc;
}

void net_listener_pause(struct net_listener *li, bool paused)
{
    li->paused = paused;
    LIST_FOREACH (it, &li->places)
        loop_listener_pause(LIST_ENTRY(it, struct place, node)->listener, paused);
}

size_t net_listener_connections(const struct net_listener *li)
{
    return li->quota.total;
}

void net_listener_free(struct net_listener *li)
{
    if (!li)
        return;
    LIST_FOREACH (it, &li->places) {
        struct place *place = LIST_ENTRY(it, struct place, node);
        loop_listener_free(place->listener);
        free(place);
    }
    li->freed = true;
    release_when_unused(li);
}
