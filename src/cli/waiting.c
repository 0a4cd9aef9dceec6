#include "cli/waiting.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "health/words.h"

static bool serves(struct str state)
{
    enum health_state parsed;
    return health_state_parse(state, &parsed) == 0 && parsed == HEALTH_OPERATIONAL;
}

static char *reason_of(const struct config_server *s, const struct view *v)
{
    const struct view_server *record = view_server_find(v, str_from(s->name));
    const struct view_observation *seen = view_observation_newest(v, str_from(s->name));
    if (s->kind == SERVER_BUILTIN && (!record || record->record.instance.node.len == 0))
        return mem_asprintf("no instance of %s runs", s->name);
    if (!seen)
        return mem_asprintf("no relay that lives has tried %s", s->name);
    if (serves(seen->record.state))
        return NULL;
    return mem_asprintf("%s is %.*s%s%.*s", s->name, STR_ARG(seen->record.state),
                        seen->record.detail.len ? ": " : "", STR_ARG(seen->record.detail));
}

static size_t index_of(const struct config *c, struct str server)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (str_eq(str_from(c->servers[i].name), server))
            return i;
    return SIZE_MAX;
}

/* The server itself, or the standby that has its mail. */
static size_t serving_index(const struct config *c, const struct view *v, struct str server)
{
    const struct view_server *record = view_server_find(v, server);
    size_t standby =
        record && record->record.served_by.len ? index_of(c, record->record.served_by) : SIZE_MAX;
    return standby == SIZE_MAX ? index_of(c, server) : standby;
}

void waiting_init(struct waiting *w, const struct config *config, const struct view *v)
{
    *w = (struct waiting){.config = config,
                          .reasons = mem_calloc(config->server_count, sizeof(char *)),
                          .homes = mem_calloc(config->domain_count, sizeof(size_t))};
    for (size_t i = 0; i < config->server_count; i++)
        w->reasons[i] = reason_of(&config->servers[i], v);
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct config_domain *d = &config->domains[i];
        w->homes[i] =
            serving_index(config, v, view_route_server(v, str_from(d->name), str_from(d->server->name)));
    }
}

void waiting_fini(struct waiting *w)
{
    for (size_t i = 0; i < w->config->server_count; i++)
        free(w->reasons[i]);
    free(w->reasons);
    free(w->homes);
}

/* The configuration has changed since it was accepted. */
static const char *no_place(struct waiting *w, const char *what, struct str name)
{
    snprintf(w->text, sizeof(w->text), "no %s %.*s in the configuration: add it, or move or remove its mail",
             what, STR_ARG(name));
    return w->text;
}

const char *waiting_reason(struct waiting *w, const struct queue_delivery *d)
{
    if (d->state != QUEUE_WAITING)
        return "";
    if (!config_has_place(w->config, d->domain, d->home))
        return d->home.len ? no_place(w, "server", d->home) : no_place(w, "domain", d->domain);
    size_t server = d->home.len ? index_of(w->config, d->home) : SIZE_MAX;
    for (size_t i = 0; d->home.len == 0 && i < w->config->domain_count; i++)
        if (str_ieq(str_from(w->config->domains[i].name), d->domain))
            server = w->homes[i];
    return server != SIZE_MAX && w->reasons[server] ? w->reasons[server] : "";
}
