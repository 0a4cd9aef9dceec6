#include "simulation/disasters.h"

#include "base/log.h"
#include "base/mem.h"

#define COUNT_MAX         12
#define FIRST_MS          500 /* the network's first start has its first steps done, or not */
#define SUPERVISE_MIN_MS  100 /* a dead role is started again, as the supervisor does */
#define SUPERVISE_SPAN_MS 900
#define SKEW_WALL_MS      5000
#define SKEW_WALL_FAR_MS  3600000
#define SKEW_RATE_PPM     500 /* crystals of computers keep within 100 */
#define RESETS_MAX        4
#define SLEEP_MIN_MS      8000  /* longer than a failover to the other site takes */
#define SLEEP_FOR_MS      60000 /* until somebody asks for a write: longer than the disasters last */
#define HEIR_LOOK_MS      100
#define HEIR_DEATHS_MAX   3
#define STRENGTH_MAX      1000
#define PPM               1000000

struct disasters;

struct disaster {
    struct disasters *all;
    size_t kind;
    int64_t at_ms, lasts_ms;
    struct node *node;
    const char *from, *to; /* a link, this direction or both */
    bool both, stays;
    uint32_t strength; /* 1 to STRENGTH_MAX, also where one of several is to be chosen */
    struct process *frozen;
    struct node *asleep;
    uint32_t deaths; /* of heirs, still to come */
};

struct disasters {
    struct world *world;
    struct disaster items[COUNT_MAX];
    size_t count, happened[DISASTER_KINDS];
    bool over;
    struct node *lost; /* stays dead */
};

static uint64_t below(struct disasters *d, uint64_t n)
{
    return sim_random_below(d->world->sim, n);
}

/* ---- deaths ---- */

static void on_supervisor(void *arg)
{
    struct node *n = arg;
    node_start_relay(n);
    node_start_director(n);
}

static void supervise(struct disasters *d, struct node *n)
{
    sim_at(d->world->sim, SUPERVISE_MIN_MS + (int64_t)below(d, SUPERVISE_SPAN_MS), on_supervisor, n);
}

static bool kill_relay(struct disaster *x)
{
    bool runs = x->node->relay_process.loop != NULL;
    node_kill_relay(x->node);
    supervise(x->all, x->node);
    return runs;
}

static bool kill_director(struct disaster *x)
{
    bool runs = x->node->director_process.loop != NULL;
    node_kill_director(x->node);
    supervise(x->all, x->node);
    return runs;
}

/* One of the node rather than another. */
static struct instance *find_instance(struct disaster *x)
{
    struct world *w = x->all->world;
    struct instance *chosen = NULL;
    LIST_FOREACH (it, &w->instances) {
        struct instance *i = LIST_ENTRY(it, struct instance, node);
        if (i->process.loop && (!chosen || i->on == x->node))
            chosen = i;
    }
    return chosen;
}

static bool kill_instance(struct disaster *x)
{
    struct instance *i = find_instance(x);
    if (i)
        instance_kill(i);
    return i != NULL;
}

static bool kill_node(struct disaster *x)
{
    struct disasters *d = x->all;
    if (d->lost || !x->node->up)
        return false;                                          /* never both for good */
    if (x->stays && world_record(d->world).instance.epoch > 0) /* a first start is at home only */
        d->lost = x->node;
    node_kill(x->node);
    return true;
}

static void end_kill_node(struct disaster *x)
{
    if (x->all->lost != x->node)
        node_start(x->node);
}

/* What the heir of a lost site's server is, dies as well, again and again, and does not always go when told.
 */
static void on_heir(void *arg)
{
    struct disaster *x = arg;
    struct disasters *d = x->all;
    struct instance *heir = world_instance(d->world);
    if (d->over || x->deaths == 0)
        return;
    sim_at(d->world->sim, HEIR_LOOK_MS, on_heir, x);
    if (!heir || heir->on == d->lost)
        return;
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", "the heir dies"),
              LOG_TEXT("node", heir->on->config->name));
    heir->on->provision_faults.fail += x->strength % 2;
    instance_kill(heir);
    x->deaths--;
    d->happened[x->kind]++;
}

static bool lose_site_and_heir(struct disaster *x)
{
    struct disasters *d = x->all;
    struct instance *i = world_instance(d->world);
    if (d->lost || !i)
        return false;
    d->lost = i->on;
    node_kill(i->on);
    x->deaths = 1 + x->strength % HEIR_DEATHS_MAX;
    on_heir(x);
    return false; /* counted when the heir dies */
}

/* ---- pauses ---- */

static bool freeze(struct disaster *x, struct process *p)
{
    x->frozen = p;
    process_freeze(p, true);
    return p->loop != NULL;
}

static bool freeze_relay(struct disaster *x)
{
    return freeze(x, &x->node->relay_process);
}

static bool freeze_director(struct disaster *x)
{
    return freeze(x, &x->node->director_process);
}

static bool freeze_instance(struct disaster *x)
{
    struct instance *i = find_instance(x);
    return i && freeze(x, &i->process);
}

static void end_freeze(struct disaster *x)
{
    if (x->frozen)
        process_freeze(x->frozen, false);
}

static bool freeze_node(struct disaster *x)
{
    node_freeze(x->node, true);
    return x->node->up;
}

static void end_freeze_node(struct disaster *x)
{
    node_freeze(x->node, false);
}

static void wake(struct disaster *x)
{
    if (x->asleep)
        node_freeze(x->asleep, false);
    x->asleep = NULL;
}

static void on_wake(void *arg)
{
    struct disaster *x = arg;
    if (!x->all->over)
        wake(x);
}

/* It sleeps when the store has been asked, and has not answered. */
static void fall_asleep(void *arg, struct node *n)
{
    struct disaster *x = arg;
    x->all->world->on_mail_asked = NULL;
    x->asleep = n;
    x->all->happened[x->kind]++;
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", "sleeps in a write"),
              LOG_TEXT("node", n->config->name));
    node_freeze(n, true);
    sim_at(x->all->world->sim, SLEEP_MIN_MS + x->strength, on_wake, x);
}

static bool sleep_in_write(struct disaster *x)
{
    x->all->world->on_mail_asked = fall_asleep;
    x->all->world->on_mail_asked_arg = x;
    x->lasts_ms = SLEEP_FOR_MS;
    return false; /* counted when it sleeps */
}

static void end_sleep_in_write(struct disaster *x)
{
    struct world *w = x->all->world;
    if (w->on_mail_asked && w->on_mail_asked_arg == x)
        w->on_mail_asked = NULL;
    wake(x);
}

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

static bool user_removed(struct disaster *x)
{
    world_remove_user(x->all->world);
    return true;
}

static bool provisioner_fails(struct disaster *x)
{
    struct provision_faults *f = &x->node->provision_faults;
    int64_t *const all[] = {&f->fail, &f->lose_answer, &f->slow};
    ++*all[x->strength % ARRAY_LEN(all)];
    return true;
}

/* ---- all of them ---- */

static const struct kind {
    const char *name;
    unsigned weight; /* how often it is drawn beside the others */
    bool (*begin)(struct disaster *x);
    void (*end)(struct disaster *x); /* NULL: it is over at once, or mends itself */
    bool early;                      /* what it leads to takes a while */
} kinds[DISASTER_KINDS] = {
    {"kill relay", 6, kill_relay, NULL},
    {"kill director", 6, kill_director, NULL},
    {"kill instance", 8, kill_instance, NULL},
    {"kill node", 8, kill_node, end_kill_node},
    {"freeze relay", 3, freeze_relay, end_freeze},
    {"freeze director", 3, freeze_director, end_freeze},
    {"freeze instance", 3, freeze_instance, end_freeze},
    {"instance hangs", 3, freeze_instance, NULL},
    {"freeze node", 4, freeze_node, end_freeze_node},
    {"sleep in a write", 4, sleep_in_write, end_sleep_in_write, true},
    {"lose site and heir", 3, lose_site_and_heir, NULL, true},
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
    {"operator orders", 3, operator_orders, NULL},
    {"user removed", 5, user_removed, NULL},
    {"provisioner fails", 3, provisioner_fails, NULL},
};

const char *disaster_kind_name(size_t kind)
{
    return kinds[kind].name;
}

static void on_end(void *arg)
{
    struct disaster *x = arg;
    if (x->all->over || !kinds[x->kind].end)
        return;
    log_event(LOG_WARNING, "DISASTER ENDS", LOG_TEXT("kind", kinds[x->kind].name));
    kinds[x->kind].end(x);
}

static void on_begin(void *arg)
{
    struct disaster *x = arg;
    struct disasters *d = x->all;
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", kinds[x->kind].name),
              LOG_TEXT("node", x->node->config->name), LOG_TEXT("from", x->from), LOG_TEXT("to", x->to),
              LOG_I64("both", x->both), LOG_I64("stays", x->stays), LOG_I64("lasts_ms", x->lasts_ms),
              LOG_I64("strength", x->strength));
    d->happened[x->kind] += kinds[x->kind].begin(x);
    sim_at(d->world->sim, x->lasts_ms, on_end, x);
}

/* ---- drawing ---- */

static size_t draw_kind(struct disasters *d)
{
    unsigned sum = 0;
    size_t kind = 0;
    for (size_t k = 0; k < DISASTER_KINDS; k++)
        sum += kinds[k].weight;
    uint64_t at = below(d, sum);
    while (at >= kinds[kind].weight)
        at -= kinds[kind++].weight;
    return kind;
}

static void draw_link(struct disasters *d, struct disaster *x)
{
    const char *const hosts[] = {CLIENT_HOST, d->world->nodes[0].config->name,
                                 d->world->nodes[1].config->name};
    size_t from = (size_t)below(d, ARRAY_LEN(hosts));
    x->from = hosts[from];
    x->to = hosts[(from + 1 + (size_t)below(d, ARRAY_LEN(hosts) - 1)) % ARRAY_LEN(hosts)];
    x->both = below(d, 2) == 0;
}

/* Short ones hit what is under way, long ones outlast leases. */
static int64_t draw_duration(struct disasters *d)
{
    static const int64_t scales_ms[] = {200, 1500, 6000};
    return 1 + (int64_t)below(d, (uint64_t)scales_ms[below(d, ARRAY_LEN(scales_ms))]);
}

static void draw(struct disasters *d, int64_t span_ms)
{
    struct disaster *x = &d->items[d->count++];
    *x = (struct disaster){.all = d, .kind = draw_kind(d), .node = &d->world->nodes[below(d, WORLD_NODES)]};
    x->at_ms = FIRST_MS + (int64_t)below(d, (uint64_t)(span_ms - FIRST_MS));
    if (kinds[x->kind].early)
        x->at_ms /= 2;
    x->lasts_ms = draw_duration(d);
    x->strength = 1 + (uint32_t)below(d, STRENGTH_MAX);
    x->stays = below(d, 3) == 0;
    draw_link(d, x);
    sim_at(d->world->sim, x->at_ms, on_begin, x);
}

static void draw_clocks(struct disasters *d)
{
    for (int i = 0; i < WORLD_NODES; i++) {
        struct node *n = &d->world->nodes[i];
        int64_t range_ms = below(d, 4) == 0 ? SKEW_WALL_FAR_MS : SKEW_WALL_MS;
        n->wall_offset_ms = (int64_t)below(d, 2 * (uint64_t)range_ms) - range_ms;
        n->rate_ppm = (int32_t)below(d, 2 * SKEW_RATE_PPM) - SKEW_RATE_PPM;
    }
}

static void draw_latency(struct disasters *d)
{
    static const int64_t max_us[] = {1000, 5000, 40000};
    sim_net_latency(d->world->sim, 50, max_us[below(d, ARRAY_LEN(max_us))]);
}

struct disasters *disasters_new(struct world *w, int64_t span_ms)
{
    struct disasters *d = mem_zalloc(sizeof(*d));
    d->world = w;
    draw_clocks(d);
    draw_latency(d);
    size_t count = (size_t)below(d, COUNT_MAX + 1);
    for (size_t i = 0; i < count; i++)
        draw(d, span_ms);
    return d;
}

void disasters_free(struct disasters *d)
{
    free(d);
}

void disasters_end(struct disasters *d)
{
    struct world *w = d->world;
    log_event(LOG_WARNING, "DISASTERS END", LOG_TEXT("lost", d->lost ? d->lost->config->name : ""));
    d->over = true;
    for (size_t i = 0; i < d->count; i++)
        if (kinds[d->items[i].kind].end)
            kinds[d->items[i].kind].end(&d->items[i]);
    for (int i = 0; i < WORLD_NODES; i++) {
        struct node *n = &w->nodes[i];
        n->provision_faults = (struct provision_faults){0};
        if (n != d->lost)
            node_start(n);
    }
}

size_t disasters_happened(const struct disasters *d, size_t kind)
{
    return d->happened[kind];
}
