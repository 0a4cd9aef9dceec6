#include "director/site_loss.h"
#include "director/named.h"

#include <string.h>

static bool is_lost(const struct view *v, const struct config_site *s)
{
    const struct view_site *site = view_site_find(v, str_from(s->name));
    return site && site->record.lost;
}

/* ---- life ---- */

/* Of a lease: "NODE", or "NODE:EPOCH" of an instance. */
static bool is_of_site(const struct config *c, const struct config_site *s, struct str holder)
{
    const struct config_node *n = named_node(c, str_sub(holder, 0, str_find(holder, ':', 0)));
    return n && n->site == s;
}

bool site_shows_life(const struct config *c, const struct view *v, const struct config_site *s,
                     int64_t grace_ms)
{
    for (size_t i = 0; i < v->lease_count; i++)
        if (v->leases[i].remaining_ms > -grace_ms && is_of_site(c, s, v->leases[i].holder))
            return true;
    return false;
}

static bool has_lived(const struct site_context *x, const struct config_site *s)
{
    for (size_t i = 0; i < x->view->lease_count; i++)
        if (is_of_site(x->config, s, x->view->leases[i].holder))
            return true;
    return false;
}

/* ---- what relays say of copies ---- */

/* names: a space between. */
static bool has_name(struct str names, const char *name)
{
    struct str one;
    while (str_split(&names, ' ', &one))
        if (str_eq(one, str_from(name)))
            return true;
    return false;
}

static bool misses(const struct record_work *w, const char *site)
{
    return w->degraded && w->databases.len > 0 && !has_name(w->databases, site);
}

static bool has_primary(const struct record_work *w, const char *site)
{
    struct str names = w->databases, first;
    return str_split(&names, ' ', &first) && str_eq(first, str_from(site));
}

static bool has_copies(const struct record_work *w, const char *site)
{
    return has_name(w->copies, site);
}

/* Each relay that lives and has its queue, and there is one. */
static bool all_say(const struct view *v, bool (*says)(const struct record_work *w, const char *site),
                    const struct config_site *s)
{
    bool any = false;
    for (size_t i = 0; i < v->work_count; i++) {
        const struct view_work *w = &v->works[i];
        if (w->record.durability.len == 0 || !view_relay_is_alive(v, w->relay))
            continue;
        if (!says(&w->record, s->name))
            return false;
        any = true;
    }
    return any;
}

/* ---- who decides ---- */

static bool is_in(const struct site_context *x, const struct config_server *server,
                  const struct config_site *s)
{
    const struct view_server *record = view_server_find(x->view, str_from(server->name));
    return server->site == s || (record && str_eq(record->record.instance.site, str_from(s->name)));
}

/* An operator who moves servers himself does not find them turned off. */
static bool is_left_to_operators(const struct site_context *x, const struct config_site *s)
{
    bool automatic = false;
    for (size_t i = 0; i < x->config->server_count; i++) {
        const struct config_server *server = &x->config->servers[i];
        if (server->failover.mode == FAILOVER_AUTOMATIC)
            automatic = true;
        else if (is_in(x, server, s))
            return true;
    }
    return !automatic;
}

/* ---- judging ---- */

static bool is_out(const struct site_context *x, const struct config_site *s)
{
    if (is_lost(x->view, s))
        return true;
    return s->fence[0] && s != x->own && !is_left_to_operators(x, s) && has_lived(x, s) &&
           !site_shows_life(x->config, x->view, s, x->config->lease_ms) && all_say(x->view, misses, s);
}

/* Without s no other is left that could take copies: else it would not help to be without it. */
static bool is_last(const struct site_context *x, const struct config_site *s)
{
    for (size_t i = 0; i < x->config->site_count; i++) {
        const struct config_site *other = &x->config->sites[i];
        if (other != s && other->databases.count > 0 && !all_say(x->view, has_primary, other) &&
            !is_out(x, other))
            return false;
    }
    return true;
}

static bool is_back(const struct site_context *x, const struct config_site *s,
                    const struct record_site *record)
{
    return str_eq(record->who, STR(SITE_BY_DIRECTOR)) && site_shows_life(x->config, x->view, s, 0) &&
           all_say(x->view, has_copies, s);
}

enum site_word site_judge(const struct site_context *x, const struct config_site *s)
{
    const struct view_site *site = view_site_find(x->view, str_from(s->name));
    if (site && site->record.lost)
        return is_back(x, s, &site->record) ? SITE_BACK : SITE_AS_RECORDED;
    return s->databases.count > 0 && is_out(x, s) && is_last(x, s) ? SITE_GONE : SITE_AS_RECORDED;
}
