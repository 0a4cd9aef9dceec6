/* A stream as the kernels of both hosts know it: two ends, and segments under
 * way between them. An end lives until its process closes it (or dies) and has
 * sent its end; the connection until both are closed and nothing is under way.
 *
 * TCP is told from its outside: order is kept, nothing is lost while both
 * kernels live, a full window stops the writer, an end is orderly (FIN) or a
 * reset (RST), and data for a closed end is answered by a reset. */
#include <string.h>

#include "base/mem.h"
#include "loop/sim_impl.h"

enum segment_kind { SEGMENT_DATA, SEGMENT_READ, SEGMENT_FIN, SEGMENT_RST };

struct sim_segment {
    struct sim_event event;
    struct list node; /* of its sender's segments under way */
    bool stalled;     /* it came to a cut, and waits there */
    struct sim_end *from;
    enum segment_kind kind;
    size_t len; /* of data; or how much was read */
    char data[];
};

static void end_pump(struct sim_end *e);

struct sim_end *sim_end_other(const struct sim_end *e)
{
    return &e->conn->ends[e == &e->conn->ends[0] ? 1 : 0];
}

/* ---- life of the connection ---- */

static void end_kill(struct sim_object *o);

static void end_init(struct sim_conn *c, int index, struct sim_loop *l, const struct addr *local)
{
    struct sim_end *e = &c->ends[index];
    e->conn = c;
    e->host = l->host;
    e->loop = l;
    e->local = *local;
    buf_init(&e->unsent, SIZE_MAX / 2);
    buf_init(&e->inbox, SIM_WINDOW_BYTES);
    list_init(&e->under_way);
    sim_object_init(l, &e->object, end_kill, end_kill);
}

struct sim_conn *sim_conn_new(struct sim_loop *from, const struct addr *from_at, struct sim_loop *to,
                              const struct addr *to_at)
{
    struct sim_conn *c = mem_zalloc(sizeof(*c));
    c->world = from->world;
    list_init(&c->backlog);
    end_init(c, 0, from, from_at);
    end_init(c, 1, to, to_at);
    list_append(&c->world->conns, &c->node);
    return c;
}

static void segment_free(struct sim_segment *s)
{
    sim_event_cancel(s->from->conn->world, &s->event);
    list_remove(&s->node);
    free(s);
}

void sim_conn_drop(struct sim_conn *c)
{
    for (int i = 0; i < 2; i++) {
        LIST_FOREACH (it, &c->ends[i].under_way)
            segment_free(LIST_ENTRY(it, struct sim_segment, node));
        buf_fini(&c->ends[i].unsent);
        buf_fini(&c->ends[i].inbox);
    }
    list_remove(&c->node);
    list_remove(&c->backlog);
    free(c);
}

static void conn_release(struct sim_conn *c)
{
    const struct sim_end *e = c->ends;
    if (!e[0].loop && !e[1].loop && list_empty(&e[0].under_way) && list_empty(&e[1].under_way))
        sim_conn_drop(c);
}

/* ---- segments ---- */

static void segment_arrive(struct sim_event *event);

static void segment_launch(struct sim_segment *s)
{
    struct sim_end *e = s->from;
    struct sim_world *w = e->conn->world;
    s->stalled = false;
    int64_t at_ns = w->now_ns + sim_net_delay_ns(w);
    if (at_ns > e->last_arrival_ns)
        e->last_arrival_ns = at_ns;
    sim_event_schedule(w, &s->event, e->last_arrival_ns);
}

static void segment_send(struct sim_end *e, enum segment_kind kind, const void *data, size_t len)
{
    size_t data_len = kind == SEGMENT_DATA ? len : 0;
    struct sim_segment *s = mem_alloc(sizeof(*s) + data_len);
    s->from = e;
    s->kind = kind;
    s->len = len;
    if (data_len > 0)
        memcpy(s->data, data, data_len);
    sim_event_init(&s->event, NULL, segment_arrive);
    list_append(&e->under_way, &s->node);
    segment_launch(s);
}

static bool has_stalled(const struct sim_end *e)
{
    return !list_empty(&e->under_way) && LIST_ENTRY(e->under_way.next, struct sim_segment, node)->stalled;
}

/* All start anew, also those that are still on the way: order is kept. */
static void end_healed(struct sim_end *e)
{
    e->last_arrival_ns = e->conn->world->now_ns;
    LIST_FOREACH (it, &e->under_way)
        segment_launch(LIST_ENTRY(it, struct sim_segment, node));
}

void sim_conn_healed(struct sim_conn *c)
{
    for (int i = 0; i < 2; i++) {
        struct sim_end *e = &c->ends[i];
        if (has_stalled(e) && !sim_net_is_cut(c->world, e->host, sim_end_other(e)->host))
            end_healed(e);
    }
}

/* ---- arrivals: `e` is the end that receives ---- */

static void wake_reader(struct sim_end *e)
{
    if (e->stream)
        sim_stream_on_input(e->stream);
}

static void end_closed(struct sim_end *e)
{
    if (e->stream)
        sim_stream_detach(e->stream);
    e->stream = NULL;
    e->loop = NULL;
    list_remove(&e->object.node);
    if (e == &e->conn->ends[1])
        list_remove(&e->conn->backlog);
    loop_timer_free(e->linger);
    e->linger = NULL;
    buf_fini(&e->unsent);
    buf_fini(&e->inbox);
}

static void arrive_data(struct sim_end *e, const struct sim_segment *s)
{
    if (!e->loop) {
        segment_send(e, SEGMENT_RST, NULL, 0);
        return;
    }
    if (e->lingering) {
        segment_send(e, SEGMENT_READ, NULL, s->len);
        return;
    }
    if (e->broken)
        return;
    CHECK(buf_append(&e->inbox, s->data, s->len) == 0);
    wake_reader(e);
}

static void arrive_read(struct sim_end *e, size_t len)
{
    CHECK(e->unread_bytes >= len);
    e->unread_bytes -= len;
    if (e->loop)
        end_pump(e);
}

static void arrive_fin(struct sim_end *e)
{
    if (!e->loop)
        return;
    if (!e->end_err)
        e->end_err = ERR_CLOSED;
    if (e->lingering && e->fin_sent)
        end_closed(e);
    else
        wake_reader(e);
}

static void arrive_rst(struct sim_end *e)
{
    if (!e->loop)
        return;
    if (e->lingering) {
        end_closed(e);
        return;
    }
    e->end_err = ERR_IO;
    e->broken = true;
    buf_clear(&e->unsent);
    if (e->queued && e->stream)
        sim_stream_on_drained(e->stream, ERR_CLOSED);
    e->queued = false;
    wake_reader(e);
}

static void arrive(struct sim_end *e, const struct sim_segment *s)
{
    switch (s->kind) {
    case SEGMENT_DATA:
        arrive_data(e, s);
        break;
    case SEGMENT_READ:
        arrive_read(e, s->len);
        break;
    case SEGMENT_FIN:
        arrive_fin(e);
        break;
    case SEGMENT_RST:
        arrive_rst(e);
        break;
    }
}

/* A cut holds what comes, in order; kernels send again, but not resets. */
static void segment_arrive(struct sim_event *event)
{
    struct sim_segment *s = CONTAINER_OF(event, struct sim_segment, event);
    struct sim_conn *c = s->from->conn;
    struct sim_end *to = sim_end_other(s->from);
    bool cut = sim_net_is_cut(c->world, s->from->host, to->host);
    if (cut && s->kind != SEGMENT_RST) {
        s->stalled = true;
        return;
    }
    if (!cut)
        arrive(to, s);
    segment_free(s);
    conn_release(c);
}

/* ---- sending ---- */

static size_t segment_len(struct sim_world *w, size_t most)
{
    if (most > SIM_READ_BYTES)
        most = SIM_READ_BYTES;
    return sim_random_below(w, 2) ? most : 1 + (size_t)sim_random_below(w, most);
}

static void send_fin(struct sim_end *e)
{
    segment_send(e, SEGMENT_FIN, NULL, 0);
    e->fin_sent = true;
    if (e->end_err)
        end_closed(e);
}

/* How much may be sent now. Not less than a good part of the window while more
 * waits, or segments would shrink to bytes (RFC 1122 section 4.2.3.4). */
static size_t sendable(const struct sim_end *e)
{
    size_t room = SIM_WINDOW_BYTES - e->unread_bytes;
    if (e->unsent.len <= room)
        return e->unsent.len;
    return room >= SIM_WINDOW_BYTES / 8 ? room : 0;
}

static bool has_room(const struct sim_end *e)
{
    return e->unsent.len == 0 && SIM_WINDOW_BYTES - e->unread_bytes >= SIM_WINDOW_BYTES / 8;
}

bool sim_end_ask_room(struct sim_end *e)
{
    e->room_wanted = !has_room(e);
    return !e->room_wanted;
}

static void end_pump(struct sim_end *e)
{
    size_t most;
    while ((most = sendable(e)) > 0) {
        size_t len = segment_len(e->conn->world, most);
        segment_send(e, SEGMENT_DATA, buf_data(&e->unsent), len);
        buf_consume(&e->unsent, len);
        e->unread_bytes += len;
    }
    if (e->unsent.len > 0) {
        e->queued = true;
        return;
    }
    bool room_found = e->room_wanted && has_room(e);
    if ((e->queued || room_found) && e->stream)
        sim_stream_on_drained(e->stream, 0);
    e->queued = false;
    e->room_wanted = e->room_wanted && !room_found;
    if (e->lingering && !e->fin_sent)
        send_fin(e);
}

void sim_end_write(struct sim_end *e, const void *data, size_t len)
{
    CHECK(buf_append(&e->unsent, data, len) == 0);
    end_pump(e);
}

void sim_end_read(struct sim_end *e, size_t len)
{
    buf_consume(&e->inbox, len);
    segment_send(e, SEGMENT_READ, NULL, len);
}

/* ---- closing ---- */

/* As close(2): what the kernel has taken is still sent; unread input resets. */
void sim_end_close(struct sim_end *e, bool reset)
{
    if (reset || e->unsent.len > 0 || e->inbox.len > 0)
        segment_send(e, SEGMENT_RST, NULL, 0);
    else if (!e->fin_sent)
        segment_send(e, SEGMENT_FIN, NULL, 0);
    end_closed(e);
    conn_release(e->conn);
}

/* What the process had not handed to its kernel is lost without a trace, so
 * that an orderly end may follow half of what it meant to say. */
static void end_kill(struct sim_object *o)
{
    struct sim_end *e = CONTAINER_OF(o, struct sim_end, object);
    buf_clear(&e->unsent);
    sim_end_close(e, sim_random_below(e->conn->world, 2) == 0);
}

static void on_linger_end(void *arg)
{
    sim_end_close(arg, false);
}

void sim_end_linger(struct sim_end *e, int64_t linger_ms)
{
    if (linger_ms <= 0 || e->broken) {
        sim_end_close(e, false);
        return;
    }
    e->stream = NULL;
    e->lingering = true;
    e->linger = loop_timer_new(&e->loop->base, on_linger_end, e);
    loop_timer_start(e->linger, linger_ms);
    if (e->inbox.len > 0)
        sim_end_read(e, e->inbox.len);
    end_pump(e);
}

void sim_conn_reset(struct sim_conn *c)
{
    arrive_rst(&c->ends[0]);
    arrive_rst(&c->ends[1]);
}
