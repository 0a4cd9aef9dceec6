/* The role's streams: what of which queue goes where. */
#include "base/mem.h"
#include "relay/custody.h"
#include "relay/expiry.h"
#include "relay/role_impl.h"
#include "relay/source.h"
#include "relay/target.h"

/* ---- where to ---- */

static struct target *target_by_name(const struct relay_role *r, struct str server)
{
    for (size_t i = 0; i < r->options.config->server_count; i++)
        if (str_eq(str_from(r->options.config->servers[i].name), server))
            return r->targets[i];
    return NULL;
}

/* Who has the mail of server's identity: itself, or the standby that serves it. */
static struct target *server_now(const struct relay_role *r, struct str server, const struct view *v)
{
    const struct view_server *record = v ? view_server_find(v, server) : NULL;
    struct target *standby =
        record && record->record.served_by.len ? target_by_name(r, record->record.served_by) : NULL;
    return standby ? standby : target_by_name(r, server);
}

struct target *role_target_of_domain(const struct relay_role *r, const struct config_domain *domain,
                                     const struct view *v)
{
    const struct view_route *route = v ? view_route_find(v, str_from(domain->name)) : NULL;
    struct target *routed = route ? server_now(r, route->record.server, v) : NULL;
    return routed ? routed : server_now(r, str_from(domain->server->name), v);
}

static struct target *route_of(const struct relay_role *r, const struct stream *s, const struct view *v)
{
    return s->domain ? role_target_of_domain(r, s->domain, v) : server_now(r, source_home(s->source), v);
}

static void route_stream(struct relay_role *r, struct stream *s)
{
    struct target *to = route_of(r, s, viewer_view(r->viewer));
    if (to == s->target)
        return;
    if (s->target) {
        target_remove_source(s->target, s->source);
        source_wake(s->source);
    }
    s->target = to;
    target_add_source(to, s->source);
}

static void on_source_ready(void *arg)
{
    struct stream *s = arg;
    if (s->target)
        target_kick(s->target);
}

static bool may_expire(void *arg)
{
    return right_is_held(((struct stream *)arg)->custody->right);
}

static void on_expired(void *arg, size_t count)
{
    struct stream *s = arg;
    source_read_again(s->source);
    custody_expired(s->custody, count);
}

static const struct expiry_ops expiry_ops = {may_expire, on_expired};

void role_route_streams(struct relay_role *r)
{
    for (size_t i = 0; i < r->stream_count; i++)
        route_stream(r, r->streams[i]);
}

/* ---- which ---- */

static void add_stream(struct relay_role *r, struct custody *c, const struct config_domain *domain,
                       struct str home)
{
    struct stream *s = mem_zalloc(sizeof(*s));
    struct str domain_name = str_from(domain ? domain->name : "");
    s->custody = c;
    s->domain = domain;
    s->source = source_new(r->loop, c->queue, c->right, c->claims, domain_name, home, on_source_ready, s);
    s->expiry = expiry_new(r->loop, c->queue, domain_name, home, r->options.relay, &expiry_ops, s);
    r->streams = mem_reallocarray(r->streams, r->stream_count + 1, sizeof(*r->streams));
    r->streams[r->stream_count++] = s;
    route_stream(r, s);
}

void role_add_streams(struct relay_role *r, struct custody *c)
{
    for (size_t i = 0; i < r->options.config->domain_count; i++)
        add_stream(r, c, &r->options.config->domains[i], STR_EMPTY);
    for (size_t i = 0; i < r->options.config->server_count; i++)
        add_stream(r, c, NULL, str_from(r->options.config->servers[i].name));
}

static void remove_stream(struct relay_role *r, size_t at)
{
    struct stream *s = r->streams[at];
    if (s->target)
        target_remove_source(s->target, s->source);
    expiry_free(s->expiry);
    source_free(s->source);
    free(s);
    r->streams[at] = r->streams[--r->stream_count];
}

void role_remove_streams(struct relay_role *r, const struct queue *q)
{
    for (size_t i = r->stream_count; i > 0; i--)
        if (r->streams[i - 1]->custody->queue == q)
            remove_stream(r, i - 1);
}

/* ---- what came ---- */

void role_mail_came(struct relay_role *r, struct queue *q, struct str domain, struct str home)
{
    for (size_t i = 0; i < r->stream_count; i++) {
        const struct stream *s = r->streams[i];
        bool there = home.len > 0 ? str_eq(source_home(s->source), home)
                                  : s->domain && str_eq(str_from(s->domain->name), domain);
        if (s->custody->queue == q && there)
            source_kick(s->source);
    }
    for (size_t i = 0; i < r->custody_count; i++)
        if (r->custodies[i]->queue == q && str_eq(home, STR(QUEUE_HOME_OUTSIDE)))
            custody_accepted_outside(r->custodies[i]);
}
