/* Whose turn it is at one messaging server: mail of the normal lane, or one
 * lossy transaction (its connection broke before), which is tried last and
 * alone. A pure machine, time passed in.
 *
 * "Last" has a bound, else steady traffic would keep an innocent message from
 * its reader: when lossy mail has waited for patience_ms while the server was up,
 * nothing more is handed out, the sessions run dry, and one goes alone. After it
 * the normal mail has the server for TURN_SHARE times as long as that took, so
 * that a batch of lossy ones takes a bounded part of the time. While the server
 * is not up nobody's patience ends: a message that kills servers must not be the
 * first that a recovered one gets.
 *
 * Nothing here survives a crash. */
#ifndef HOLDFAST_RELAY_TURN_H
#define HOLDFAST_RELAY_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define TURN_SHARE 3 /* lossy mail gets at most a quarter of the time while normal mail waits */

struct turn {
    struct mono_time waiting_since; /* lossy mail, while the server is up; MONO_NEVER: none */
    struct mono_time flow_until;    /* the normal mail's share */
    struct mono_time stopped_at;    /* when the flow was stopped for a lossy one; MONO_NEVER: it flows */
    bool alone;                     /* a lossy transaction is under way */
};

struct turn_view {
    bool up;              /* the server, as the schedule sees it */
    size_t normal, lossy; /* transactions ready */
    size_t busy;          /* sessions with a transaction */
    int64_t patience_ms;
    struct mono_time now;
};

enum turn_word {
    TURN_NORMAL, /* normal mail may be handed out */
    TURN_LOSSY,  /* one lossy transaction may, and then nothing until it has ended */
    TURN_NOBODY, /* sessions run dry, or a lossy one is under way */
};

void turn_init(struct turn *t);
enum turn_word turn_ask(struct turn *t, const struct turn_view *v);
/* The lossy transaction that was allowed was handed out; it has ended. */
void turn_begin(struct turn *t, struct mono_time now);
void turn_end(struct turn *t, struct mono_time now);

#endif
