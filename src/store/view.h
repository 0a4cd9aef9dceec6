/* A typed snapshot of the network's records, kept up to date: what relays, name
 * servers, status pages and the CLI look at. Reads all of the asked kinds again
 * after each change; a failed reading is tried again and leaves the last
 * snapshot standing (its age tells). */
#ifndef HOLDFAST_STORE_VIEW_H
#define HOLDFAST_STORE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "loop/loop.h"
#include "store/network.h"
#include "store/records.h"
#include "store/store.h"

/* version: of the record, for compare-and-set. */
struct view_server {
    struct str name;
    struct record_server record;
    int64_t version;
};
struct view_route {
    struct str domain;
    struct record_route record;
    int64_t version;
};
struct view_queue {
    struct str name;
    struct record_queue record;
    int64_t version;
};
struct view_node {
    struct str name;
    struct record_node record;
    int64_t version;
};
struct view_site {
    struct str name;
    struct record_site record;
    int64_t version;
};
struct view_observation {
    struct str node, server;
    struct record_observation record;
    int64_t age_ms;
};
struct view_work {
    struct str relay;
    struct record_work record;
    int64_t version;
};
struct view_order {
    struct str key;
    struct record_order record;
    int64_t version, age_ms;
};
struct view_lease {
    struct str name, holder;
    int64_t token, remaining_ms;
};

struct view {
    struct view_server *servers;
    size_t server_count;
    struct view_route *routes;
    size_t route_count;
    struct view_queue *queues;
    size_t queue_count;
    struct view_node *nodes;
    size_t node_count;
    struct view_site *sites;
    size_t site_count;
    struct view_observation *observations;
    size_t observation_count;
    struct view_work *works;
    size_t work_count;
    struct view_order *orders; /* read before all others: a record is at least as new as the order about it */
    size_t order_count;
    struct view_lease *leases;
    size_t lease_count;
    struct str peer_secret_hex; /* "" while there is none */
    int64_t users_revision;     /* grows when any user changed */
    struct mono_time read_at;   /* when the reading began */
};

/* NULL when not there. */
const struct view_server *view_server_find(const struct view *v, struct str name);
const struct view_route *view_route_find(const struct view *v, struct str domain);
/* Whose the mail of the domain is: the route's server, or `home` while there is no route. */
struct str view_route_server(const struct view *v, struct str domain, struct str home);
const struct view_queue *view_queue_find(const struct view *v, struct str name);
const struct view_node *view_node_find(const struct view *v, struct str name); /* as its director wrote it */
/* What the parts of the node that live say: its director, or else a relay there. NULL: none lives, or none
 * wrote. */
const struct view_node *view_node_told(const struct view *v, struct str node);
const struct view_site *view_site_find(const struct view *v, struct str name);
const struct view_work *view_work_find(const struct view *v, struct str relay);
const struct view_order *view_order_find(const struct view *v, struct str key);
const struct view_lease *view_lease_find(const struct view *v, struct str name);
/* Who lives, by the leases of store/presence.h and the store's clock. A director and a relay are processes
 * that die alone; one question wants the one, another the other:
 * - the node's director: its agent can carry out orders there (create, destroy, fence). */
bool view_agent_is_alive(const struct view *v, struct str node);
/* - the relay of this name: it takes mail. */
bool view_relay_is_alive(const struct view *v, struct str relay);
/* - a relay on the node: it can own queues, and its observations count. */
bool view_node_relays(const struct view *v, struct str node);
/* - as before, or one did not longer than grace_ms ago. */
bool view_node_relayed(const struct view *v, struct str node, int64_t grace_ms);
/* - the node itself: any of them shows that it does. */
bool view_node_is_alive(const struct view *v, struct str node);
/* Whether what o says is of now: the relay that observed it lives. */
bool view_observation_is_heard(const struct view *v, const struct view_observation *o);
/* The newest one about this server that is heard, or NULL. */
const struct view_observation *view_observation_newest(const struct view *v, struct str server);

/* Tells the store which sites are recorded as lost. */
void view_tell_lost_sites(const struct view *v, struct store *s);

struct viewer;

/* on_view fires after the first complete reading and after each later one that
 * followed a change; the view is valid until the next call. */
struct viewer *viewer_new(struct loop *l, struct network *n, void (*on_view)(void *arg, const struct view *v),
                          void *arg);
void viewer_free(struct viewer *w); /* NULL is allowed */
/* The last snapshot, or NULL before the first. */
const struct view *viewer_view(const struct viewer *w);
/* Reads again soon though nothing fired (leases that ran out change nothing). */
void viewer_refresh(struct viewer *w);

#endif
