/* The inside of the role: for role.c (its life, what it is told) and role_streams.c (what of which queue goes
 * where). */
#ifndef HOLDFAST_RELAY_ROLE_IMPL_H
#define HOLDFAST_RELAY_ROLE_IMPL_H

#include "auth/peer.h"
#include "relay/known_users.h"
#include "relay/listeners.h"
#include "relay/recipients.h"
#include "relay/role.h"
#include "store/records.h"
#include "store/view.h"

struct custody;
struct target;

/* Mail of one queue for one domain, or with one server as its own home. */
struct stream {
    struct custody *custody;            /* of its queue */
    const struct config_domain *domain; /* NULL: by home */
    struct source *source;
    struct expiry *expiry;
    struct target *target; /* that it is under now */
};

struct relay_role {
    struct loop *loop;
    struct relay_role_options options;
    struct recipients recipients;
    struct known_users known_users;
    struct directory_copy *directory_copy; /* NULL: nobody would read it */
    struct list_watch *list_watch;
    struct verify *verify;
    struct tls_server *tls;
    struct edge *edge;
    struct listeners listeners;
    struct clients *clients;
    struct peer_key peer_key;
    bool peer_key_known;
    struct target **targets; /* one for each server of the configuration */
    struct outside *outside;
    struct presence *presence;
    struct rights *rights;
    struct viewer *viewer;
    struct owned *owned;
    struct orders *orders;
    struct spool *spool; /* NULL: it has none */
    struct observer *observer;
    struct stream **streams;
    size_t stream_count;
    struct custody **custodies;
    size_t custody_count;
    struct record_work work;

    struct loop_timer *store_timer; /* until the servers' instances have their leases again, if they live */
    struct loop_timer *stop_timer;
    struct mono_time stop_deadline;
    void (*on_stopped)(void *arg);
    void *stop_arg;
};

/* Where the domain's mail goes by the network's view; NULL: there is none yet. */
struct target *role_target_of_domain(const struct relay_role *r, const struct config_domain *domain,
                                     const struct view *v);
/* The view changed. */
void role_route_streams(struct relay_role *r);
/* Of a queue that is ours now; of one that is not any more. */
void role_add_streams(struct relay_role *r, struct custody *c);
void role_remove_streams(struct relay_role *r, const struct queue *q);
/* Mail for that place is in the queue. */
void role_mail_came(struct relay_role *r, struct queue *q, struct str domain, struct str home);

#endif
