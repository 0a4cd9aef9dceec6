/* What target.c and target_sessions.c share: one messaging server as the relay's deliveries see it. Nobody
 * else includes it. */
#ifndef HOLDFAST_RELAY_TARGET_PARTS_H
#define HOLDFAST_RELAY_TARGET_PARTS_H

#include "health/monitor.h"
#include "relay/blame.h"
#include "relay/refusal.h"
#include "relay/schedule.h"
#include "relay/settlement.h"
#include "relay/source_set.h"
#include "relay/standstill.h"
#include "relay/target.h"
#include "relay/turn.h"

struct target {
    struct loop *loop;
    struct target_options options;
    const struct target_ops *ops;
    void *arg;
    struct monitor *monitor;
    struct schedule schedule;
    struct target_instance instance;
    struct source_set sources;
    struct list sessions; /* target_sessions.c's */
    struct settlements settlements;
    struct loop_timer *timer; /* the schedule's */
    struct turn turn;
    struct refusals refusals;
    struct standstill standstill;
    struct blame blame;
    bool store_away;   /* target_on_store */
    unsigned answered; /* bits by kind of check: something answered its last probe that failed */
};

/* ---- target.c ---- */

enum schedule_server target_schedule_word(const struct target *t);

/* ---- target_sessions.c ---- */

enum turn_word target_whose_turn(struct target *t);
size_t target_sessions_busy(const struct target *t); /* those with a transaction ... */
size_t target_sessions_idle(const struct target *t); /* ... and without */
void target_session_start(struct target *t);
void target_sessions_kick(struct target *t);   /* each that is idle asks for mail */
void target_sessions_retire(struct target *t); /* each ends after what it carries */
/* All; their transactions are given back. */
void target_sessions_drop(struct target *t);
/* What has gone to another server does not wait for one that does not work: its session would hold it for as
 * long as SMTP is patient, minutes. */
void target_sessions_let_go(struct target *t);
/* Those that carry mail of q. dotted: also where the final dot was given. */
void target_sessions_cut(struct target *t, const struct queue *q, bool dotted);

#endif
