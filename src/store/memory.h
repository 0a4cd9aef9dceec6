/* The memory engine: the storage device of the simulator and of unit tests. It
 * outlives the processes that open it; what was not committed when a process
 * died is lost. Completion takes a while on the process's loop, as a disk does.
 * It can be told to fail. */
#ifndef HOLDFAST_STORE_MEMORY_H
#define HOLDFAST_STORE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct store;
struct store_memory;

/* clock gives the device's own time (leases); arg goes to it. */
struct store_memory *store_memory_new(struct mono_time (*clock)(void *arg), void *arg);
void store_memory_free(struct store_memory *m); /* after all stores on it were closed */

struct store_memory_faults {
    int64_t latency_min_us, latency_max_us; /* of a commit */
    uint32_t sync_fail_ppm;                 /* a commit fails with ERR_SYNC, nothing of it is kept */
    uint32_t unknown_ppm;                   /* the reply of a commit is lost: the engine must settle it */
    bool full;                              /* ERR_FULL for accepts */
    uint64_t free_bytes;                    /* what the safety net is told; 0: not known */
    bool degraded;                          /* ERR_DEGRADED for accepts */
    bool unreachable;                       /* ERR_UNAVAILABLE for all */
    int64_t unreadable_message;             /* ERR_IO for the body of this one, in any queue; 0: none */
    /* Mutants, to prove that the checker sees: */
    bool mutant_ack_before_commit; /* callback at the call, commit later (lost when killed) */
    bool mutant_no_queue_epoch, mutant_no_mail_epoch, mutant_no_lease_guard; /* not checked */
    bool mutant_no_dedupe;
    bool mutant_lose_last_chunk;
};
/* draw decides on the faults: returns a value in [0, n). */
void store_memory_set_faults(struct store_memory *m, const struct store_memory_faults *faults,
                             uint64_t (*draw)(void *arg, uint64_t n), void *arg);

/* Cuts one process off its device, as faults.unreachable does for all. */
void store_memory_cut(struct store *s, bool cut);
/* Flips a bit in every chunk of every body: readers must notice. */
void store_memory_corrupt(struct store_memory *m);

#endif
