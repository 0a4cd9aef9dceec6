/* Whether a failover moves now, and how: reads the view, the record and what the
 * leader did itself in this step, and names the machine's event. Pure. For the
 * leader and its tests. */
#ifndef HOLDFAST_DIRECTOR_DECIDE_H
#define HOLDFAST_DIRECTOR_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "director/machine.h"
#include "director/plan.h"

#define DECIDE_CREATE_AGAIN_MS 300 /* a provisioner that said "try again later" (75) has this long */
#define DECIDE_PATIENCE_MS                                                                                   \
    5000 /* for a live node to destroy what is in the way: it kills after 3 s; for the                       \
          * place of a first start or a failback to come up */
#define DECIDE_ROUND_FIRST_MS 500 /* until the plan is tried from its start again, doubling */
#define DECIDE_ROUND_MAX_MS   10000

/* What the leader itself did in the present state; zero when it has just entered
 * it, or has just begun to lead. */
struct decide_step {
    int64_t elapsed_ms;
    enum { STEP_OPEN, STEP_DONE, STEP_FAILED } own; /* the epoch in the store, the verification */
    struct str detail;                              /* of STEP_FAILED */
    int64_t rounds;                                 /* through the whole plan so far */
};

struct decision {
    bool due; /* input is to be applied to the record */
    struct machine_input input;
    struct plan_choice choice;      /* input.choice points here when there is one */
    const struct view_order *order; /* the operator's order that input takes up; or that is refused: */
    bool refused;                   /* (then nothing is due) */
    bool later;                     /* refused, but it may be given again */
    struct str text;                /* why it is refused */
    bool advice;                    /* manual mode: an operator should fail over now */
};

/* Texts live in a. version is that of the record (its orders are found by it). The
 * result is to be kept where it is: it points into itself. */
void decide(const struct plan_context *x, int64_t version, const struct decide_step *step, struct arena *a,
            int64_t now_wall_ms, struct decision *ret_decision);

/* The entry's limit for the present step. */
int64_t decide_timeout_ms(const struct config_server *s, const struct record_server *r);

#endif
