/* The simulated world: one thread, a seeded clock and network, any number of
 * simulated processes, each with a loop of its own. The same seed gives the
 * same run. The simulator and unit tests know this header.
 *
 * A process that is killed gets no more callbacks and can do nothing to the
 * world: its loop turns inert (every call returns harmlessly, connects and posts
 * go nowhere), its streams are reset at the peers, its listeners vanish. The
 * caller then frees the role's objects as usual, and at last the loop. */
#ifndef HOLDFAST_LOOP_SIM_H
#define HOLDFAST_LOOP_SIM_H

#include "loop/loop.h"

struct sim_world;

struct sim_world *sim_world_new(uint64_t seed);
void sim_world_free(struct sim_world *w); /* all its loops must have been freed */

uint64_t sim_random_u64(struct sim_world *w);               /* the world's own stream */
uint64_t sim_random_below(struct sim_world *w, uint64_t n); /* uniform in [0, n) */
struct mono_time sim_now(const struct sim_world *w);        /* true time, unskewed */

/* A process's loop. host names the machine it runs on: cuts are between hosts;
 * an IP address belongs to the host that listens on it. */
struct loop *sim_loop_new(struct sim_world *w, const char *host, const char *process_name);
void sim_loop_free(struct loop *l); /* kills first when alive */
void sim_loop_kill(struct loop *l);
bool sim_loop_alive(const struct loop *l);
/* Frozen (SIGSTOP): no callbacks; time goes on, data waits; thaw delivers all. */
void sim_loop_freeze(struct loop *l, bool frozen);
/* This process's clocks: wall offset, and rate of both in parts per million. */
void sim_loop_set_clock(struct loop *l, int64_t wall_offset_ms, int32_t rate_ppm);
/* What loop_process_spawn of this loop does: called instead of starting a
 * process; it must arrange that done is called later exactly once. */
struct sim_spawn;
void sim_loop_on_spawn(struct loop *l,
                       void (*on_spawn)(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec),
                       void *arg);
void sim_spawn_done(struct sim_spawn *s, int exit_status, struct str output);

/* The network. Latency of each segment is uniform in the range; streams keep
 * their order, and may be split anywhere. */
void sim_net_latency(struct sim_world *w, int64_t min_us, int64_t max_us);
/* Cut: nothing passes between the hosts, in that direction; connects time out. */
void sim_net_cut(struct sim_world *w, const char *host_from, const char *host_to, bool cut);
/* Resets one established stream between two hosts, chosen by the world's
 * random; false when there is none. */
bool sim_net_reset_one(struct sim_world *w);

/* Calls fn(arg) at a true time from now, outside of any process. */
void sim_at(struct sim_world *w, int64_t delay_ms, void (*fn)(void *arg), void *arg);

/* Runs events until none is left or true time has reached `until`; false when
 * none is left. */
bool sim_run_until(struct sim_world *w, struct mono_time until);
bool sim_step(struct sim_world *w); /* one event; false when none is left */

#endif
