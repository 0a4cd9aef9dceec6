/* What happened, when, and whether it held: a person reads it line by line
 * while the demo plays, a program reads it as JSON at the end. Formatting is
 * pure. One thread. */
#ifndef HOLDFAST_CLI_DEMO_TIMELINE_H
#define HOLDFAST_CLI_DEMO_TIMELINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/check.h"
#include "cli/demo_ledger.h"
#include "loop/loop.h"

enum timeline_kind {
    TIMELINE_ACT,    /* a heading */
    TIMELINE_EVENT,  /* something happened */
    TIMELINE_HELD,   /* a check that held */
    TIMELINE_BROKEN, /* one that did not */
};

struct timeline_event {
    int64_t at_ms; /* since the start */
    enum timeline_kind kind;
    unsigned act;
    char *who;
    char *what;
};

/* Something measured. */
struct timeline_time {
    const char *key; /* in JSON */
    const char *what;
    int64_t ms;
    int64_t limit_ms; /* 0: none; judged by --strict only */
};

#define TIMELINE_TIMES_MAX 16

struct timeline {
    struct loop *loop; /* for its clock */
    struct mono_time start;
    FILE *out; /* NULL: nobody reads along */
    bool colour;
    bool strict;
    unsigned act;
    struct timeline_event *events;
    size_t count, capacity;
    struct timeline_time times[TIMELINE_TIMES_MAX];
    size_t time_count;
};

/* out is not owned; colour when it is a terminal. */
void timeline_init(struct timeline *t, struct loop *l, FILE *out, bool strict);
void timeline_fini(struct timeline *t);

void timeline_act(struct timeline *t, const char *title);
void timeline_say(struct timeline *t, const char *who, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Records a check, and returns whether it held. */
bool timeline_check(struct timeline *t, bool held, const char *who, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Records a time; key and what are static. With --strict, one above its limit is a
 * check that did not hold. */
void timeline_measure(struct timeline *t, const char *key, const char *what, int64_t ms, int64_t limit_ms);

bool timeline_held(const struct timeline *t); /* at least one check, and all held */
size_t timeline_count(const struct timeline *t, enum timeline_kind kind);

/* One line, or for an act a blank line and its heading. */
void timeline_format(struct buf *out, const struct timeline_event *e, bool colour);
/* The table of times and messages at the end, and the last word. */
void timeline_format_report(struct buf *out, const struct timeline *t, const struct ledger_totals *totals);
/* All of it as one object. To be json_decref'ed. */
json_t *timeline_json(const struct timeline *t, const struct ledger_totals *totals);

#endif
