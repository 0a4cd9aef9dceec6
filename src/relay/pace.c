#include "relay/pace.h"

#include "base/check.h"
#include "base/time.h"

/* Near the best: what more sessions cost where they still bring more. A disk's sync, shared by them, takes as
 * long for many as for one; what is shorter than GROW_SLACK_NS is noise beside it. */
#define GROW_TIMES    2
#define GROW_SLACK_NS (10 * NS_PER_MS)
/* Slow: they only wait for each other. Between the two the window stays as it is. */
#define SHRINK_TIMES    4
#define SHRINK_SLACK_NS (50 * NS_PER_MS)
#define SHRINK_PART     4  /* this part of the window is taken away */
#define AGE_PART        4  /* of the difference */
#define CEILING_ROUNDS  64 /* so that it is asked for more now and then, and not all the time */
/* A look costs up to half a round's answers, and nothing where they do wait for each other: half of the
 * sessions are then as many as the server can do, as answers of more than GROW_TIMES the best say. */
#define LOOK_AFTER_ROUNDS 8
#define LOOK_PART         2
/* Half of the sessions that wait for each other answer in half of the time; what is above is no sooner. */
#define SOONER_THAN(ns) ((ns) / 4 * 3)
#define ANSWER_MAX_NS   (3600LL * 1000 * NS_PER_MS) /* nothing overflows; SMTP is not that patient */

void pace_init(struct pace *p, int64_t max)
{
    CHECK(max > 0);
    *p = (struct pace){
        .max = max, .window = 1, .best_ns = INT64_MAX, .round_best_ns = INT64_MAX, .round_left = 1};
}

void pace_set_max(struct pace *p, int64_t max)
{
    CHECK(max > 0);
    p->max = max;
    if (p->window > max)
        p->window = max;
}

static bool is_near(const struct pace *p, int64_t ns)
{
    return ns <= GROW_TIMES * p->best_ns + GROW_SLACK_NS;
}

static bool is_slow(const struct pace *p, int64_t ns)
{
    return ns > SHRINK_TIMES * p->best_ns + SHRINK_SLACK_NS;
}

static int64_t most(const struct pace *p)
{
    return p->ceiling_rounds > 0 && p->ceiling < p->max ? p->ceiling : p->max;
}

static void grow(struct pace *p)
{
    if (p->window < most(p))
        p->window++;
}

static void shrink(struct pace *p)
{
    int64_t part = p->window / SHRINK_PART;
    p->cautious = true;
    p->window -= part > 0 ? part : p->window > 1;
}

static void age_best(struct pace *p)
{
    p->best_ns += (p->round_best_ns - p->best_ns) / AGE_PART;
}

/* Those that are under way answer first; then a round of the fewer. */
static void begin_look(struct pace *p)
{
    p->phase = PACE_LOOKING;
    p->look_window = p->window;
    p->look_ns = p->round_best_ns;
    p->window /= LOOK_PART;
    p->round_left = p->look_window + p->window;
}

static void end_look(struct pace *p)
{
    if (p->round_best_ns > SOONER_THAN(p->look_ns))
        age_best(p);
    p->phase = PACE_SETTLING;
    p->window = p->look_window < most(p) ? p->look_window : most(p);
    p->round_left = p->window;
}

static void begin_round(struct pace *p)
{
    p->phase = PACE_USUAL;
    p->round_left = p->window;
    p->ceiling_rounds -= p->ceiling_rounds > 0;
}

static void judge_round(struct pace *p)
{
    bool slow = is_slow(p, p->round_best_ns), near = is_near(p, p->round_best_ns);
    p->level_rounds = slow || near ? 0 : p->level_rounds + 1;
    if (slow)
        shrink(p);
    else if (p->cautious && near)
        grow(p);
    if (p->window == 1) /* it is not our other sessions that it waits for */
        age_best(p);
    begin_round(p);
    if (p->level_rounds < LOOK_AFTER_ROUNDS || p->window < LOOK_PART)
        return;
    p->level_rounds = 0;
    begin_look(p);
}

static void end_round(struct pace *p)
{
    switch (p->phase) {
    case PACE_USUAL:
        judge_round(p);
        break;
    case PACE_LOOKING:
        end_look(p);
        break;
    case PACE_SETTLING:
        begin_round(p);
        break;
    }
    p->round_best_ns = INT64_MAX;
}

bool pace_on_answer(struct pace *p, int64_t answer_ns)
{
    int64_t before = p->window;
    int64_t ns = answer_ns < 0 ? 0 : answer_ns > ANSWER_MAX_NS ? ANSWER_MAX_NS : answer_ns;
    if (ns < p->best_ns)
        p->best_ns = ns;
    if (ns < p->round_best_ns)
        p->round_best_ns = ns;
    if (p->phase == PACE_USUAL && !p->cautious && is_near(p, ns))
        grow(p);
    if (--p->round_left <= 0)
        end_round(p);
    return p->window > before;
}

void pace_on_turned_away(struct pace *p, int64_t served)
{
    CHECK(served > 0);
    p->ceiling = served;
    p->ceiling_rounds = CEILING_ROUNDS;
    p->cautious = true;
    if (p->window > served)
        p->window = served;
}
