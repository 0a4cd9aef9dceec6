#include "director/role.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "director/agent.h"
#include "director/leader.h"
#include "director/prune.h"
#include "director/returned.h"
#include "store/lease.h"
#include "store/presence.h"
#include "store/view.h"

#define LEASE_END_MARGIN_MS 5 /* past a lease's end, by the store's clock */

struct director {
    struct loop *loop;
    struct director_options o;
    char *program;
    struct network *network;
    struct presence *presence;
    struct lease *lead_lease;
    struct agent *agent;
    struct returned *returned;
    struct leader *leader;
    struct prune *prune;
    struct viewer *viewer;
    struct loop_timer *look_timer; /* when the next lease runs out */
};

/* ---- leading ---- */

static void on_lead(void *arg)
{
    struct director *d = arg;
    log_event(LOG_INFO, "leads", LOG_TEXT("node", d->o.node->name));
    viewer_refresh(d->viewer);
}

static void on_lead_lost(void *arg)
{
    struct director *d = arg;
    log_event(LOG_WARNING, "leads no more", LOG_TEXT("node", d->o.node->name));
    leader_stop(d->leader);
}

/* ---- looking ---- */

static void refresh(void *arg)
{
    struct director *d = arg;
    viewer_refresh(d->viewer);
}

/* A part that dies changes nothing in the store: look when its lease ends. */
static void look_at_next_end(struct director *d, const struct view *v)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < v->lease_count; i++)
        if (v->leases[i].remaining_ms > 0 && v->leases[i].remaining_ms < first_ms)
            first_ms = v->leases[i].remaining_ms;
    if (first_ms < INT64_MAX)
        loop_timer_start(d->look_timer, first_ms + LEASE_END_MARGIN_MS);
}

static void on_view(void *arg, const struct view *v)
{
    struct director *d = arg;
    look_at_next_end(d, v);
    returned_on_view(d->returned, v);
    agent_on_view(d->agent, v);
    leader_on_view(d->leader, v);
}

/* ---- starting and stopping ---- */

int director_start(struct loop *l, const struct director_options *options, struct director **ret_director,
                   struct err_buf *eb)
{
    struct mail *mail;
    int rc = store_mail(options->store, &mail, eb);
    if (rc < 0)
        return rc;
    struct director *d = mem_zalloc(sizeof(*d));
    *d = (struct director){.loop = l, .o = *options, .network = store_network(options->store)};
    d->program = mem_strdup(options->program);
    d->look_timer = loop_timer_new(l, refresh, d);
    d->presence = presence_new(l, d->network,
                               &(struct presence_options){.kind = PRESENCE_NODE,
                                                          .name = options->node->name,
                                                          .node = options->node->name,
                                                          .site = options->node->site->name,
                                                          .lease_ms = options->config->lease_ms,
                                                          .boot_id = options->boot_id,
                                                          .pid_ns = options->pid_ns,
                                                          .supervisor_pid = options->supervisor_pid});
    d->lead_lease = lease_new(l, d->network, STR("director"), str_from(options->node->name),
                              options->config->lease_ms, &(struct lease_ops){on_lead, on_lead_lost}, d);

    struct lease *node_lease = presence_lease(d->presence);
    struct program_options programs = {options->config, d->program, options->lifeline_fd};
    d->agent = agent_new(l, d->network, node_lease, options->node->name, &programs);
    d->returned = returned_new(l, d->network, node_lease, options->node, &programs);
    d->leader = leader_new(l, &(struct leader_options){.config = options->config,
                                                       .network = d->network,
                                                       .mail = mail,
                                                       .lease = d->lead_lease,
                                                       .site = options->node->site,
                                                       .refresh = refresh,
                                                       .arg = d});
    d->prune = prune_new(l, d->network, d->lead_lease, options->config);
    d->viewer = viewer_new(l, d->network, on_view, d);
    *ret_director = d;
    return 0;
}

void director_stop(struct director *d)
{
    if (!d)
        return;
    viewer_free(d->viewer);
    leader_free(d->leader);
    prune_free(d->prune);
    returned_free(d->returned);
    agent_free(d->agent);
    lease_free(d->lead_lease);
    presence_free(d->presence);
    loop_timer_free(d->look_timer);
    free(d->program);
    free(d);
}

bool director_leads(const struct director *d)
{
    return lease_is_held(d->lead_lease);
}
