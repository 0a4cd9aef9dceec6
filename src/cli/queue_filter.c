#include "cli/queue_filter.h"

#include <stdlib.h>

#include "base/mem.h"

#define LIMIT_MAX 100000000

int queue_selection_parse(struct queue_selection *s, const struct config *config, struct err_buf *eb)
{
    s->limit_count = 0;
    if (s->limit && (str_to_u64(str_from(s->limit), LIMIT_MAX, &s->limit_count) < 0 || s->limit_count == 0))
        return err_set(eb, ERR_INVALID, "--limit '%s' is not a number from 1 to %d", s->limit, LIMIT_MAX);
    if (s->id && custody_id_parse(str_from(s->id), &s->custody_id) < 0)
        return err_set(eb, ERR_INVALID, "'%s' is no custody id: 26 letters and digits, as in the 250 reply",
                       s->id);
    if (s->server && !config_has_place(config, STR_EMPTY, str_from(s->server)))
        return err_set(eb, ERR_INVALID, "the configuration has no server '%s'", s->server);
    return 0;
}

static void find_domains(struct queue_selection *s, const struct config *config, const struct view *v)
{
    free(s->domains);
    s->domains = mem_calloc(config->domain_count, sizeof(*s->domains));
    s->domain_count = 0;
    for (size_t i = 0; s->server && i < config->domain_count; i++) {
        const struct config_domain *d = &config->domains[i];
        if (str_eq(view_route_server(v, str_from(d->name), str_from(d->server->name)), str_from(s->server)))
            s->domains[s->domain_count++] = str_from(d->name);
    }
}

static struct str optional(const char *text)
{
    return text ? str_from(text) : (struct str){NULL, 0};
}

struct queue_filter queue_selection_filter(struct queue_selection *s, const struct config *config,
                                           const struct view *v)
{
    find_domains(s, config, v);
    return (struct queue_filter){
        .sender = optional(s->sender),
        .recipient = optional(s->recipient),
        .domains = s->domains,
        .domain_count = s->domain_count,
        .home = optional(s->server),
        .custody_id = s->id ? &s->custody_id : NULL,
    };
}

json_t *queue_selection_args(const struct queue_selection *s, const char *to)
{
    return json_pack("{s:s*, s:s*, s:s*, s:s*, s:s*, s:I}", "server", s->server, "sender", s->sender,
                     "recipient", s->recipient, "id", s->id, "to", to, "limit", (json_int_t)s->limit_count);
}

void queue_selection_fini(struct queue_selection *s)
{
    free(s->domains);
}
