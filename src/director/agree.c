#include "director/agree.h"

#include "health/words.h"

static bool is_lost(const struct view *v, const struct config_node *n)
{
    const struct view_site *site = view_site_find(v, str_from(n->site->name));
    return site && site->record.lost;
}

bool agree_node_lives(const struct view *v, const struct config_node *n)
{
    return view_node_is_alive(v, str_from(n->name)) && !is_lost(v, n);
}

bool agree_agent_lives(const struct view *v, const struct config_node *n)
{
    return view_agent_is_alive(v, str_from(n->name)) && !is_lost(v, n);
}

bool agree_relay_lives(const struct view *v, const struct config_node *n)
{
    return view_node_relays(v, str_from(n->name)) && !is_lost(v, n);
}

/* A relay that is started again is away for a moment: what it would say is unknown, not what the others say.
 */
static bool counts(const struct view *v, const struct config *c, const struct config_node *n)
{
    return (n->roles & ROLE_RELAY) && view_node_relayed(v, str_from(n->name), c->lease_ms) && !is_lost(v, n);
}

static const struct view_observation *find(const struct view *v, const char *node, struct str server)
{
    for (size_t i = 0; i < v->observation_count; i++)
        if (str_eq(v->observations[i].server, server) && str_eq(v->observations[i].node, str_from(node)))
            return &v->observations[i];
    return NULL;
}

static void count_one(struct agreement *a, const struct record_observation *o)
{
    enum health_state state;
    if (health_state_parse(o->state, &state) < 0)
        return;
    if (state == HEALTH_INOPERABLE) {
        a->inoperable++;
        a->invoke |= o->invoke;
    }
    if (health_state_serves(state))
        a->operational++;
}

struct agreement agree_count(const struct view *v, const struct config *c, struct str server, int64_t epoch)
{
    struct agreement a = {0};
    for (size_t i = 0; i < c->node_count; i++) {
        const struct config_node *n = &c->nodes[i];
        if (!counts(v, c, n))
            continue;
        a.live++;
        const struct view_observation *o = find(v, n->name, server);
        if (o && o->age_ms <= 2 * c->lease_ms && o->record.epoch == epoch)
            count_one(&a, &o->record);
    }
    return a;
}

bool agree_inoperable(const struct agreement *a)
{
    return 2 * a->inoperable > a->live;
}

bool agree_operational(const struct agreement *a)
{
    return 2 * a->operational > a->live;
}
