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
#define SHRINK_PART     4                           /* this part of the window is taken away */
#define AGE_PART        4                           /* of the difference, an answer of the only session */
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

static void grow(struct pace *p)
{
    if (p->window < p->max)
        p->window++;
}

static void shrink(struct pace *p)
{
    int64_t part = p->window / SHRINK_PART;
    p->cautious = true;
    p->window -= part > 0 ? part : p->window > 1;
}

static void end_round(struct pace *p)
{
    if (is_slow(p, p->round_best_ns))
        shrink(p);
    else if (p->cautious && is_near(p, p->round_best_ns))
        grow(p);
    if (p->window == 1) /* it is not our other sessions that it waits for */
        p->best_ns += (p->round_best_ns - p->best_ns) / AGE_PART;
    p->round_best_ns = INT64_MAX;
    p->round_left = p->window;
}

bool pace_on_answer(struct pace *p, int64_t answer_ns)
{
    int64_t before = p->window;
    int64_t ns = answer_ns < 0 ? 0 : answer_ns > ANSWER_MAX_NS ? ANSWER_MAX_NS : answer_ns;
    if (ns < p->best_ns)
        p->best_ns = ns;
    if (ns < p->round_best_ns)
        p->round_best_ns = ns;
    if (!p->cautious && is_near(p, ns))
        grow(p);
    if (--p->round_left <= 0)
        end_round(p);
    return p->window > before;
}
