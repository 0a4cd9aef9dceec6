/* The pure state machine of one server's health: outcomes and the time in, a
 * state word out. For the monitor, the simulator and tests.
 *
 * Each check of a server has its own `fall` and `rise` (outcomes in a row):
 *
 *   unknown --ok--> up --fall failures--> down --rise successes--> up
 *   unknown --fall failures--> down
 *
 * and the server's word follows from all of them, the worst first: a check
 * down makes it inoperable; down with successes, recovering; a check unheard
 * of, unknown; up with failures, suspect; else operational. The first success
 * after `unknown` is believed at once: nothing is known to be broken.
 *
 * Deliveries count as outcomes of the check that they resemble. One event (a
 * crash) breaks many sessions within moments; that is one piece of evidence, so
 * equal outcomes of deliveries within HEALTH_SAME_EVENT_MS count once.
 *
 * No memory, no clock. Nothing here survives a crash. */
#ifndef HOLDFAST_HEALTH_MACHINE_H
#define HOLDFAST_HEALTH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "health/words.h"

#define HEALTH_CHECKS_MAX    32  /* one of each kind, and plugins */
#define HEALTH_SAME_EVENT_MS 200 /* resets of one crash arrive within milliseconds; retries are slower */

enum health_source { HEALTH_PROBE, HEALTH_DELIVERY };

struct health_rule {
    uint32_t fall, rise; /* >= 1 */
};

struct health_check {
    struct health_rule rule;
    enum { LEVEL_UNHEARD, LEVEL_UP, LEVEL_DOWN } level;
    uint32_t failures, successes;         /* in a row; one of them is 0 */
    struct mono_time delivery_at;         /* of the last counted delivery */
    enum health_outcome delivery_outcome; /* HEALTH_NONE before the first */
};

struct health_machine {
    struct health_check checks[HEALTH_CHECKS_MAX];
    size_t check_count;
    struct health_word word;
};

struct health_event {
    size_t check; /* index of the check that it is about */
    enum health_source source;
    enum health_outcome outcome;
    struct str detail; /* anything; its start is kept, made printable */
    struct mono_time now;
    struct wall_time wall;
};

/* 1 to HEALTH_CHECKS_MAX rules. The state is HEALTH_UNKNOWN, since now. */
void health_machine_init(struct health_machine *m, const struct health_rule *rules, size_t count,
                         struct mono_time now, struct wall_time wall);
/* Other rules for the same checks, in their order; they judge from the next outcome on. */
void health_machine_set_rules(struct health_machine *m, const struct health_rule *rules);
/* Forgets what was heard (the identity moved to another instance); rules stay. */
void health_machine_reset(struct health_machine *m, struct mono_time now, struct wall_time wall);

/* Returns whether it counted: false for HEALTH_NONE (only the detail is kept),
 * and for a delivery that tells of the same event as the one before. The
 * caller compares m->word.state with what it was. */
bool health_machine_outcome(struct health_machine *m, const struct health_event *event);

#endif
