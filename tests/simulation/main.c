/* sim: plays seeds and judges them; tests/simulation/README.md says how to read it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "simulation/campaign.h"
#include "simulation/jobs.h"
#include "simulation/mutants.h"
#include "simulation/play.h"
#include "simulation/trace.h"
#include "simulation/world.h"

static _Noreturn void usage(void)
{
    fputs("usage: sim [--seeds FROM-TO | --file FILE]... [--jobs N] [--mutant NAME | --mutants]\n"
          "       sim --trace SEED [--mutant NAME]\n"
          "mutants:\n",
          stderr);
    for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++)
        fprintf(stderr, "  %-18s %s\n", mutant_name((enum mutant)m), mutant_what((enum mutant)m));
    exit(2);
}

static size_t parse_jobs(const char *text)
{
    uint64_t jobs;
    if (str_to_u64(str_from(text), JOBS_MAX, &jobs) < 0 || jobs == 0)
        usage();
    return (size_t)jobs;
}

static size_t default_jobs(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > JOBS_MAX ? JOBS_MAX : (size_t)cores;
}

static void play_mutant(const char *name)
{
    enum mutant m = mutant_find(name);
    if (m == MUTANT_NONE)
        usage();
    mutant_play(m);
}

/* One seed, with all that is said in it. */
static int trace(const struct campaign_options *o)
{
    struct play_result r;
    trace_set(true);
    play(o->seeds.items[0], o->layouts, &r);
    printf("%s%s, drained after %lld ms: %zu attempts, %zu recipients accepted, %zu refused, %zu open, %zu "
           "shown, %zu expunged, %zu in quarantine\n",
           buf_data(&r.violations), r.good ? "green" : "red", (long long)r.drained_ms, r.counts.attempts,
           r.counts.accepted, r.counts.refused, r.counts.open, r.counts.shown, r.counts.expunged,
           r.counts.quarantined);
    buf_fini(&r.violations);
    return r.good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct campaign_options o = {.jobs = default_jobs()};
    int (*run)(const struct campaign_options *options) = campaign_play;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--mutants") == 0) {
            run = campaign_hunt;
            continue;
        }
        i++;
        if (strcmp(argv[i - 1], "--seeds") == 0 && seeds_add_range(&o.seeds, value) == 0)
            continue;
        if (strcmp(argv[i - 1], "--file") == 0 && seeds_add_file(&o.seeds, value) == 0)
            continue;
        if (strcmp(argv[i - 1], "--trace") == 0 && seeds_add_range(&o.seeds, value) == 0)
            run = trace;
        else if (strcmp(argv[i - 1], "--jobs") == 0)
            o.jobs = parse_jobs(value);
        else if (strcmp(argv[i - 1], "--mutant") == 0)
            play_mutant(value);
        else
            usage();
    }
    if (o.seeds.count == 0)
        usage();
    struct layouts layouts;
    layouts_load(&layouts);
    o.layouts = &layouts;
    int status = run(&o);
    layouts_free(&layouts);
    seeds_fini(&o.seeds);
    return status;
}
