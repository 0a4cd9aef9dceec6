#include "director/prune.h"

#include "base/mem.h"

#define STEP    100   /* events of a transaction: a few milliseconds */
#define STEP_MS 200   /* between full steps: 500 events a second, far more than come */
#define LOOK_MS 60000 /* when there was nothing more to forget */

struct prune {
    struct loop *loop;
    struct network *network;
    struct lease *lead;
    const struct config *config;
    struct loop_timer *timer;
    struct store_op *op;
};

static void on_pruned(void *arg, int err, size_t removed)
{
    struct prune *p = arg;
    p->op = NULL;
    if (err == ERR_FENCED)
        lease_refused(p->lead);
    loop_timer_start(p->timer, err == 0 && removed == STEP ? STEP_MS : LOOK_MS);
}

static void on_timer(void *arg)
{
    struct prune *p = arg;
    if (!lease_is_held(p->lead)) {
        loop_timer_start(p->timer, LOOK_MS);
        return;
    }
    struct wall_time before = {loop_wall(p->loop).ms - p->config->events_age_ms};
    p->op = network_events_prune(p->network, p->config->events_max, before, STEP, lease_guard(p->lead),
                                 on_pruned, p);
}

struct prune *prune_new(struct loop *l, struct network *n, struct lease *lead, const struct config *config)
{
    struct prune *p = mem_zalloc(sizeof(*p));
    p->loop = l;
    p->network = n;
    p->lead = lead;
    p->config = config;
    p->timer = loop_timer_new(l, on_timer, p);
    loop_timer_start(p->timer, LOOK_MS);
    return p;
}

void prune_free(struct prune *p)
{
    if (!p)
        return;
    if (p->op)
        store_op_forget(p->op);
    loop_timer_free(p->timer);
    free(p);
}
