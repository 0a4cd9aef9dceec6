/* The relay's edge: SMTP in. Takes mail for the network's recipients into the
 * relay's own queue, and says 250 only when it is durable there. While the
 * queue is not ours, new sessions get 421 at once, so that senders go on to
 * another relay; while it takes nothing, MAIL gets 452 or 451. A relay that has a
 * spool takes mail into that while the store cannot be reached (spool_choice.h),
 * and its 250 says so.
 *
 * What survives a crash: every message that was answered with 250. */
#ifndef HOLDFAST_RELAY_EDGE_H
#define HOLDFAST_RELAY_EDGE_H

#include <stdbool.h>

#include "auth/peer.h"
#include "base/addr.h"
#include "config/config.h"
#include "loop/loop.h"
#include "net/tls_server.h"
#include "relay/fit.h"
#include "relay/recipients.h"
#include "relay/verify.h"
#include "store/queue.h"
#include "store/records.h"

struct edge;

struct edge_options {
    const struct config *config;
    const struct config_relay *relay;
    const struct recipients *recipients; /* must outlive the edge */
    struct verify *verify;               /* the same */
    struct fit_servers servers;          /* who has to take the mail */
    struct record_work *work;            /* is counted into; the same */
    struct tls_server *tls;              /* the same */
    int64_t descriptors_max;             /* of this process (net/descriptors.h); 0: not known */
};

struct edge_ops {
    /* For each recipient domain of a message that has become durable; once with NULL when the loop guard has
     * put it into quarantine instead: somebody must know. */
    void (*accepted)(void *arg, const struct config_domain *domain);
    /* A message of so many recipients has become durable in the spool. */
    void (*spooled)(void *arg, size_t recipients);
};

struct edge *edge_new(struct loop *l, const struct edge_options *options, const struct edge_ops *ops,
                      void *arg);
/* For sessions of our own parts, which say whether a user has logged in; key must outlive the edge. */
void edge_set_peer_key(struct edge *e, const struct peer_key *key);
/* Cuts all sessions. */
void edge_free(struct edge *e);

/* A new connection; takes the stream. */
void edge_accept(struct edge *e, struct loop_stream *stream, const struct addr *peer);

/* The configuration changed in place (config_exchange): holds for open sessions, too. */
void edge_reload(struct edge *e);

/* The relay's own queue, or NULL while it has none. Before a queue is closed the
 * edge must be told: messages under way get 421, unanswered. */
void edge_set_queue(struct edge *e, struct queue *q);
/* Where mail goes while the store of the queue cannot be reached, or NULL; closed in the same way. */
void edge_set_spool(struct edge *e, struct queue *q);
/* Why there is no queue: the greeting says it, in general words (err as in base/err.h; 0: none). */
void edge_set_refusal(struct edge *e, int err);

/* No new sessions (421), those that are open end when their message is done. */
void edge_shutdown(struct edge *e);
size_t edge_session_count(const struct edge *e);

#endif
