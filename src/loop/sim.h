/* The simulated world: one thread, a seeded clock and network, any number of
 * simulated processes, each with a loop of its own. The same seed and the same
 * calls give the same run, event by event. The simulator and unit tests know
 * this header.
 *
 * A process that is killed gets no more callbacks and can do nothing to the
 * world: its loop turns inert (calls return harmlessly; listens fail with
 * ERR_UNAVAILABLE; connects, posts and processes go nowhere), its listeners
 * vanish, and its streams end at the peers: with a reset, or with an orderly
 * end after what its kernel had taken, as real kernels do. The caller then
 * frees the role's objects as usual, and at last the loop. A kill may come from
 * inside a callback of that process.
 *
 * No descriptors here: loop_listen_fd is ERR_UNSUPPORTED, loop_watch_new a
 * broken invariant. loop_run drives the whole world until that loop stops. */
#ifndef HOLDFAST_LOOP_SIM_H
#define HOLDFAST_LOOP_SIM_H

#include "loop/loop.h"

struct sim_world;

struct sim_world *sim_world_new(uint64_t seed);
void sim_world_free(struct sim_world *w); /* all its loops must have been freed */

uint64_t sim_random_below(struct sim_world *w,
                          uint64_t n); /* of the world's own sequence, uniform in [0, n), n > 0 */
struct mono_time sim_now(const struct sim_world *w); /* true time, unskewed; 0 at the start */
/* A hash of all events so far: equal in two runs that went the same way. */
uint64_t sim_trace_hash(const struct sim_world *w);

/* ---- processes ---- */

/* A process's loop. host names the machine it runs on: cuts are between hosts,
 * and each host counts loop_now from a boot time of its own, so that such
 * times mean nothing elsewhere. */
struct loop *sim_loop_new(struct sim_world *w, const char *host, const char *process_name);
void sim_loop_free(struct loop *l); /* kills first when alive; objects left are freed, too */
void sim_loop_kill(struct loop *l);
bool sim_loop_alive(const struct loop *l);
/* Frozen (SIGSTOP): no callbacks; time goes on. Its kernel lives: connects to
 * its listeners succeed and data waits. Thawing delivers all in order. */
void sim_loop_freeze(struct loop *l, bool frozen);
/* This process's clocks: wall offset, and rate of both in parts per million
 * (above -1000000). Neither clock jumps but for the offset. */
void sim_loop_set_clock(struct loop *l, int64_t wall_offset_ms, int32_t rate_ppm);
/* It has no descriptor left for what it connects to: ERR_LIMIT. */
void sim_loop_starve(struct loop *l, bool starved);
/* Its loop_signal callbacks for signum fire. */
void sim_loop_signal(struct loop *l, int signum);

/* What loop_process_spawn of this loop does: called inside it, instead of
 * starting a process (spec is valid during the call); it must arrange that
 * sim_spawn_done or _fail is called exactly once, then or later, also when the
 * loop has died meanwhile. Without it programs are not found. A process that
 * is killed or out of time has ended for its loop; done is then ignored. */
struct sim_spawn;
void sim_loop_on_spawn(struct loop *l,
                       void (*on_spawn)(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec),
                       void *arg);
void sim_spawn_done(struct sim_spawn *s, int exit_status, struct str output);
void sim_spawn_fail(struct sim_spawn *s, int err); /* it could not be started */

/* ---- the network ----
 *
 * An IP address belongs to the host that listened on it last. A connect to a
 * port without a listener is refused. Streams keep their order, are split
 * anywhere, and take 256 KiB that the reader has not read before a writer has
 * to wait. */

/* Latency of each segment is uniform in the range. At first 50 to 1000 us. */
void sim_net_latency(struct sim_world *w, int64_t min_us, int64_t max_us);
/* Cut: nothing passes in that direction. Connects time out; what streams carry
 * waits and arrives after the cut is healed, but resets are lost: a peer that
 * died meanwhile is found out only by the next write to it. */
void sim_net_cut(struct sim_world *w, const char *host_from, const char *host_to, bool cut);
/* Cuts or heals both directions to and from all other hosts, later ones too;
 * independent of sim_net_cut. */
void sim_net_isolate(struct sim_world *w, const char *host, bool isolated);
/* Resets one established stream between two hosts, chosen by the world's
 * random; false when there is none. */
bool sim_net_reset_one(struct sim_world *w);
/* Resets all established streams that this process has accepted: what it was
 * about to say is not heard. False when there is none. */
bool sim_net_reset_accepted(struct loop *l);

/* ---- running ---- */

/* Calls fn(arg) at a true time from now, outside of any process. */
void sim_at(struct sim_world *w, int64_t delay_ms, void (*fn)(void *arg), void *arg);

/* Runs events until none is left or true time has reached `until`; false when
 * none is left (true time is then that of the last). */
bool sim_run_until(struct sim_world *w, struct mono_time until);
bool sim_step(struct sim_world *w); /* one event; false when none is left */
/* Whose callback is being called; NULL: nobody's. For what tells a story. */
struct loop *sim_running(const struct sim_world *w);

#endif
