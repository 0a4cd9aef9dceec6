/* One seed, played: the network starts, senders send, disasters happen, then they
 * stop, the queues drain, and the ledger judges. */
#ifndef HOLDFAST_TESTS_SIMULATION_PLAY_H
#define HOLDFAST_TESTS_SIMULATION_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "simulation/disasters.h"
#include "simulation/layouts.h"
#include "simulation/ledger.h"

struct play_result {
    bool good;
    struct ledger_counts counts;
    size_t disasters[DISASTER_KINDS]; /* that happened */
    enum layout layout;
    size_t standby_turns;  /* a standby got the mail */
    int64_t drained_ms;    /* all was accepted and delivered so long after they had stopped */
    uint64_t trace_hash;   /* equal for a seed in every run */
    struct buf violations; /* lines; the caller's, for buf_fini */
};

void play(uint64_t seed, const struct layouts *layouts, struct play_result *ret_result);

#endif
