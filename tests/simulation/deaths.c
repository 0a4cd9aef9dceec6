#include "base/log.h"
#include "simulation/disaster.h"
#include "simulation/instances.h"

#define SUPERVISE_MIN_MS  100 /* a dead role is started again, as the supervisor does */
#define SUPERVISE_SPAN_MS 900
#define SLEEP_MIN_MS      8000  /* longer than a failover to the other site takes */
#define SLEEP_FOR_MS      60000 /* until somebody asks for a write: longer than the disasters last */
#define NAP_MIN_MS        2600  /* longer than a lease; and so long that the queue was adopted, and emptied */
#define NAP_STRETCH       6
#define HEIR_LOOK_MS      100
#define HEIR_DEATHS_MAX   3

/* ---- deaths ---- */

static void on_supervisor(void *arg)
{
    struct node *n = arg;
    node_start_relay(n);
    node_start_director(n);
}

static void supervise(struct disaster *x)
{
    sim_at(x->all->world->sim, SUPERVISE_MIN_MS + (int64_t)disaster_random(x, SUPERVISE_SPAN_MS),
           on_supervisor, x->node);
}

static bool kill_relay(struct disaster *x)
{
    bool runs = x->node->relay_process.loop != NULL;
    node_kill_relay(x->node);
    supervise(x);
    return runs;
}

static bool kill_director(struct disaster *x)
{
    bool runs = x->node->director_process.loop != NULL;
    node_kill_director(x->node);
    supervise(x);
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
    fault_add(&heir->on->faults[PROVISION_FAILS], x->strength % 2, &d->happened[x->kind]);
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
    end_freeze(x);
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

/* A relay's process alone. */
static void nod_off(struct disaster *x, struct node *n, int64_t ms)
{
    x->all->world->on_mail_taken = NULL;
    x->frozen = &n->relay_process;
    x->all->happened[x->kind]++;
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", "relay sleeps amid a message"),
              LOG_TEXT("node", n->config->name));
    process_freeze(x->frozen, true);
    sim_at(x->all->world->sim, ms, on_wake, x);
}

static void nod_off_long(void *arg, struct node *n, struct str queue)
{
    struct disaster *x = arg;
    (void)queue;
    nod_off(x, n, NAP_MIN_MS + NAP_STRETCH * (int64_t)x->strength);
}

static struct node *home_of(struct world *w, struct str queue)
{
    for (int i = 0; i < WORLD_NODES; i++)
        if (str_eq(queue, str_from(config_relay_of_node(w->config, w->nodes[i].config)->name)))
            return &w->nodes[i];
    return NULL;
}

static void on_return(void *arg)
{
    struct disaster *x = arg;
    if (x->all->over || x->home == x->all->lost)
        return;
    node_start(x->home);
    process_freeze(&x->home->relay_process, false);
}

/* It holds its lease still when the queue's own relay is back. */
static void nod_off_briefly(void *arg, struct node *n, struct str queue)
{
    struct disaster *x = arg;
    x->home = home_of(x->all->world, queue);
    if (x->home == n || x->home == x->all->lost)
        return;
    nod_off(x, n, x->strength);
    sim_at(x->all->world->sim, 1, on_return, x);
}

static bool await_message(struct disaster *x, void (*nod_off_at)(void *arg, struct node *n, struct str queue))
{
    x->all->world->on_mail_taken = nod_off_at;
    x->all->world->on_mail_taken_arg = x;
    x->lasts_ms = SLEEP_FOR_MS;
    return false; /* counted when it sleeps */
}

static bool sleep_amid_message(struct disaster *x)
{
    return await_message(x, nod_off_long);
}

static bool sleep_at_hand_over(struct disaster *x)
{
    return await_message(x, nod_off_briefly);
}

static void end_sleep_amid_message(struct disaster *x)
{
    struct world *w = x->all->world;
    if (w->on_mail_taken && w->on_mail_taken_arg == x)
        w->on_mail_taken = NULL;
    end_freeze(x);
}

const struct disaster_kind death_kinds[DEATH_KINDS] = {
    {"kill relay", 6, kill_relay, NULL},
    {"kill director", 6, kill_director, NULL},
    {"kill instance", 8, kill_instance, NULL, .where = WITH_INSTANCES},
    {"kill node", 8, kill_node, end_kill_node},
    {"freeze relay", 3, freeze_relay, end_freeze},
    {"freeze director", 3, freeze_director, end_freeze},
    {"freeze instance", 3, freeze_instance, end_freeze, .where = WITH_INSTANCES},
    {"instance hangs", 3, freeze_instance, NULL, .where = WITH_INSTANCES},
    {"freeze node", 4, freeze_node, end_freeze_node},
    {"sleep in a write", 4, sleep_in_write, end_sleep_in_write, true, .where = WITH_INSTANCES},
    {"sleep amid a message", 4, sleep_amid_message, end_sleep_amid_message},
    {"sleep at a hand-over", 4, sleep_at_hand_over, end_sleep_amid_message},
    {"lose site and heir", 3, lose_site_and_heir, NULL, true, .where = WITH_INSTANCES},
};
