/* The right to send from a queue that a test has opened, as the relay's role has it: under a lease of its
 * own, by the network's records. */
#ifndef HOLDFAST_TESTS_RELAY_RIGHT_RIG_H
#define HOLDFAST_TESTS_RELAY_RIGHT_RIG_H

#include "relay/rights.h"
#include "store/presence.h"
#include "store/view.h"

#define RIGHT_RIG_LEASE_MS 2500

struct right_rig {
    struct rights *rights;
    struct lease *lease;
    struct viewer *viewer;
    struct right *right;
};

static inline void right_rig_held(void *arg)
{
    struct right_rig *g = arg;
    rights_on_held(g->rights, g->lease);
    viewer_refresh(g->viewer);
}

static inline void right_rig_lost(void *arg)
{
    rights_on_lost(((struct right_rig *)arg)->rights);
}

static inline void right_rig_on_view(void *arg, const struct view *v)
{
    rights_on_view(((struct right_rig *)arg)->rights, v);
}

/* Had soon after it. g must stay where it is. */
static inline void right_rig_begin(struct right_rig *g, struct loop *l, struct network *n, const char *node,
                                   struct queue *q, struct target *const *targets, size_t target_count)
{
    g->rights = rights_new(l, n, node, targets, target_count);
    g->viewer = viewer_new(l, n, right_rig_on_view, g);
    g->lease = lease_new(l, n, STR("relay/relay"), str_from(node), RIGHT_RIG_LEASE_MS,
                         &(struct lease_ops){right_rig_held, right_rig_lost}, g);
    g->right = right_new(g->rights, q, true, NULL);
}

/* Sources are gone. */
static inline void right_rig_end(struct right_rig *g)
{
    right_free(g->right);
    lease_free(g->lease);
    viewer_free(g->viewer);
    rights_free(g->rights);
}

#endif
