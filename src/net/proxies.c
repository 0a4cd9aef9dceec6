#include "net/proxies.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/proxy_header.h"
#include "net/proxy_stream.h"

#define HEADER_TIMEOUT_MS 5000

struct proxies {
    struct loop *loop;
    struct log_limit *log;
    struct list waiting; /* in the order of their coming */
    size_t waiting_count;
};

struct waiting {
    struct list node;
    struct proxies *proxies;
    struct loop_stream *stream;
    struct loop_timer *timer;
    struct addr proxy;
    const char *protocol;
    struct proxy_header header;
    proxy_client_fn *on_client;
    void *arg;
};

/* Its stream was taken, or is to be closed by the caller. */
static struct loop_stream *release(struct waiting *w)
{
    struct loop_stream *stream = w->stream;
    list_remove(&w->node);
    w->proxies->waiting_count--;
    loop_timer_free(w->timer);
    free(w);
    return stream;
}

static void give_up(struct waiting *w, const char *why)
{
    struct log_limit *log = w->proxies->log;
    char proxy[ADDR_TEXT_MAX];
    addr_format_ip(&w->proxy, proxy);
    if (why && log && log_limit_may(log, proxy))
        log_event(LOG_WARNING, "connection of a proxy closed", LOG_TEXT("proxy", proxy),
                  LOG_TEXT("protocol", w->protocol), LOG_TEXT("why", why));
    loop_stream_free(release(w));
}

/* Whose the connection is, by what its proxy said. */
static struct addr client_of(const struct waiting *w, const struct proxy_said *said)
{
    bool of_this_machine = said->has_client && addr_is_loopback(&said->client);
    if (!said->has_client || (of_this_machine && !addr_is_loopback(&w->proxy)))
        return w->proxy;
    return said->client;
}

static void hand_on(struct waiting *w, const struct proxy_said *said, struct str ahead)
{
    struct addr client = client_of(w, said), local = said->local;
    proxy_client_fn *on_client = w->on_client;
    struct loop *l = w->proxies->loop;
    void *arg = w->arg;
    struct loop_stream *under = release(w);
    loop_stream_read_stop(under);
    if (!said->has_client)
        loop_stream_local(under, &local);
    on_client(arg, proxy_stream_new(l, under, &client, &local, ahead), &client);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct waiting *w = arg;
    struct proxy_said said;
    size_t used = 0;
    if (err) {
        give_up(w, w->header.len > 0 ? "it ended amid its PROXY header" : NULL);
        return;
    }
    int rc = proxy_header_read(&w->header, data, len, &used, &said);
    if (rc < 0)
        give_up(w, "what it begins with is no PROXY header");
    else if (rc == 1)
        hand_on(w, &said, (struct str){data + used, len - used});
}

static void on_timer(void *arg)
{
    give_up(arg, "no PROXY header came in time");
}

struct proxies *proxies_new(struct loop *l, struct log_limit *log)
{
    struct proxies *p = mem_zalloc(sizeof(*p));
    p->loop = l;
    p->log = log;
    list_init(&p->waiting);
    return p;
}

void proxies_free(struct proxies *p)
{
    if (!p)
        return;
    LIST_FOREACH (it, &p->waiting)
        loop_stream_free(release(LIST_ENTRY(it, struct waiting, node)));
    free(p);
}

void proxies_take(struct proxies *p, struct loop_stream *stream, const struct addr *proxy,
                  const char *protocol, proxy_client_fn *on_client, void *arg)
{
    struct waiting *w = mem_zalloc(sizeof(*w));
    if (p->waiting_count == PROXIES_WAITING_MAX)
        give_up(LIST_ENTRY(p->waiting.next, struct waiting, node),
                "too many connections without a PROXY header");
    w->proxies = p;
    w->stream = stream;
    w->proxy = *proxy;
    w->protocol = protocol;
    w->on_client = on_client;
    w->arg = arg;
    w->timer = loop_timer_new(p->loop, on_timer, w);
    list_append(&p->waiting, &w->node);
    p->waiting_count++;
    loop_timer_start(w->timer, HEADER_TIMEOUT_MS);
    loop_stream_read_start(stream, on_read, w);
}
