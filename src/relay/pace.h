/* How many sessions one server is given at once, by how soon it answers: a pure machine, times passed in.
 * It begins with one. While answers come nearly as soon as the best one did, each allows one more (so they
 * double with every round of answers); when a whole round was slow the server has more than it can do, and a
 * quarter is taken away, after which more come back one a round. Of a round its soonest answer counts: one
 * large message says nothing about the server.
 *
 * The best time is learned anew by what fewer sessions change: when one is left and answers are slow still;
 * and when answers have been neither soon nor slow for some rounds, by a look: half the sessions for a round.
 * Are its answers no sooner, then they do not wait for each other, and the best time moves towards theirs. So
 * a server that is slower for good is paced by what it can do now, and one lucky answer holds up nothing. For
 * the schedule. */
#ifndef HOLDFAST_RELAY_PACE_H
#define HOLDFAST_RELAY_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum pace_phase {
    PACE_USUAL,
    PACE_LOOKING, /* with half of the sessions, whether answers are sooner */
    PACE_SETTLING /* after it: those that come now are still of fewer sessions */
};

struct pace {
    int64_t max;                     /* > 0 */
    int64_t window;                  /* sessions that may carry something now, 1 to max */
    int64_t best_ns, round_best_ns;  /* INT64_MAX: nothing was answered yet */
    int64_t round_left;              /* answers until the round is over */
    bool cautious;                   /* it was slow once, or turned one away: one more a round */
    int64_t ceiling, ceiling_rounds; /* it let so many in and no more: this holds for so many rounds yet */
    enum pace_phase phase;
    int64_t level_rounds;         /* in a row that changed nothing */
    int64_t look_window, look_ns; /* PACE_LOOKING: what it was before, and the soonest answer then */
};

/* Also when the server comes back, or another takes its place: nothing is known of it. */
void pace_init(struct pace *p, int64_t max);
void pace_set_max(struct pace *p, int64_t max);
/* A message was taken, so long after its end was sent. True: one more may be begun than before. */
bool pace_on_answer(struct pace *p, int64_t answer_ns);
/* The server serves `served` sessions (> 0), and turned one more away: there are no more for 64 rounds. */
void pace_on_turned_away(struct pace *p, int64_t served);

#endif
