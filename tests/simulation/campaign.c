#include "simulation/campaign.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "simulation/jobs.h"
#include "simulation/mutants.h"
#include "simulation/play.h"

#define GROUP_SEEDS     25  /* of one TAP line */
#define EVERY_KIND_FROM 500 /* of so many seeds each kind of disaster happens in some */
#define LINE_MAX_BYTES  4096

/* What is counted, over many seeds. */
enum sum {
    SUM_ATTEMPTS,
    SUM_ACCEPTED,
    SUM_STANDBY_TURNS,
    SUM_BOUNCED,
    SUM_DOUBLES,
    SUM_REPORTS,
    SUM_LAYOUTS = SUM_REPORTS + LEDGER_REPORTS,
    SUM_DISASTERS = SUM_LAYOUTS + LAYOUT_COUNT,
    SUM_COUNT = SUM_DISASTERS + DISASTER_KINDS
};

struct sums {
    size_t of[SUM_COUNT];
};

struct campaign {
    const struct campaign_options *options;
    struct jobs jobs;
    size_t cases, failures;
    struct sums sums;
};

struct group {
    struct campaign *campaign;
    const uint64_t *seeds;
    size_t count;
};

struct hunt {
    struct campaign *campaign;
    enum mutant mutant;
};

static void PRINTF_LIKE(3, 4) say_case(struct campaign *c, bool ok, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("%s %zu - ", ok ? "ok" : "not ok", ++c->cases);
    vprintf(fmt, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
    c->failures += !ok;
}

static int finish(struct campaign *c)
{
    printf("1..%zu\n", c->cases);
    return c->failures == 0 && c->cases > 0 ? 0 : 1;
}

/* ---- a group, in a process of its own: lines "seed N", "# text", "sums ..." ---- */

static void report_red(FILE *report, uint64_t seed, const struct play_result *result)
{
    struct str rest = buf_str(&result->violations), line;
    fprintf(report, "# seed %llu is red; its story: ./dev simulate --trace %llu\n", (unsigned long long)seed,
            (unsigned long long)seed);
    while (rest.len > 0 && str_split(&rest, '\n', &line))
        fprintf(report, "# %.*s\n", STR_ARG(line));
}

static bool play_one(FILE *report, uint64_t seed, const struct layouts *layouts, struct play_result *result)
{
    fprintf(report, "seed %llu\n", (unsigned long long)seed);
    fflush(report);
    play(seed, layouts, result);
    if (!result->good)
        report_red(report, seed, result);
    buf_fini(&result->violations);
    return result->good;
}

static bool plays_the_same_twice(FILE *report, uint64_t seed, uint64_t hash, const struct layouts *layouts)
{
    struct play_result again;
    play(seed, layouts, &again);
    buf_fini(&again.violations);
    if (again.trace_hash != hash)
        fprintf(report, "# seed %llu went another way when it was played again\n", (unsigned long long)seed);
    return again.trace_hash == hash;
}

static void add_result(struct sums *s, const struct play_result *r)
{
    s->of[SUM_ATTEMPTS] += r->counts.attempts;
    s->of[SUM_ACCEPTED] += r->counts.accepted;
    s->of[SUM_STANDBY_TURNS] += r->standby_turns;
    s->of[SUM_BOUNCED] += r->counts.bounced;
    s->of[SUM_DOUBLES] += r->counts.doubles;
    for (size_t k = 0; k < LEDGER_REPORTS; k++)
        s->of[SUM_REPORTS + k] += r->counts.reports[k];
    s->of[SUM_LAYOUTS + r->layout]++;
    for (size_t k = 0; k < DISASTER_KINDS; k++)
        s->of[SUM_DISASTERS + k] += r->disasters[k];
}

static void report_sums(FILE *report, const struct sums *s)
{
    fputs("sums", report);
    for (size_t k = 0; k < SUM_COUNT; k++)
        fprintf(report, " %zu", s->of[k]);
    fputc('\n', report);
}

static int run_group(void *arg, FILE *report)
{
    const struct group *g = arg;
    const struct layouts *layouts = g->campaign->options->layouts;
    struct sums sums = {0};
    struct play_result result;
    bool good = true;
    for (size_t i = 0; i < g->count; i++) {
        good &= play_one(report, g->seeds[i], layouts, &result);
        add_result(&sums, &result);
    }
    good &= plays_the_same_twice(report, g->seeds[g->count - 1], result.trace_hash, layouts);
    report_sums(report, &sums);
    return good ? 0 : 1;
}

/* ---- groups ---- */

static void take_sums(struct sums *s, char *text)
{
    char *at = text;
    for (size_t k = 0; k < SUM_COUNT; k++)
        s->of[k] += strtoul(at, &at, 10);
}

static void on_group_ended(void *arg, int status, FILE *report)
{
    struct group *g = arg;
    char line[LINE_MAX_BYTES], last[LINE_MAX_BYTES] = "";
    say_case(g->campaign, status == 0, "seeds %llu to %llu", (unsigned long long)g->seeds[0],
             (unsigned long long)g->seeds[g->count - 1]);
    while (fgets(line, sizeof(line), report)) {
        if (strncmp(line, "sums ", 5) == 0)
            take_sums(&g->campaign->sums, line + 5);
        else if (strncmp(line, "seed ", 5) == 0)
            memcpy(last, line, sizeof(last));
        else
            fputs(line, stdout);
    }
    if (WIFSIGNALED(status))
        printf("# it died by signal %d while it played %s", WTERMSIG(status), last);
    fflush(stdout);
    free(g);
}

static const char *sum_name(size_t k)
{
    static const char *const names[SUM_LAYOUTS] = {"attempts of senders",
                                                   "recipients accepted",
                                                   "a standby gets the mail",
                                                   "recipients bounced",
                                                   "a stranger shows a message twice, as it may",
                                                   "reports of failures",
                                                   "reports of delays",
                                                   "reports of successes"};
    return k < SUM_LAYOUTS     ? names[k]
           : k < SUM_DISASTERS ? layout_name((enum layout)(k - SUM_LAYOUTS))
                               : disaster_kind_name(k - SUM_DISASTERS);
}

/* What never happened proves nothing. */
static void check_sums(struct campaign *c)
{
    bool every = true;
    for (size_t k = 0; k < SUM_COUNT; k++) {
        printf("# %zu times: %s\n", c->sums.of[k], sum_name(k));
        every &= c->sums.of[k] > 0;
    }
    if (c->options->seeds.count >= EVERY_KIND_FROM)
        say_case(c, every, "every layout was played, and all that is to happen happened");
}

int campaign_play(const struct campaign_options *options)
{
    struct campaign c = {.options = options, .jobs.at_once = options->jobs};
    const struct seeds *s = &options->seeds;
    for (size_t at = 0; at < s->count; at += GROUP_SEEDS) {
        struct group *g = mem_alloc(sizeof(*g));
        size_t left = s->count - at;
        *g = (struct group){&c, s->items + at, left < GROUP_SEEDS ? left : GROUP_SEEDS};
        jobs_start(&c.jobs, run_group, on_group_ended, g);
    }
    jobs_wait(&c.jobs);
    check_sums(&c);
    return finish(&c);
}

/* ---- mutants ---- */

static bool is_caught(FILE *report, uint64_t seed, const struct layouts *layouts)
{
    struct play_result result;
    play(seed, layouts, &result);
    struct str rest = buf_str(&result.violations), line = STR_EMPTY;
    str_split(&rest, '\n', &line);
    if (!result.good)
        fprintf(report, "seed %llu: %.*s", (unsigned long long)seed, STR_ARG(line));
    buf_fini(&result.violations);
    return !result.good;
}

static int run_hunt(void *arg, FILE *report)
{
    const struct hunt *h = arg;
    const struct campaign_options *o = h->campaign->options;
    mutant_play(h->mutant);
    for (size_t i = 0; i < o->seeds.count; i++)
        if (is_caught(report, o->seeds.items[i], o->layouts))
            return 0;
    return 1;
}

/* One that crashes was not caught: nobody judged. */
static void on_hunt_ended(void *arg, int status, FILE *report)
{
    struct hunt *h = arg;
    char line[LINE_MAX_BYTES] = "";
    if (!fgets(line, sizeof(line), report))
        snprintf(line, sizeof(line), "no seed saw it");
    say_case(h->campaign, status == 0, "mutant %s is caught", mutant_name(h->mutant));
    printf("# %s\n# %s\n", mutant_what(h->mutant), line);
    free(h);
}

int campaign_hunt(const struct campaign_options *options)
{
    struct campaign c = {.options = options, .jobs.at_once = options->jobs};
    for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++) {
        struct hunt *h = mem_alloc(sizeof(*h));
        *h = (struct hunt){&c, (enum mutant)m};
        jobs_start(&c.jobs, run_hunt, on_hunt_ended, h);
    }
    jobs_wait(&c.jobs);
    return finish(&c);
}
