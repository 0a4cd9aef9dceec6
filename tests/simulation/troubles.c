#include "simulation/disaster.h"
#include "simulation/instances.h"

#define RESETS_MAX  4
#define PPM         1000000
#define UNTOLD_MAX  3    /* times: more losses in a row would be a message's own fault */
#define REMOVE_MS   2500 /* shortly before another server is there */
#define FAREWELL_MS 8000 /* the mail has been tried */
#define BUSY_US     60000

/* ---- the network ---- */

static void set_link(struct disaster *x, bool cut)
{
    struct sim_world *sim = x->all->world->sim;
    sim_net_cut(sim, x->from, x->to, cut);
    if (x->both)
        sim_net_cut(sim, x->to, x->from, cut);
}

static bool cut_link(struct disaster *x)
{
    set_link(x, true);
    return true;
}

static void end_cut_link(struct disaster *x)
{
    set_link(x, false);
}

static bool isolate_node(struct disaster *x)
{
    sim_net_isolate(x->all->world->sim, x->node->config->name, true);
    node_cut_store(x->node, true);
    return true;
}

static void end_isolate_node(struct disaster *x)
{
    sim_net_isolate(x->all->world->sim, x->node->config->name, false);
    node_cut_store(x->node, false);
}

static bool reset_connections(struct disaster *x)
{
    bool any = false;
    for (uint32_t i = 0; i <= x->strength % RESETS_MAX; i++)
        any |= sim_net_reset_one(x->all->world->sim);
    return any;
}

static bool be_untold(struct disaster *x, enum untold who)
{
    struct disasters *d = x->all;
    fault_add(&d->world->untold[who], 1 + x->strength % UNTOLD_MAX, &d->happened[x->kind]);
    return false; /* counted when it is not told */
}

static bool sender_is_untold(struct disaster *x)
{
    return be_untold(x, UNTOLD_SENDER);
}

static bool relay_is_untold(struct disaster *x)
{
    return be_untold(x, UNTOLD_RELAY);
}

/* ---- the store ---- */

static bool cut_store(struct disaster *x)
{
    node_cut_store(x->node, true);
    return true;
}

static void end_cut_store(struct disaster *x)
{
    node_cut_store(x->node, false);
}

static bool set_faults(struct disaster *x, struct store_memory_faults faults)
{
    faults.latency_min_us = WORLD_STORE_LATENCY_MIN_US;
    if (faults.latency_max_us == 0)
        faults.latency_max_us = WORLD_STORE_LATENCY_MAX_US;
    world_store_faults(x->all->world, &faults);
    return true;
}

static void end_faults(struct disaster *x)
{
    world_store_faults(x->all->world, NULL);
}

static bool slow_store(struct disaster *x)
{
    return set_faults(x, (struct store_memory_faults){.latency_max_us = 1000 + 1000 * (int64_t)x->strength});
}

static bool failed_syncs(struct disaster *x)
{
    return set_faults(x,
                      (struct store_memory_faults){.sync_fail_ppm = x->strength * (PPM / STRENGTH_MAX / 2)});
}

static bool unknown_commits(struct disaster *x)
{
    return set_faults(x, (struct store_memory_faults){.unknown_ppm = x->strength * (PPM / STRENGTH_MAX / 2)});
}

static bool full_store(struct disaster *x)
{
    return set_faults(x, (struct store_memory_faults){.full = true});
}

static bool degraded_store(struct disaster *x)
{
    return set_faults(x, (struct store_memory_faults){.degraded = true});
}

static bool store_away(struct disaster *x)
{
    return set_faults(x, (struct store_memory_faults){.unreachable = true});
}

/* ---- people and programs ---- */

static bool operator_orders(struct disaster *x)
{
    static const char *const verbs[] = {"failover", "switchover", "failback"};
    world_order(x->all->world, verbs[x->strength % ARRAY_LEN(verbs)]);
    return true;
}

static void on_removal(void *arg)
{
    struct disaster *x = arg;
    if (!x->all->over)
        world_remove_user(x->all->world);
}

/* Most of them with much mail that waits for him: he goes while the server is down, and the store is busy
 * when that returns, so that several quarantines are told together. */
static bool is_farewell(const struct disaster *x)
{
    return x->strength % 4 != 0;
}

static void user_leaves(struct disaster *x)
{
    if (is_farewell(x))
        x->all->world->farewell_ms = x->at_ms;
}

static bool user_removed(struct disaster *x)
{
    struct world *w = x->all->world;
    struct instance *i = is_farewell(x) ? world_instance(w) : NULL;
    if (!i) {
        world_remove_user(w);
        return true;
    }
    instance_kill(i);
    x->lasts_ms = FAREWELL_MS;
    sim_at(w->sim, REMOVE_MS, on_removal, x);
    return set_faults(x, (struct store_memory_faults){.latency_max_us = BUSY_US});
}

static void end_user_removed(struct disaster *x)
{
    if (is_farewell(x))
        end_faults(x);
}

/* One of the faults from `first` to `last`; counted when it comes. */
static bool provisioning(struct disaster *x, enum provision_fault first, enum provision_fault last)
{
    struct fault *f = &x->node->faults[first + x->strength % (last - first + 1)];
    fault_add(f, 1, &x->all->happened[x->kind]);
    return false;
}

static bool provisioner_fails(struct disaster *x)
{
    return provisioning(x, PROVISION_FAILS, PROVISION_SLOW);
}

static bool impostor_is_created(struct disaster *x)
{
    return provisioning(x, PROVISION_SILENT, PROVISION_STRANGER);
}

static bool orders_come_twice(struct disaster *x)
{
    return provisioning(x, PROVISION_TWICE, PROVISION_TWICE);
}

const struct disaster_kind trouble_kinds[TROUBLE_KINDS] = {
    {"cut link", 6, cut_link, end_cut_link},
    {"isolate node", 4, isolate_node, end_isolate_node},
    {"reset connections", 6, reset_connections, NULL},
    {"cut store", 3, cut_store, end_cut_store},
    {"slow store", 2, slow_store, end_faults},
    {"failed syncs", 3, failed_syncs, end_faults},
    {"unknown commits", 4, unknown_commits, end_faults},
    {"full store", 2, full_store, end_faults},
    {"degraded store", 2, degraded_store, end_faults},
    {"store away", 2, store_away, end_faults},
    {"operator orders", 3, operator_orders, NULL, .where = WITH_INSTANCES},
    {"user removed", 6, user_removed, end_user_removed, .drawn = user_leaves, .where = WITH_INSTANCES},
    {"provisioner fails", 3, provisioner_fails, NULL, true, .where = WITH_INSTANCES},
    {"impostor is created", 4, impostor_is_created, NULL, true, .where = WITH_INSTANCES},
    {"duplicate: orders come twice", 3, orders_come_twice, NULL, true, .where = WITH_INSTANCES},
    {"duplicate: sender is untold", 3, sender_is_untold, NULL},
    {"duplicate: relay is untold", 4, relay_is_untold, NULL, .where = WITH_INSTANCES},
};
