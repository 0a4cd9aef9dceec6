#include "base/log.h"
#include "base/mem.h"
#include "simulation/disaster.h"
#include "simulation/strangers.h"

#define FIRST_MS         500 /* the network's first start has its first steps done, or not */
#define SKEW_WALL_MS     5000
#define SKEW_WALL_FAR_MS 3600000
#define SKEW_RATE_PPM    500 /* crystals of computers keep within 100 */

static uint64_t below(const struct disasters *d, uint64_t n)
{
    return sim_random_below(d->world->sim, n);
}

uint64_t disaster_random(const struct disaster *x, uint64_t n)
{
    return below(x->all, n);
}

/* ---- playing ---- */

static const struct disaster_kind *kind_at(size_t kind)
{
    const size_t before_failings = DEATH_KINDS + TROUBLE_KINDS;
    return kind < DEATH_KINDS       ? &death_kinds[kind]
           : kind < before_failings ? &trouble_kinds[kind - DEATH_KINDS]
                                    : &failing_kinds[kind - before_failings];
}

const char *disaster_kind_name(size_t kind)
{
    return kind_at(kind)->name;
}

static void end(struct disaster *x)
{
    if (kind_at(x->kind)->end)
        kind_at(x->kind)->end(x);
}

static void on_end(void *arg)
{
    struct disaster *x = arg;
    if (x->all->over || !kind_at(x->kind)->end)
        return;
    log_event(LOG_WARNING, "DISASTER ENDS", LOG_TEXT("kind", disaster_kind_name(x->kind)));
    end(x);
}

static void on_begin(void *arg)
{
    struct disaster *x = arg;
    struct disasters *d = x->all;
    log_event(LOG_WARNING, "DISASTER", LOG_TEXT("kind", disaster_kind_name(x->kind)),
              LOG_TEXT("node", x->node->config->name), LOG_TEXT("from", x->from), LOG_TEXT("to", x->to),
              LOG_I64("both", x->both), LOG_I64("stays", x->stays), LOG_I64("lasts_ms", x->lasts_ms),
              LOG_I64("strength", x->strength));
    d->happened[x->kind] += kind_at(x->kind)->begin(x);
    sim_at(d->world->sim, x->lasts_ms, on_end, x);
}

/* ---- drawing ---- */

static unsigned weight(const struct disasters *d, size_t kind)
{
    static bool (*const is_there[])(enum layout layout) = {
        [WITH_INSTANCES] = layout_has_instances, [WITH_STRANGERS] = layout_has_strangers};
    const struct disaster_kind *k = kind_at(kind);
    return k->where == EVERYWHERE || is_there[k->where](d->world->layout) ? k->weight : 0;
}

static size_t draw_kind(struct disasters *d)
{
    unsigned sum = 0;
    size_t kind = 0;
    for (size_t k = 0; k < DISASTER_KINDS; k++)
        sum += weight(d, k);
    uint64_t at = below(d, sum);
    while (at >= weight(d, kind))
        at -= weight(d, kind++);
    return kind;
}

static void draw_link(struct disasters *d, struct disaster *x)
{
    const char *const hosts[] = {CLIENT_HOST, d->world->nodes[0].config->name,
                                 d->world->nodes[1].config->name, STRANGER_ELSEWHERE, STRANGER_HOME};
    size_t without = (size_t)!layout_is_external(d->world->layout) + !layout_has_strangers(d->world->layout);
    size_t count = ARRAY_LEN(hosts) - without;
    size_t from = (size_t)below(d, count);
    x->from = hosts[from];
    x->to = hosts[(from + 1 + (size_t)below(d, count - 1)) % count];
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
    if (kind_at(x->kind)->early)
        x->at_ms /= 2;
    x->lasts_ms = draw_duration(d);
    x->strength = 1 + (uint32_t)below(d, STRENGTH_MAX);
    x->stays = below(d, 3) == 0;
    draw_link(d, x);
    if (kind_at(x->kind)->drawn)
        kind_at(x->kind)->drawn(x);
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
    size_t count = (size_t)below(d, DISASTERS_MAX + 1);
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
        end(&d->items[i]);
    strangers_calm(w->strangers);
    for (size_t u = 0; u < UNTOLD_COUNT; u++)
        w->untold[u].left = 0;
    for (int i = 0; i < WORLD_NODES; i++) {
        struct node *n = &w->nodes[i];
        for (size_t f = 0; f < PROVISION_FAULTS; f++)
            n->faults[f].left = 0;
        if (n != d->lost)
            node_start(n);
    }
}

size_t disasters_happened(const struct disasters *d, size_t kind)
{
    return d->happened[kind];
}
