#include "simulation/disaster.h"
#include "simulation/strangers.h"

#define TIMES_MAX     4 /* what a message loses its connection by oftener is its own fault */
#define SLOW_MIN_MS   50
#define SLOW_STRETCH  4
#define NAMES_SLOW_MS 3000

/* ---- servers that are not ours ---- */

static struct stranger *choose(struct disaster *x)
{
    x->stranger = strangers_choose(x->all->world->strangers, x->strength);
    return x->stranger;
}

static bool die(struct disaster *x)
{
    bool runs = stranger_runs(choose(x));
    stranger_kill(x->stranger);
    return runs;
}

static void end_die(struct disaster *x)
{
    if (x->stranger)
        stranger_start(x->stranger);
}

static bool hang(struct disaster *x)
{
    x->frozen = stranger_process(choose(x));
    process_freeze(x->frozen, true);
    return stranger_runs(x->stranger);
}

static void end_hang(struct disaster *x)
{
    if (x->frozen)
        process_freeze(x->frozen, false);
}

static bool be_slow(struct disaster *x)
{
    stranger_slow(choose(x), SLOW_MIN_MS + SLOW_STRETCH * (int64_t)x->strength);
    return stranger_runs(x->stranger);
}

static void end_be_slow(struct disaster *x)
{
    if (x->stranger)
        stranger_slow(x->stranger, 0);
}

/* Counted when it happens. */
static bool fail(struct disaster *x, enum stranger_fault fault)
{
    stranger_fault(choose(x), fault, 1 + (int64_t)disaster_random(x, TIMES_MAX), &x->all->happened[x->kind]);
    return false;
}

static bool be_busy(struct disaster *x)
{
    return fail(x, STRANGER_IS_BUSY);
}

static bool defer(struct disaster *x)
{
    return fail(x, disaster_random(x, 2) == 0 ? STRANGER_DEFERS_RCPT : STRANGER_DEFERS_MESSAGE);
}

static bool refuse(struct disaster *x)
{
    return fail(x, disaster_random(x, 2) == 0 ? STRANGER_REFUSES_RCPT : STRANGER_REFUSES_MESSAGE);
}

static bool cut_amid(struct disaster *x)
{
    return fail(x, STRANGER_CUTS_AMID);
}

static bool cut_after(struct disaster *x)
{
    return fail(x, STRANGER_CUTS_AFTER);
}

/* ---- names ---- */

static bool names(struct disaster *x, bool fail, int64_t slow_ms)
{
    x->all->world->names_faults = (struct names_faults){fail, slow_ms, &x->all->happened[x->kind]};
    return false; /* counted when one is asked for */
}

static bool names_fail(struct disaster *x)
{
    return names(x, true, 0);
}

static bool names_slow(struct disaster *x)
{
    return names(x, false, NAMES_SLOW_MS);
}

static void end_names(struct disaster *x)
{
    x->all->world->names_faults = (struct names_faults){.happened = NULL};
}

#define STRANGE .where = WITH_STRANGERS

const struct disaster_kind failing_kinds[FAILING_KINDS] = {
    {"a stranger dies", 8, die, end_die, STRANGE},
    {"a stranger hangs", 4, hang, end_hang, STRANGE},
    {"a stranger is slow", 5, be_slow, end_be_slow, STRANGE},
    {"a stranger is busy", 3, be_busy, NULL, STRANGE},
    {"a stranger answers 4yz", 6, defer, NULL, STRANGE},
    {"a stranger answers 5yz", 6, refuse, NULL, STRANGE},
    {"a stranger cuts amid a message", 4, cut_amid, NULL, STRANGE},
    {"a stranger cuts after a message", 8, cut_after, NULL, STRANGE},
    {"names are not known", 4, names_fail, end_names, STRANGE},
    {"names come slowly", 3, names_slow, end_names, STRANGE},
};
