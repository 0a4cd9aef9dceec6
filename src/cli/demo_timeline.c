#include "cli/demo_timeline.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define LINE_MAX_BYTES 8192

void timeline_init(struct timeline *t, struct loop *l, FILE *out, bool strict)
{
    *t = (struct timeline){.loop = l, .start = loop_now(l), .out = out, .strict = strict};
    t->colour = out && isatty(fileno(out));
}

void timeline_fini(struct timeline *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->events[i].who);
        free(t->events[i].what);
    }
    free(t->events);
    t->events = NULL;
}

static void print(struct timeline *t, const struct timeline_event *e)
{
    struct buf line;
    if (!t->out)
        return;
    buf_init(&line, LINE_MAX_BYTES);
    timeline_format(&line, e, t->colour);
    fwrite(buf_data(&line), 1, line.len, t->out);
    fflush(t->out);
    buf_fini(&line);
}

static void add(struct timeline *t, enum timeline_kind kind, const char *who, const char *fmt, va_list args)
{
    struct buf what;
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 64;
        t->events = mem_reallocarray(t->events, t->capacity, sizeof(*t->events));
    }
    buf_init(&what, LINE_MAX_BYTES / 2);
    buf_append_vfmt(&what, fmt, args);
    struct timeline_event *e = &t->events[t->count++];
    *e = (struct timeline_event){.at_ms = mono_diff_ms(loop_now(t->loop), t->start),
                                 .kind = kind,
                                 .act = t->act,
                                 .who = mem_strdup(who),
                                 .what = buf_steal(&what)};
    if (!e->what)
        e->what = mem_strdup("");
    print(t, e);
}

static void add_text(struct timeline *t, enum timeline_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(t, kind, "", fmt, args);
    va_end(args);
}

void timeline_act(struct timeline *t, const char *title)
{
    t->act++;
    add_text(t, TIMELINE_ACT, "%s", title);
}

void timeline_say(struct timeline *t, const char *who, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(t, TIMELINE_EVENT, who, fmt, args);
    va_end(args);
}

bool timeline_check(struct timeline *t, bool held, const char *who, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(t, held ? TIMELINE_HELD : TIMELINE_BROKEN, who, fmt, args);
    va_end(args);
    return held;
}

void timeline_measure(struct timeline *t, const char *key, const char *what, int64_t ms, int64_t limit_ms)
{
    CHECK(t->time_count < TIMELINE_TIMES_MAX);
    t->times[t->time_count++] = (struct timeline_time){key, what, ms, limit_ms};
    if (t->strict && limit_ms > 0)
        timeline_check(t, ms <= limit_ms, "clock", "%s: %lld ms, at most %lld ms", what, (long long)ms,
                       (long long)limit_ms);
}

size_t timeline_count(const struct timeline *t, enum timeline_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < t->count; i++)
        count += t->events[i].kind == kind;
    return count;
}

bool timeline_held(const struct timeline *t)
{
    return timeline_count(t, TIMELINE_HELD) > 0 && timeline_count(t, TIMELINE_BROKEN) == 0;
}
