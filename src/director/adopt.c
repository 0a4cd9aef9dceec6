#include "director/adopt.h"

#include "director/agree.h"
#include "director/named.h"
#include "store/records.h"

/* ---- queues ---- */

static bool can_own(const struct view *v, const struct config_node *n)
{
    return (n->roles & ROLE_RELAY) && agree_relay_lives(v, n);
}

static const struct config_node *heir(const struct view *v, const struct config *c,
                                      const struct config_site *site)
{
    const struct config_node *other = NULL;
    for (size_t i = 0; i < c->node_count; i++) {
        const struct config_node *n = &c->nodes[i];
        if (!can_own(v, n))
            continue;
        if (n->site == site)
            return n;
        if (!other)
            other = n;
    }
    return other;
}

static bool owner_lives(const struct view *v, const struct config *c, struct str name)
{
    const struct config_node *n = named_node(c, name);
    return n && can_own(v, n);
}

/* NULL: as it is. */
static const struct config_node *owner_to_be(const struct view *v, const struct config *c,
                                             const struct config_relay *r, const struct view_queue *q,
                                             bool settled)
{
    struct str home = str_from(r->node->name);
    if (!q)
        return r->node;
    if (str_eq(q->record.owner, home))
        return can_own(v, r->node) || !settled ? NULL : heir(v, c, r->node->site);
    if (can_own(v, r->node))
        return r->node;
    return owner_lives(v, c, q->record.owner) || !settled ? NULL : heir(v, c, r->node->site);
}

/* Who had it before the owner lives, and has not let go of it. The record has room for one such: a third one
 * waits, for no longer than a lease. */
static bool is_in_other_hands(const struct view *v, const struct view_queue *q, struct str owner)
{
    struct str from = q->record.from;
    return from.len > 0 && !str_eq(from, owner) && view_node_relays(v, from);
}

static void give(const struct view *v, struct str name, const struct view_queue *q,
                 const struct config_node *owner, struct batch *b)
{
    if (!owner || (q && (str_eq(q->record.owner, str_from(owner->name)) ||
                         is_in_other_hands(v, q, str_from(owner->name)))))
        return;
    struct record_queue record = {.owner = str_from(owner->name),
                                  .generation = (q ? q->record.generation : 0) + 1,
                                  .from = q ? q->record.owner : STR_EMPTY};
    batch_put(b, "queue", name, record_queue_encode(&record), q ? q->version : NETWORK_ABSENT);
    const char *const members[] = {"owner", owner->name, NULL};
    batch_event(b, "queue-owner", name, members);
}

static bool is_of_a_relay(const struct config *c, struct str queue)
{
    for (size_t i = 0; i < c->relay_count; i++)
        if (str_eq(str_from(c->relays[i].name), queue))
            return true;
    return false;
}

/* Of a queue whose relay the configuration has no more: mail may wait in it. NULL: as it is. */
static const struct config_node *keeper_to_be(const struct view *v, const struct config *c,
                                              const struct view_queue *q, bool settled)
{
    const struct config_node *keeper = named_node(c, q->record.owner);
    if (!settled || (keeper && can_own(v, keeper)))
        return NULL;
    return heir(v, c, keeper ? keeper->site : NULL);
}

void adopt_queues(const struct view *v, const struct config *c, bool settled, struct batch *b)
{
    for (size_t i = 0; i < c->relay_count; i++) {
        const struct config_relay *r = &c->relays[i];
        const struct view_queue *q = view_queue_find(v, str_from(r->name));
        give(v, str_from(r->name), q, owner_to_be(v, c, r, q, settled), b);
    }
    for (size_t i = 0; i < v->queue_count; i++) {
        const struct view_queue *q = &v->queues[i];
        if (!is_of_a_relay(c, q->name))
            give(v, q->name, q, keeper_to_be(v, c, q, settled), b);
    }
}

/* ---- routes ---- */

static void route(const struct view *v, const struct config_domain *d, struct str server, bool bump,
                  struct batch *b)
{
    const struct view_route *old = view_route_find(v, str_from(d->name));
    if (!bump && old && str_eq(old->record.server, server))
        return;
    struct record_route record = {.server = server, .generation = (old ? old->record.generation : 0) + 1};
    batch_put(b, "route", str_from(d->name), record_route_encode(&record),
              old ? old->version : NETWORK_ABSENT);
}

void adopt_routes(const struct view *v, const struct config *c, struct batch *b)
{
    for (size_t i = 0; i < c->domain_count; i++) {
        const struct config_domain *d = &c->domains[i];
        const struct view_server *s = view_server_find(v, str_from(d->server->name));
        bool stands_in = s && s->record.served_by.len > 0;
        route(v, d, stands_in ? s->record.served_by : str_from(d->server->name), false, b);
    }
}

void adopt_routes_of(const struct view *v, const struct config *c, const struct config_server *s,
                     struct str served_by, struct batch *b)
{
    for (size_t i = 0; i < c->domain_count; i++)
        if (c->domains[i].server == s)
            route(v, &c->domains[i], served_by.len > 0 ? served_by : str_from(s->name), true, b);
}
