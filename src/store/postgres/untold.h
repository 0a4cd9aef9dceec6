/* Inside the PostgreSQL engine: what a part's writer has committed, and tells of
 * only once another site has it too (copies.h). The writer's thread. */
#ifndef HOLDFAST_STORE_POSTGRES_UNTOLD_H
#define HOLDFAST_STORE_POSTGRES_UNTOLD_H

#include "base/list.h"
#include "store/postgres/copies.h"
#include "store/postgres/pg.h"

struct untold {
    struct list batches; /* by age */
    struct copies copies;
    struct mono_time look_at; /* the next look, when nothing happens before */
    bool looks_idly;          /* what it finds decides on what is taken next */
    int pause_ms;             /* between looks while something waits */
};

void untold_init(struct untold *w, const struct store_durability *wanted, bool looks_idly);
bool untold_any(const struct untold *w);
/* The number of the oldest one's mark; `none` when nothing waits. */
uint64_t untold_oldest_mark(const struct untold *w, uint64_t none);

/* Of a batch that has just committed with this mark: takes from ops what has to wait. */
void untold_add(struct untold *w, struct list *ops, uint64_t mark, struct mono_time now);
/* Asks the server, and gives back to `answered` what need not wait any more. When the connection is lost, pg
 * says so. lost: bits of sites. */
void untold_look(struct untold *w, struct pg *pg, unsigned lost, struct mono_time now, struct list *answered);
/* Without a connection: what takes custody and has waited long enough is given back, its outcome unknown. */
void untold_expire(struct untold *w, struct mono_time now, struct list *answered);
/* Until the next look is due; -1: none is. */
int untold_idle_ms(const struct untold *w, const struct pg *pg, struct mono_time now);

/* Connected anew, perhaps to another server: asks of each batch's mark, by `committed`, whether the batch is
 * there; what is not goes to `answered` as never written. False: there was no answer. */
bool untold_reconnected(struct untold *w, struct pg *pg,
                        bool (*committed)(void *arg, uint64_t mark, bool *ret_committed), void *arg,
                        struct list *answered);
/* Gives all back, with what their commit said: the part is to end. */
void untold_end(struct untold *w, struct list *answered);

#endif
