/* Health's words: one word per server (or relay), with the history behind it.
 * Monitors write it; DNS steering, the relay's schedule, the director's
 * agreement and the status page read it and know no monitor. This header is
 * whole by itself (nothing to link), so that they need nothing else of health.
 * Plain data: copy it freely. Nothing here survives a crash. */
#ifndef HOLDFAST_HEALTH_WORDS_H
#define HOLDFAST_HEALTH_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

/* The first five are judged from outcomes (health/machine.h); the last three
 * are given by a route in the store and overrule what probes say. */
enum health_state {
    HEALTH_UNKNOWN,     /* not enough was heard yet */
    HEALTH_OPERATIONAL, /* every check has risen */
    HEALTH_SUSPECT,     /* fails, but less often in a row than `fall` */
    HEALTH_INOPERABLE,  /* a check has failed `fall` times in a row */
    HEALTH_RECOVERING,  /* works again, but not yet `rise` times in a row */
    HEALTH_FENCED,      /* being made sure that it is off */
    HEALTH_CREATING,    /* being created or verified: no traffic yet */
    HEALTH_RETIRED,     /* taken out of service by an operator */
};
#define HEALTH_STATE_COUNT 8

/* What one probe or delivery said. */
enum health_outcome {
    HEALTH_FAIL,
    HEALTH_OK,
    HEALTH_NONE, /* the check itself could not tell (a plugin's exit 3): no evidence */
};

#define HEALTH_DETAIL_MAX 160 /* one line on a status page */

struct health_word {
    enum health_state state;
    struct mono_time since;         /* of the state; for intervals, on this machine */
    struct wall_time since_wall;    /* of the state; for humans and other machines */
    uint64_t history;               /* the last 64 outcomes: bit 0 is the newest, 1 is ok */
    unsigned history_len;           /* bits that are outcomes, 0..64 */
    uint32_t failures;              /* outcomes in a row that failed, all checks and deliveries */
    uint32_t successes;             /* the same, ok */
    char detail[HEALTH_DETAIL_MAX]; /* of the last outcome, printable ASCII; "" before the first */
};

/* "operational"; stable: logs, JSON and the store use it. */
static inline const char *health_state_name(enum health_state state)
{
    static const char *const names[HEALTH_STATE_COUNT] = {
        "unknown", "operational", "suspect", "inoperable", "recovering", "fenced", "creating", "retired"};
    return (unsigned)state < HEALTH_STATE_COUNT ? names[state] : "unknown";
}

/* ERR_SYNTAX when text is none of the names. */
static inline MUST_USE int health_state_parse(struct str text, enum health_state *ret_state)
{
    for (int i = 0; i < HEALTH_STATE_COUNT; i++) {
        if (str_eq(text, str_from(health_state_name((enum health_state)i)))) {
            *ret_state = (enum health_state)i;
            return 0;
        }
    }
    return ERR_SYNTAX;
}

/* Takes mail now, as far as is known: traffic may go there. */
static inline bool health_state_serves(enum health_state state)
{
    return state == HEALTH_OPERATIONAL || state == HEALTH_SUSPECT;
}

#endif
