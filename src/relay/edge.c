#include "base/mem.h"
#include "relay/edge_impl.h"

static void make_room(void *arg, struct admission_slot *slot)
{
    (void)arg;
    smtp_server_connection_make_room(CONTAINER_OF(slot, struct edge_session, visitor.slot)->connection);
}

struct edge *edge_new(struct loop *l, const struct edge_options *options, const struct edge_ops *ops,
                      void *arg)
{
    struct edge *e = mem_zalloc(sizeof(*e));
    e->loop = l;
    e->options = *options;
    e->ops = ops;
    e->arg = arg;
    list_init(&e->sessions);
    door_init(&e->door, l, options->config, options->relay, options->descriptors_max, options->work,
              make_room);
    e->server_options = (struct smtp_server_options){
        .flavour = SMTP_FLAVOUR_SMTP,
        .hostname = options->relay->hostname,
        .size_max_bytes = (uint64_t)options->relay->message_size_max_bytes,
        .smtputf8 = true,
        .dsn = true,
        .normalises = options->relay->bare_newlines == BARE_NEWLINES_NORMALISE,
        .tls = options->tls,
        .peer = {PEER_RELAY, options->relay->name},
        .peer_address = e->address,
    };
    if (options->relay->listen.count > 0)
        addr_format_ip(&options->relay->listen.addrs[0], e->address); /* as mailbox/relays.h has it */
    edge_reload(e);
    return e;
}

void edge_reload(struct edge *e)
{
    door_reload(&e->door);
    e->server_options.recipients_max = (size_t)e->options.relay->recipients_max;
    e->server_options.errors_max = (unsigned)e->options.relay->errors_max;
    e->server_options.idle_timeout_ms = e->options.relay->idle_timeout_ms;
}

void edge_set_peer_key(struct edge *e, const struct peer_key *key)
{
    e->server_options.peer_key = key;
}

void edge_free(struct edge *e)
{
    LIST_FOREACH (it, &e->sessions)
        smtp_server_connection_free(LIST_ENTRY(it, struct edge_session, node)->connection);
    door_fini(&e->door);
    free(e);
}

static void on_client(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct edge *e = arg;
    struct edge_session *s = mem_zalloc(sizeof(*s));
    if (!door_admit(&e->door, stream, peer, &s->visitor)) {
        e->options.work->refused_later++;
        free(s);
        return;
    }
    e->options.work->sessions++;
    edge_session_start(e, s, stream, peer);
}

void edge_accept(struct edge *e, struct loop_stream *stream, const struct addr *peer)
{
    door_open(&e->door, stream, peer, on_client, e);
}

static void set(struct edge *e, struct queue **place, struct queue *q)
{
    const struct queue *closed = *place;
    if (closed == q)
        return;
    *place = q;
    LIST_FOREACH (it, &e->sessions)
        edge_session_end_unanswered(LIST_ENTRY(it, struct edge_session, node), closed);
}

void edge_set_queue(struct edge *e, struct queue *q)
{
    set(e, &e->queue, q);
}

void edge_set_spool(struct edge *e, struct queue *q)
{
    set(e, &e->spool, q);
}

struct spool_choice edge_choose(const struct edge *e)
{
    struct spool_choice closed = {false, ERR_CLOSED};
    struct spool_choice choice = spool_choose(e->queue ? queue_health(e->queue) : e->door.refusal, e->spool,
                                              e->spool ? queue_health(e->spool) : 0);
    bool somewhere = choice.spools || e->queue;
    return e->closing || !somewhere ? closed : choice;
}

void edge_set_refusal(struct edge *e, int err)
{
    e->door.refusal = err;
}

void edge_shutdown(struct edge *e)
{
    e->closing = true;
    LIST_FOREACH (it, &e->sessions)
        smtp_server_shutdown(LIST_ENTRY(it, struct edge_session, node)->server, NULL);
}

size_t edge_session_count(const struct edge *e)
{
    return door_session_count(&e->door);
}
