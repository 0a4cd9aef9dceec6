/* When a role that died is started again: soon after a first death, later and
 * later when it keeps dying, soon again once it has lived for a while. Pure.
 * For the supervisor. */
#ifndef HOLDFAST_RUN_RESTART_H
#define HOLDFAST_RUN_RESTART_H

#include <stdint.h>

#define RESTART_FIRST_MS 100   /* less than a reader notices */
#define RESTART_MAX_MS   5000  /* a cause that went away is noticed within seconds */
#define RESTART_RESET_MS 30000 /* who lived this long did not die of its start */

struct restart {
    int64_t delay_ms; /* of the last restart; 0: none yet */
};

/* The delay until the next start of a role that lived for lived_ms (>= 0). */
int64_t restart_next_ms(struct restart *r, int64_t lived_ms);

#endif
