/* What one move of a failover changes in the store, all in one transaction: the
 * server's record, the order for the next step, what is left behind, routes, the
 * operator's order, an event. Pure; into a batch. For the leader. */
#ifndef HOLDFAST_DIRECTOR_MOVES_H
#define HOLDFAST_DIRECTOR_MOVES_H

#include "director/batch.h"
#include "director/decide.h"

struct move {
    const struct plan_context *x; /* the record as it was */
    int64_t version;              /* of it; 0: there was none */
    const struct decision *decision;
    bool quiet; /* no event: the same was told some rounds ago */
};

/* Applies the decision's input to a copy of the record and fills the batch;
 * *ret_after is the record after it (views into the batch's arena and into what
 * the move was made of). ERR_INVALID: there is no such move. */
int move_write(const struct move *m, struct batch *b, struct record_server *ret_after) MUST_USE;

/* An operator's order that is refused, or is about nothing known. later: it may
 * be given again. */
void move_refuse(const struct view_order *o, struct str why, bool later, struct batch *b);

#endif
