/* Work on the store that is gone about again whenever there may be something to do: step by step, one
 * operation at a time, from the begin each time. Who says that there may be more while it is under way is not
 * forgotten; and while the store refuses it is tried again at intervals, whoever says what. For reports.c and
 * notices.c, which embed it. One loop, one thread; nothing survives a crash. */
#ifndef HOLDFAST_RELAY_ERRAND_H
#define HOLDFAST_RELAY_ERRAND_H

#include <stdbool.h>

#include "loop/loop.h"
#include "store/op.h"

struct errand {
    struct store_op *op; /* the one step under way: the owner's to set, and to clear in its callback */
    struct loop_timer *timer;
    void (*begin)(void *arg);
    void *arg;
    bool again;   /* somebody has said since it began that there may be more */
    bool refused; /* the timer waits for the store */
};

/* begin starts the first step; not called from inside this. */
void errand_init(struct errand *e, struct loop *l, void (*begin)(void *arg), void *arg);
/* Forgets the step under way. */
void errand_fini(struct errand *e);

/* From the begin, now: no step is under way. */
void errand_begin(struct errand *e);
/* There may be something to do. */
void errand_kick(struct errand *e);
/* The step failed, for what may pass: from the begin again, some time later. */
void errand_refused(struct errand *e);
/* There is nothing to do now, but may be in so long. */
void errand_look_in(struct errand *e, int64_t delay_ms);
/* All that there was is done. False: somebody has said meanwhile that there may be more, and it has begun
 * again. */
bool errand_rest(struct errand *e);

#endif
