#include "health/machine.h"

#include <string.h>

static void set_state(struct health_machine *m, enum health_state state, struct mono_time now,
                      struct wall_time wall)
{
    if (m->word.state == state)
        return;
    m->word.state = state;
    m->word.since = now;
    m->word.since_wall = wall;
}

void health_machine_reset(struct health_machine *m, struct mono_time now, struct wall_time wall)
{
    for (size_t i = 0; i < m->check_count; i++)
        m->checks[i] = (struct health_check){.rule = m->checks[i].rule, .delivery_outcome = HEALTH_NONE};
    m->word = (struct health_word){.state = HEALTH_UNKNOWN, .since = now, .since_wall = wall};
}

void health_machine_set_rules(struct health_machine *m, const struct health_rule *rules)
{
    for (size_t i = 0; i < m->check_count; i++) {
        CHECK(rules[i].fall >= 1 && rules[i].rise >= 1);
        m->checks[i].rule = rules[i];
    }
}

void health_machine_init(struct health_machine *m, const struct health_rule *rules, size_t count,
                         struct mono_time now, struct wall_time wall)
{
    CHECK(count >= 1 && count <= HEALTH_CHECKS_MAX);
    memset(m, 0, sizeof(*m));
    m->check_count = count;
    health_machine_set_rules(m, rules);
    health_machine_reset(m, now, wall);
}

static void check_fail(struct health_check *c)
{
    c->successes = 0;
    if (c->failures < UINT32_MAX)
        c->failures++;
    if (c->failures >= c->rule.fall)
        c->level = LEVEL_DOWN;
}

static void check_ok(struct health_check *c)
{
    c->failures = 0;
    if (c->successes < UINT32_MAX)
        c->successes++;
    if (c->level == LEVEL_UNHEARD || c->successes >= c->rule.rise)
        c->level = LEVEL_UP;
}

static enum health_state check_state(const struct health_check *c)
{
    switch (c->level) {
    case LEVEL_DOWN:
        return c->successes > 0 ? HEALTH_RECOVERING : HEALTH_INOPERABLE;
    case LEVEL_UP:
        return c->failures > 0 ? HEALTH_SUSPECT : HEALTH_OPERATIONAL;
    default:
        return HEALTH_UNKNOWN;
    }
}

static enum health_state worst_state(const struct health_machine *m)
{
    static const enum health_state order[] = {HEALTH_INOPERABLE, HEALTH_RECOVERING, HEALTH_UNKNOWN,
                                              HEALTH_SUSPECT};
    for (size_t rank = 0; rank < ARRAY_LEN(order); rank++)
        for (size_t i = 0; i < m->check_count; i++)
            if (check_state(&m->checks[i]) == order[rank])
                return order[rank];
    return HEALTH_OPERATIONAL;
}

static void keep_detail(struct health_word *w, struct str detail)
{
    size_t len = detail.len < sizeof(w->detail) - 1 ? detail.len : sizeof(w->detail) - 1;
    for (size_t i = 0; i < len; i++)
        w->detail[i] = ascii_isprint(detail.ptr[i]) ? detail.ptr[i] : '?';
    w->detail[len] = '\0';
}

static void keep_history(struct health_word *w, bool ok)
{
    w->history = w->history << 1 | (ok ? 1 : 0);
    if (w->history_len < 64)
        w->history_len++;
    w->failures = ok ? 0 : w->failures + (w->failures < UINT32_MAX);
    w->successes = ok ? w->successes + (w->successes < UINT32_MAX) : 0;
}

static bool same_event(struct health_check *c, const struct health_event *e)
{
    if (e->source != HEALTH_DELIVERY)
        return false;
    if (c->delivery_outcome == e->outcome && mono_diff_ms(e->now, c->delivery_at) < HEALTH_SAME_EVENT_MS)
        return true;
    c->delivery_outcome = e->outcome;
    c->delivery_at = e->now;
    return false;
}

bool health_machine_outcome(struct health_machine *m, const struct health_event *event)
{
    CHECK(event->check < m->check_count);
    struct health_check *c = &m->checks[event->check];
    if (event->outcome != HEALTH_NONE && same_event(c, event))
        return false;
    keep_detail(&m->word, event->detail);
    if (event->outcome == HEALTH_NONE)
        return false;
    keep_history(&m->word, event->outcome == HEALTH_OK);
    if (event->outcome == HEALTH_OK)
        check_ok(c);
    else
        check_fail(c);
    set_state(m, worst_state(m), event->now, event->wall);
    return true;
}
