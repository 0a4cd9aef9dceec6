#include "simulation/play.h"

#include "simulation/inspect.h"
#include "simulation/readers.h"
#include "simulation/senders.h"
#include "simulation/trace.h"
#include "simulation/witness.h"

#define LETTERS_MIN      15
#define LETTERS_SPAN     25
#define DISASTER_MS      15000 /* senders begin and disasters happen in this time */
#define DRAIN_LIMIT_MS   120000
#define LOOK_MS          250
#define WITNESS_MS       50
#define QUIET_MS         3000 /* after the drain: what would come twice comes in this time */
#define SETTLE_MS        3000 /* what readers asked last is done or not, before it is looked at */
#define REPORT_MAX_BYTES 65536

struct game {
    struct world *world;
    struct disasters *disasters;
    struct senders *senders;
    struct readers *readers;
    struct play_result *result;
    bool alive; /* all was accepted and delivered, and could be read, when the disasters had stopped */
};

static void on_witness(void *arg)
{
    struct world *w = arg;
    witness_look(w);
    sim_at(w->sim, WITNESS_MS, on_witness, w);
}

static void drain(struct game *g)
{
    int64_t began_ms = world_now_ms(g->world);
    readers_expect(g->readers);
    while (senders_open(g->senders) > 0 || readers_waiting(g->readers) > 0 || inspect_waiting(g->world) > 0) {
        g->result->drained_ms = world_now_ms(g->world) - began_ms;
        if (g->result->drained_ms > DRAIN_LIMIT_MS)
            return;
        world_run_ms(g->world, LOOK_MS);
    }
    g->alive = true;
    world_run_ms(g->world, QUIET_MS);
}

static void report_stuck(struct game *g, size_t readers)
{
    struct record_server record = world_record(g->world);
    buf_append_fmt(&g->result->violations,
                   "liveness: %lld ms after the disasters %zu letters are not accepted, %zu deliveries and "
                   "%zu readers wait; "
                   "the server is %.*s at %.*s, epoch %lld: %.*s\n",
                   (long long)g->result->drained_ms, senders_open(g->senders), inspect_waiting(g->world),
                   readers, STR_ARG(record.state), STR_ARG(record.instance.address), (long long)record.epoch,
                   STR_ARG(record.detail));
    inspect_describe_waiting(g->world, &g->result->violations);
}

static void judge(struct game *g)
{
    struct play_result *r = g->result;
    size_t readers = readers_waiting(g->readers);
    readers_stop(g->readers);
    world_run_ms(g->world, SETTLE_MS);
    inspect_queues(g->world);
    inspect_mail(g->world);
    ledger_check(g->world->ledger, &r->violations, &r->counts);
    if (!g->alive)
        report_stuck(g, readers);
    r->good = g->alive && r->counts.violations == 0;
    r->trace_hash = sim_trace_hash(g->world->sim);
    for (size_t k = 0; k < DISASTER_KINDS; k++)
        r->disasters[k] = disasters_happened(g->disasters, k);
    r->standby_turns = g->world->standby_turns;
    r->layout = g->world->layout;
}

static void begin(struct game *g)
{
    struct sim_world *sim = g->world->sim;
    trace_follow(g->world);
    witness_follow(g->world);
    g->disasters = disasters_new(g->world, DISASTER_MS);
    for (int i = 0; i < WORLD_NODES; i++)
        node_start(&g->world->nodes[i]);
    g->senders =
        senders_new(g->world, LETTERS_MIN + (size_t)sim_random_below(sim, LETTERS_SPAN), DISASTER_MS);
    g->readers = readers_new(g->world);
    sim_at(sim, WITNESS_MS, on_witness, g->world);
}

static void end(struct game *g)
{
    trace_follow(NULL);
    witness_follow(NULL);
    readers_free(g->readers);
    senders_free(g->senders);
    disasters_free(g->disasters);
    world_free(g->world);
}

void play(uint64_t seed, const struct layouts *layouts, struct play_result *ret_result)
{
    struct game g = {.result = ret_result};
    *ret_result = (struct play_result){0};
    buf_init(&ret_result->violations, REPORT_MAX_BYTES);
    g.world = world_new(seed, layouts);
    begin(&g);
    world_run_ms(g.world, DISASTER_MS);
    disasters_end(g.disasters);
    drain(&g);
    judge(&g);
    end(&g);
}
