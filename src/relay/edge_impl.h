/* The inside of the edge: for edge.c (its life, who comes in) and edge_session.c (what a session asks). */
#ifndef HOLDFAST_RELAY_EDGE_IMPL_H
#define HOLDFAST_RELAY_EDGE_IMPL_H

#include "base/list.h"
#include "relay/door.h"
#include "relay/edge.h"
#include "relay/envelope.h"
#include "relay/loop_guard.h"
#include "relay/spool_choice.h"
#include "smtp/server_connection.h"

struct edge {
    struct loop *loop;
    struct edge_options options;
    struct smtp_server_options server_options;
    char address[ADDR_TEXT_MAX]; /* where our own parts come to */
    const struct edge_ops *ops;
    void *arg;
    struct queue *queue, *spool; /* NULL: there is none */
    bool closing;
    struct list sessions;
    struct envelope_room envelopes;
    struct door door;
};

struct edge_session {
    struct list node;
    struct door_visitor visitor;
    struct edge *edge;
    struct smtp_server_connection *connection;
    struct smtp_server *server;
    char client_ip[ADDR_TEXT_MAX];
    char limit_text[LIMITS_TEXT_MAX];

    /* the transaction */
    struct custody_id custody_id;
    struct wall_time received_at;
    uint64_t size_bytes;
    struct envelope envelope;
    struct envelope_rcpt asked;  /* the RCPT whose answer waits for a verdict; address NULL: none */
    struct verify_waiter waiter; /* its */
    struct queue *into;          /* the message: since its body began */
    struct body_writer *body;
    struct loop_guard guard;
    struct store_op *accept_op;
};

/* Begins a session with the visitor of s, who was let in; takes the stream. s is zero else, and frees itself
 * when its connection is gone. */
void edge_session_start(struct edge *e, struct edge_session *s, struct loop_stream *stream,
                        const struct addr *peer);
/* Where a message goes that comes now; err ERR_CLOSED: the edge takes none. */
struct spool_choice edge_choose(const struct edge *e);
/* This queue is closed, or another one was opened (NULL): a message on its way there is not taken, and an
 * open question gets 421 where the edge takes no mail any more; a session whose commit may come yet, or not,
 * is cut. */
void edge_session_end_unanswered(struct edge_session *s, const struct queue *closed);

#endif
