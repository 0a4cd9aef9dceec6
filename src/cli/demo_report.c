/* The timeline as text and as JSON. */
#include "cli/demo_timeline.h"

#define BOLD  "\033[1m"
#define GREEN "\033[32m"
#define RED   "\033[1;31m"
#define PLAIN "\033[0m"

static const struct {
    const char *name; /* in JSON */
    const char *mark; /* before the text */
    const char *colour;
} kinds[] = {
    [TIMELINE_ACT] = {"act", "", BOLD},
    [TIMELINE_EVENT] = {"event", "", ""},
    [TIMELINE_HELD] = {"held", "ok: ", GREEN},
    [TIMELINE_BROKEN] = {"broken", "BROKEN: ", RED},
};

void timeline_format(struct buf *out, const struct timeline_event *e, bool colour)
{
    const char *on = colour ? kinds[e->kind].colour : "", *off = *on ? PLAIN : "";
    if (e->kind == TIMELINE_ACT)
        buf_append_fmt(out, "\n%s%u. %s%s\n", on, e->act, e->what, off);
    else
        buf_append_fmt(out, "%4lld.%03lld  %-10s %s%s%s%s\n", (long long)(e->at_ms / 1000),
                       (long long)(e->at_ms % 1000), e->who, on, kinds[e->kind].mark, e->what, off);
}

static void format_time(struct buf *out, const struct timeline_time *m)
{
    buf_append_fmt(out, "  %-66s %7lld ms", m->what, (long long)m->ms);
    if (m->limit_ms > 0)
        buf_append_fmt(out, "   %s %lld ms", m->ms <= m->limit_ms ? "within" : "OVER",
                       (long long)m->limit_ms);
    buf_append_char(out, '\n');
}

void timeline_format_report(struct buf *out, const struct timeline *t, const struct ledger_totals *totals)
{
    size_t held = timeline_count(t, TIMELINE_HELD), broken = timeline_count(t, TIMELINE_BROKEN);
    const char *on = !t->colour ? "" : timeline_held(t) ? GREEN : RED;
    buf_append_text(out, "\nMeasured\n");
    for (size_t i = 0; i < t->time_count; i++)
        format_time(out, &t->times[i]);
    buf_append_fmt(out, "  %-66s %7u\n", "messages answered with 250", totals->accepted);
    buf_append_fmt(out, "  %-66s %7u\n", "handed over again, since a server died before its answer",
                   totals->uncertain);
    buf_append_fmt(out, "  %-66s %7u\n", "refused for good, or taken by nobody in time",
                   totals->refused + totals->unsent);
    buf_append_fmt(out, "\n%s%s: %zu checks held, %zu did not%s\n", on,
                   timeline_held(t) ? "All held" : "NOT ALL HELD", held, broken, t->colour ? PLAIN : "");
}

static json_t *event_json(const struct timeline_event *e)
{
    return json_pack("{s:I, s:i, s:s, s:s, s:s}", "at_ms", (json_int_t)e->at_ms, "act", (int)e->act, "kind",
                     kinds[e->kind].name, "who", e->who, "what", e->what);
}

static json_t *check_json(const struct timeline_event *e)
{
    return json_pack("{s:I, s:i, s:b, s:s}", "at_ms", (json_int_t)e->at_ms, "act", (int)e->act, "held",
                     e->kind == TIMELINE_HELD, "what", e->what);
}

static json_t *time_json(const struct timeline_time *m)
{
    json_t *object = json_pack("{s:I, s:s}", "ms", (json_int_t)m->ms, "what", m->what);
    if (m->limit_ms > 0) {
        json_object_set_new(object, "limit_ms", json_integer(m->limit_ms));
        json_object_set_new(object, "within", json_boolean(m->ms <= m->limit_ms));
    }
    return object;
}

json_t *timeline_json(const struct timeline *t, const struct ledger_totals *totals)
{
    json_t *events = json_array(), *checks = json_array(), *times = json_object();
    for (size_t i = 0; i < t->count; i++) {
        const struct timeline_event *e = &t->events[i];
        json_array_append_new(events, event_json(e));
        if (e->kind == TIMELINE_HELD || e->kind == TIMELINE_BROKEN)
            json_array_append_new(checks, check_json(e));
    }
    for (size_t i = 0; i < t->time_count; i++)
        json_object_set_new(times, t->times[i].key, time_json(&t->times[i]));
    json_t *messages = json_pack("{s:I, s:I, s:I, s:I}", "accepted", (json_int_t)totals->accepted,
                                 "uncertain", (json_int_t)totals->uncertain, "refused",
                                 (json_int_t)totals->refused, "unsent", (json_int_t)totals->unsent);
    return json_pack("{s:b, s:b, s:o, s:o, s:o, s:o}", "held", timeline_held(t), "strict", t->strict,
                     "messages", messages, "times", times, "checks", checks, "timeline", events);
}
