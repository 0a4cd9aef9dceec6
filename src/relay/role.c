#include "relay/role_impl.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "relay/clients.h"
#include "relay/custody.h"
#include "relay/directory_copy.h"
#include "relay/edge.h"
#include "relay/expiry.h"
#include "relay/known_users.h"
#include "relay/list_watch.h"
#include "relay/listeners.h"
#include "relay/observer.h"
#include "relay/orders.h"
#include "relay/outside.h"
#include "relay/owned.h"
#include "relay/recipients.h"
#include "relay/rights.h"
#include "relay/safety_net.h"
#include "relay/spool.h"
#include "relay/target.h"
#include "relay/target_instance.h"
#include "store/presence.h"
#include "store/view.h"

#define OBSERVE_PER_LEASE 5 /* heartbeats in the time after which a relay counts as dead */

/* ---- targets ---- */

static void on_observed(void *arg, struct target *t)
{
    struct relay_role *r = arg;
    (void)t;
    if (r->observer)
        observer_kick(r->observer);
}

static void on_to_tell(void *arg, struct target *t, struct queue *q)
{
    struct relay_role *r = arg;
    (void)t;
    for (size_t i = 0; i < r->custody_count; i++)
        if (r->custodies[i]->queue == q)
            custody_tell(r->custodies[i]);
}

static const struct target_ops target_ops = {.observed = on_observed, .to_tell = on_to_tell};

/* ---- queues ---- */

static struct target *asked_target(void *arg, const struct config_domain *domain)
{
    const struct relay_role *r = arg;
    return role_target_of_domain(r, domain, viewer_view(r->viewer));
}

static void on_report(void *arg, struct queue *q, struct str domain, struct str home)
{
    role_mail_came(arg, q, domain, home);
}

static struct custody *add_custody(struct relay_role *r, struct queue *q, bool own)
{
    struct custody_options options = {.network = store_network(r->options.store),
                                      .config = r->options.config,
                                      .relay = r->options.relay,
                                      .work = &r->work,
                                      .outside = r->outside,
                                      .right = right_new(r->rights, q, own, viewer_view(r->viewer)),
                                      .on_report = on_report,
                                      .arg = r};
    r->custodies = mem_reallocarray(r->custodies, r->custody_count + 1, sizeof(*r->custodies));
    r->custodies[r->custody_count] = custody_new(r->loop, q, &options);
    return r->custodies[r->custody_count++];
}

static void on_gained(void *arg, struct queue *q, bool own)
{
    struct relay_role *r = arg;
    struct custody *c = add_custody(r, q, own);
    role_add_streams(r, c);
    if (!own)
        return;
    edge_set_queue(r->edge, q);
    observer_set_queue(r->observer, q);
    if (r->spool)
        spool_set_queue(r->spool, q);
}

/* The streams of the queue are gone. */
static void remove_custody(struct relay_role *r, const struct queue *q)
{
    for (size_t i = r->custody_count; i > 0; i--) {
        struct custody *c = r->custodies[i - 1];
        if (c->queue != q)
            continue;
        custody_free(c);
        r->custodies[i - 1] = r->custodies[--r->custody_count];
    }
}

static void on_losing(void *arg, struct queue *q, bool own)
{
    struct relay_role *r = arg;
    orders_drop_queue(r->orders, q);
    if (own) {
        edge_set_queue(r->edge, NULL);
        observer_set_queue(r->observer, NULL);
    }
    if (own && r->spool)
        spool_set_queue(r->spool, NULL);
    for (size_t i = 0; i < r->options.config->server_count; i++)
        target_drop_queue(r->targets[i], q);
    role_remove_streams(r, q);
    remove_custody(r, q);
}

/* Without the store its last users are good enough, if none were read since. */
static void on_refused(void *arg, int err)
{
    struct relay_role *r = arg;
    edge_set_refusal(r->edge, err);
    if (err == ERR_UNAVAILABLE && r->directory_copy)
        directory_copy_use(r->directory_copy);
}

static const struct owned_ops owned_ops = {.gained = on_gained, .losing = on_losing, .refused = on_refused};

static void on_accepted(void *arg, const struct config_domain *domain)
{
    struct relay_role *r = arg;
    struct queue *own = owned_queue(r->owned, str_from(r->options.relay->name));
    if (domain)
        on_report(r, own, str_from(domain->name), STR_EMPTY);
    else
        on_to_tell(r, NULL, own);
}

static void on_spooled(void *arg, size_t recipients)
{
    spool_took(((struct relay_role *)arg)->spool, recipients);
}

static const struct edge_ops edge_ops = {.accepted = on_accepted, .spooled = on_spooled};

/* ---- the spool ---- */

/* One that was left by a relay which had it configured is emptied, and gets nothing. */
static void on_spool_opened(void *arg, struct queue *q)
{
    struct relay_role *r = arg;
    if (r->options.relay->spool == SPOOL_YES)
        edge_set_spool(r->edge, q);
}

static void on_handed(void *arg, struct str domain, struct str home, bool stopped)
{
    struct relay_role *r = arg;
    struct queue *own = owned_queue(r->owned, str_from(r->options.relay->name));
    if (stopped)
        on_to_tell(r, NULL, own);
    else
        on_report(r, own, domain, home);
}

static const struct spool_ops spool_ops = {.opened = on_spool_opened, .handed = on_handed};

static void make_spool(struct relay_role *r)
{
    struct spool_options options = {.store = r->options.spool,
                                    .network = store_network(r->options.store),
                                    .relay = r->options.relay,
                                    .work = &r->work};
    if (r->options.spool)
        r->spool = spool_new(r->loop, &options, &spool_ops, r);
    if (r->options.spool && r->options.relay->spool == SPOOL_YES)
        r->directory_copy = directory_copy_new(r->loop, store_network(r->options.spool), &r->recipients);
    r->known_users.copy = r->directory_copy;
}

/* ---- what operators order ---- */

static size_t on_queue_changed(void *arg, struct queue *q, const struct queue_filter *filter)
{
    struct relay_role *r = arg;
    size_t in_flight = 0;
    for (size_t i = 0; i < r->stream_count; i++) {
        struct stream *s = r->streams[i];
        if (s->custody->queue != q)
            continue;
        source_reset(s->source);
        expiry_kick(s->expiry);
        in_flight += source_in_flight(s->source, filter);
    }
    for (size_t i = 0; i < r->custody_count; i++)
        if (r->custodies[i]->queue == q)
            in_flight += custody_changed(r->custodies[i], filter);
    return in_flight;
}

/* ---- the right to send ---- */

static void tell_targets_of_store(struct relay_role *r, bool answers)
{
    for (size_t i = 0; i < r->options.config->server_count; i++)
        target_on_store(r->targets[i], answers);
}

/* So long after our own return instances have theirs, if they live. */
static int64_t return_ms(const struct relay_role *r)
{
    int64_t lease_ms = r->options.config->lease_ms;
    return lease_ms > STORE_RETURN_MS ? lease_ms : STORE_RETURN_MS;
}

static void on_store_back(void *arg)
{
    tell_targets_of_store(arg, true);
}

static void on_lease_held(void *arg)
{
    struct relay_role *r = arg;
    loop_timer_start(r->store_timer, return_ms(r));
    rights_on_held(r->rights, presence_lease(r->presence));
    viewer_refresh(r->viewer);
}

static void on_lease_lost(void *arg)
{
    struct relay_role *r = arg;
    rights_on_lost(r->rights);
    loop_timer_stop(r->store_timer);
    tell_targets_of_store(r, false);
}

/* ---- the network's state ---- */

static void update_peer_key(struct relay_role *r, const struct view *v)
{
    if (r->peer_key_known || v->peer_secret_hex.len == 0)
        return;
    if (peer_key_parse(v->peer_secret_hex, &r->peer_key) < 0) {
        log_event(LOG_ERROR, "the network's peer key is broken", LOG_TEXT("record", "secret/peer"));
        return;
    }
    r->peer_key_known = true;
    clients_set_peer_key(r->clients, &r->peer_key);
    edge_set_peer_key(r->edge, &r->peer_key);
}

static void on_view(void *arg, const struct view *v)
{
    struct relay_role *r = arg;
    update_peer_key(r, v);
    known_users_on_view(&r->known_users, v);
    target_instances_set(r->options.config, r->targets, v);
    owned_on_view(r->owned, v);
    role_route_streams(r);
    bool anew = rights_on_view(r->rights, v);
    for (size_t i = 0; anew && i < r->custody_count; i++)
        custody_may_send(r->custodies[i]);
    orders_on_view(r->orders, v);
}

/* ---- start and stop ---- */

static void on_stream_accept(void *arg, struct loop_stream *stream, const struct addr *peer)
{
    struct relay_role *r = arg;
    edge_accept(r->edge, stream, peer);
}

static void make_targets(struct relay_role *r)
{
    const struct config *config = r->options.config;
    r->targets = mem_calloc(config->server_count, sizeof(*r->targets));
    for (size_t i = 0; i < config->server_count; i++) {
        struct target_options options = {.config = config,
                                         .server = &config->servers[i],
                                         .relay = r->options.relay,
                                         .client = clients_options(r->clients, &config->servers[i]),
                                         .work = &r->work};
        r->targets[i] = target_new(r->loop, &options, &target_ops, r);
    }
}

static void make_outside(struct relay_role *r)
{
    struct outside_options options = {.config = r->options.config,
                                      .relay = r->options.relay,
                                      .resolver = r->options.resolver,
                                      .client = clients_outside(r->clients),
                                      .work = &r->work};
    r->outside = outside_new(r->loop, &options);
}

static void make_edge(struct relay_role *r)
{
    struct verify_options verify = {.config = r->options.config,
                                    .network = store_network(r->options.store),
                                    .clients = r->clients,
                                    .known_users = &r->known_users,
                                    .target_of = asked_target,
                                    .arg = r};
    r->verify = verify_new(r->loop, &verify);
    r->tls = tls_server_new(r->loop, r->options.relay->certificates, r->options.relay->certificate_count);
    struct edge_options edge = {.config = r->options.config,
                                .relay = r->options.relay,
                                .recipients = &r->recipients,
                                .verify = r->verify,
                                .servers = {r->clients, verify_server_of, r->verify},
                                .work = &r->work,
                                .tls = r->tls,
                                .descriptors_max = r->options.descriptors_max};
    r->edge = edge_new(r->loop, &edge, &edge_ops, r);
}

static struct presence *make_presence(struct relay_role *r)
{
    const struct config_relay *relay = r->options.relay;
    struct presence_options options = {.kind = PRESENCE_RELAY,
                                       .name = relay->name,
                                       .node = relay->node->name,
                                       .site = relay->node->site->name,
                                       .lease_ms = r->options.config->lease_ms,
                                       .boot_id = r->options.boot_id,
                                       .pid_ns = r->options.pid_ns,
                                       .supervisor_pid = r->options.supervisor_pid,
                                       .ops = {.held = on_lease_held, .lost = on_lease_lost},
                                       .arg = r};
    return presence_new(r->loop, store_network(r->options.store), &options);
}

int relay_role_start(struct loop *l, const struct relay_role_options *options, struct relay_role **ret_role,
                     struct err_buf *eb)
{
    struct relay_role *r = mem_zalloc(sizeof(*r));
    const struct config *config = options->config;
    r->loop = l;
    r->options = *options;
    r->work.since_ms = loop_wall(l).ms;
    r->list_watch = list_watch_new(l, config, &r->recipients);
    int rc = recipients_init(&r->recipients, config, eb);
    if (rc < 0) {
        list_watch_free(r->list_watch);
        free(r);
        return rc;
    }
    known_users_init(&r->known_users, l, store_network(options->store), &r->recipients);
    r->clients = clients_new(l, config, options->relay);
    make_edge(r);
    make_targets(r);
    make_outside(r);
    r->rights = rights_new(l, store_network(options->store), options->relay->node->name, r->targets,
                           config->server_count);
    r->store_timer = loop_timer_new(l, on_store_back, r);
    make_spool(r);
    r->owned = owned_new(l, options->store, config, options->relay, &owned_ops, r);
    r->orders = orders_new(options->store, config, r->owned, on_queue_changed, r);
    r->observer =
        observer_new(l, store_network(options->store), options->relay, config->lease_ms / OBSERVE_PER_LEASE,
                     r->targets, config->server_count, &r->work);
    r->viewer = viewer_new(l, store_network(options->store), on_view, r);
    rc = listeners_open(&r->listeners, l, &options->relay->listen, options->listen_fds, on_stream_accept, r,
                        eb);
    if (rc < 0) {
        relay_role_free(r);
        return rc;
    }
    tell_targets_of_store(r, false);
    r->presence = make_presence(r); /* last: it says that the relay takes mail */
    *ret_role = r;
    return 0;
}

int relay_role_reload(struct relay_role *r, struct err_buf *eb)
{
    int rc = recipients_reload(&r->recipients, eb);
    if (rc < 0)
        return rc;
    edge_reload(r->edge);
    tls_server_set(r->tls, r->options.relay->certificates, r->options.relay->certificate_count);
    for (size_t i = 0; i < r->stream_count; i++)
        expiry_kick(r->streams[i]->expiry);
    clients_reload(r->clients);
    for (size_t i = 0; i < r->custody_count; i++)
        custody_reload(r->custodies[i]);
    for (size_t i = 0; i < r->options.config->server_count; i++)
        target_reload(r->targets[i]);
    return 0;
}

static void on_stop_timer(void *arg)
{
    struct relay_role *r = arg;
    verify_flush(r->verify);
    bool busy = edge_session_count(r->edge) > 0 || verify_busy(r->verify);
    if (busy && mono_before(loop_now(r->loop), r->stop_deadline)) {
        loop_timer_start(r->stop_timer, 20);
        return;
    }
    r->on_stopped(r->stop_arg); /* last: the callee may free r */
}

void relay_role_stop(struct relay_role *r, int64_t grace_ms, void (*on_stopped)(void *arg), void *arg)
{
    r->on_stopped = on_stopped;
    r->stop_arg = arg;
    r->stop_deadline = mono_add_ms(loop_now(r->loop), grace_ms);
    listeners_close(&r->listeners);
    edge_shutdown(r->edge);
    r->stop_timer = loop_timer_new(r->loop, on_stop_timer, r);
    loop_timer_start(r->stop_timer, 0);
}

void relay_role_free(struct relay_role *r)
{
    listeners_close(&r->listeners);
    loop_timer_free(r->stop_timer);
    viewer_free(r->viewer);
    known_users_fini(&r->known_users);
    owned_free(r->owned); /* tells all below of the queues that go */
    observer_free(r->observer);
    spool_free(r->spool);
    orders_free(r->orders);
    presence_free(r->presence);
    loop_timer_free(r->store_timer);
    rights_free(r->rights);
    edge_free(r->edge);
    tls_server_free(r->tls);
    verify_free(r->verify);
    for (size_t i = 0; i < r->options.config->server_count; i++)
        target_free(r->targets[i]);
    free(r->targets);
    outside_free(r->outside);
    clients_free(r->clients);
    free(r->streams);
    free(r->custodies);
    list_watch_free(r->list_watch);
    directory_copy_free(r->directory_copy);
    recipients_fini(&r->recipients);
    free(r);
}
