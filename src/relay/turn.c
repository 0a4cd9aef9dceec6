#include "relay/turn.h"

#include "base/check.h"

static bool is_set(struct mono_time at)
{
    return at.ns != MONO_NEVER.ns;
}

void turn_init(struct turn *t)
{
    *t = (struct turn){.waiting_since = MONO_NEVER, .stopped_at = MONO_NEVER};
}

static void note_waiting(struct turn *t, const struct turn_view *v)
{
    if (!v->up || v->lossy == 0)
        t->waiting_since = t->stopped_at = MONO_NEVER;
    else if (!is_set(t->waiting_since))
        t->waiting_since = v->now;
}

static bool is_due(const struct turn *t, const struct turn_view *v)
{
    return is_set(t->waiting_since) && mono_diff_ms(v->now, t->waiting_since) >= v->patience_ms &&
           !mono_before(v->now, t->flow_until);
}

enum turn_word turn_ask(struct turn *t, const struct turn_view *v)
{
    if (t->alone)
        return TURN_NOBODY;
    note_waiting(t, v);
    if (!is_set(t->stopped_at) && is_due(t, v))
        t->stopped_at = v->now;
    bool stopped = is_set(t->stopped_at);
    if (v->lossy > 0 && v->busy == 0 && (stopped || v->normal == 0))
        return TURN_LOSSY;
    return stopped ? TURN_NOBODY : TURN_NORMAL;
}

void turn_begin(struct turn *t, struct mono_time now)
{
    CHECK(!t->alone);
    t->alone = true;
    if (!is_set(t->stopped_at))
        t->stopped_at = now;
}

void turn_end(struct turn *t, struct mono_time now)
{
    CHECK(t->alone);
    t->alone = false;
    t->flow_until = mono_add_ms(now, TURN_SHARE * mono_diff_ms(now, t->stopped_at));
    t->stopped_at = MONO_NEVER;
}
