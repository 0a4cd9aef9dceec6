#include "cut_wire.h"

#include "base/mem.h"
#include "unit/unit.h"

#define CONNECT_MS 3000
#define LINGER_MS  5000

struct pair;

struct side {
    struct pair *pair;
    struct loop_stream *stream;
    size_t carried; /* from here to the other */
};

struct pair {
    struct list node;
    struct cut_wire *wire;
    struct side sides[2]; /* by the way that begins there: the client, the server */
    struct loop_connect *connect;
};

static void pair_free(struct pair *p)
{
    list_remove(&p->node);
    loop_connect_cancel(p->connect);
    loop_stream_free(p->sides[0].stream);
    loop_stream_free(p->sides[1].stream);
    free(p);
}

/* What was written to the other side arrives there, and then the end. */
static void end_behind(struct side *other)
{
    if (other->stream)
        loop_stream_close(other->stream, LINGER_MS);
    other->stream = NULL;
    pair_free(other->pair);
}

static void on_read(void *arg, const char *data, size_t len, int err)
{
    struct side *from = arg;
    struct cut_wire *w = from->pair->wire;
    enum wire_way way = from == &from->pair->sides[WIRE_TO_SERVER] ? WIRE_TO_SERVER : WIRE_TO_CLIENT;
    struct side *to = &from->pair->sides[1 - way];
    bool cut = !err && w->cut_at && w->way == way && from->carried + len >= w->cut_at;
    if (cut)
        len = w->cut_at - from->carried;
    if (!err)
        loop_stream_write(to->stream, data, len);
    from->carried += len;
    if (cut) {
        w->cuts++;
        w->cut_at = 0;
    }
    if (cut || err)
        end_behind(to);
}

static void on_connect(void *arg, struct loop_stream *stream, int err)
{
    struct pair *p = arg;
    p->connect = NULL;
    if (err) {
        pair_free(p);
        return;
    }
    p->sides[WIRE_TO_CLIENT].stream = stream;
    for (size_t i = 0; i < 2; i++)
        loop_stream_read_start(p->sides[i].stream, on_read, &p->sides[i]);
}

static void on_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct cut_wire *w = arg;
    struct pair *p = mem_zalloc(sizeof(*p));
    (void)peer;
    p->wire = w;
    p->sides[0].pair = p->sides[1].pair = p;
    p->sides[WIRE_TO_SERVER].stream = stream;
    list_append(&w->pairs, &p->node);
    loop_connect(w->loop, &w->server, NULL, CONNECT_MS, on_connect, p, &p->connect);
}

void cut_wire_open(struct cut_wire *w, struct loop *l, const char *at, const char *server)
{
    struct addr here;
    struct err_buf eb;
    *w = (struct cut_wire){.loop = l};
    list_init(&w->pairs);
    assert_ok(addr_parse(str_from(at), &here));
    assert_ok(addr_parse(str_from(server), &w->server));
    assert_ok(loop_listen(l, &here, on_accept, w, &w->listener, &eb));
}

void cut_wire_close(struct cut_wire *w)
{
    LIST_FOREACH (it, &w->pairs)
        pair_free(LIST_ENTRY(it, struct pair, node));
    loop_listener_free(w->listener);
}

void cut_wire_arm(struct cut_wire *w, enum wire_way way, size_t bytes)
{
    w->way = way;
    w->cut_at = bytes;
    w->cuts = 0;
}
