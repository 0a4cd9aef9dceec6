/* The one seam to the world: clocks, randomness, timers, streams, processes,
 * signals, and work on other threads. Roles know only this header; a real loop
 * (libuv, loop/real.h) and a simulated one (seeded, loop/sim.h) keep it.
 *
 * Threads: one loop belongs to one thread; every function but loop_post and the
 * clocks must be called there, and every callback fires there. No callback fires from inside
 * the call that asked for it, and none after the object was freed. A callback
 * may free the object that it belongs to.
 * Nothing here survives a crash. */
#ifndef HOLDFAST_LOOP_LOOP_H
#define HOLDFAST_LOOP_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

struct loop;
struct loop_timer;
struct loop_listener;
struct loop_stream;
struct loop_process;
struct loop_signal;
struct loop_watch;

/* ---- clocks (from any thread), randomness ---- */

struct mono_time loop_now(struct loop *l);               /* CLOCK_BOOTTIME, read at the call */
struct wall_time loop_wall(struct loop *l);              /* CLOCK_REALTIME, read at the call */
void loop_random(struct loop *l, void *out, size_t len); /* cryptographic in the real loop */

/* ---- running ---- */

/* Runs until loop_stop. Returns with all objects still allocated. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Runs fn(arg) on the loop's thread, soon, in the order of the posts. May be
 * called from any thread while the loop exists. */
void loop_post(struct loop *l, void (*fn)(void *arg), void *arg);
/* Runs work(arg) on another thread (for what takes milliseconds of CPU, as
 * password hashing), then done(arg) on the loop's. At most a few run at once. A
 * loop that is freed meanwhile waits for it and calls drop(arg) instead (NULL:
 * nothing), which may only free what arg is. */
void loop_work(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void (*drop)(void *arg),
               void *arg);

/* ---- timers: one shot; start again from the callback to repeat ---- */

struct loop_timer *loop_timer_new(struct loop *l, void (*on_timer)(void *arg), void *arg);
void loop_timer_start(struct loop_timer *t, int64_t delay_ms); /* restarts; delay_ms >= 0 */
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_active(const struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); /* NULL is allowed */

/* ---- streams (TCP) ---- */

/* Binds and listens (SO_REUSEADDR, no REUSEPORT). on_accept owns the stream,
 * on which nothing is read before loop_stream_read_start. Errors: ERR_BUSY
 * (port in use), ERR_DENIED, ERR_UNAVAILABLE (no such address); eb says the
 * address. */
int loop_listen(struct loop *l, const struct addr *at,
                void (*on_accept)(void *arg, struct loop_stream *s, const struct addr *peer), void *arg,
                struct loop_listener **ret_listener, struct err_buf *eb) MUST_USE;
/* Listens on a socket that was bound before (privileges dropped, socket
 * passed); takes the descriptor. */
int loop_listen_fd(struct loop *l, int fd,
                   void (*on_accept)(void *arg, struct loop_stream *s, const struct addr *peer), void *arg,
                   struct loop_listener **ret_listener, struct err_buf *eb) MUST_USE;
void loop_listener_pause(struct loop_listener *li, bool paused); /* leaves new ones in the kernel's backlog */
/* true: stops listening, and keeps the port: who connects is refused, who waits in the backlog is cut. This
 * needs no privilege, which closing and binding anew may. false: listens again; ERR_BUSY: another has taken
 * the port meanwhile, which Linux lets those do that set SO_REUSEADDR; it refuses on. Only where the port was
 * named: one that the kernel chose is given up. */
int loop_listener_refuse(struct loop_listener *li, bool refuse) MUST_USE;
void loop_listener_local(const struct loop_listener *li,
                         struct addr *ret_addr);   /* with the port, also when 0 was asked */
void loop_listener_free(struct loop_listener *li); /* NULL is allowed */

/* Connects, from `from` when not NULL (its port may be 0); timeout_ms > 0.
 * on_connect fires once and gets a stream that the callee owns and err 0, or
 * NULL and the error (ERR_REFUSED, ERR_TIMEOUT, ERR_UNAVAILABLE, ...). ERR_LIMIT:
 * this machine lacks what it takes (descriptors, memory, a port or an address to
 * connect from), which says nothing about the peer.
 * *ret_connect is gone when on_connect is called; cancelling it before that
 * means no callback. */
struct loop_connect;
void loop_connect(struct loop *l, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                  void (*on_connect)(void *arg, struct loop_stream *s, int err), void *arg,
                  struct loop_connect **ret_connect);
void loop_connect_cancel(struct loop_connect *c); /* NULL is allowed */

/* on_read gets data (valid during the call), or len 0 and err ERR_CLOSED (the
 * peer's orderly end: it reads on, so replies may still be written) or another
 * error (ERR_IO: the peer cut it); after an error no more reads come.
 * May be called again, also to change on_read, and after read_stop. */
void loop_stream_read_start(struct loop_stream *s,
                            void (*on_read)(void *arg, const char *data, size_t len, int err), void *arg);
void loop_stream_read_stop(struct loop_stream *s); /* back-pressure: the peer's window fills */

/* Tries to send at once and queues a copy of the rest. on_drain (NULL: none)
 * fires with 0 when the queue has become empty again; a write that was taken
 * whole at once leaves no queue and fires nothing: ask loop_stream_pending. It
 * fires with an error, once, when a write met a broken stream: then everything
 * unsent is lost and further writes are ignored. The queue has no bound of its
 * own: writers stop at a mark of theirs until on_drain. */
void loop_stream_write(struct loop_stream *s, const void *data, size_t len);
void loop_stream_on_drain(struct loop_stream *s, void (*on_drain)(void *arg, int err), void *arg);
size_t loop_stream_pending(const struct loop_stream *s); /* bytes queued, not yet taken by the kernel */
/* True: the kernel takes a few hundred bytes that are written next, in the same turn of the loop, at once and
 * whole: they do not lie in our queue, to leave at a time that nobody was asked about. False: there is no
 * room, or something is queued: on_drain fires once there is; or the stream is broken: then it fires with an
 * error, unless it has, as for a write: that is told once. */
bool loop_stream_ask_room(struct loop_stream *s);
void loop_stream_peer(const struct loop_stream *s, struct addr *ret_addr);
void loop_stream_local(const struct loop_stream *s, struct addr *ret_addr);
/* Sends what is queued and the end of the stream, then reads and drops what
 * the peer sends until its end, so that our last words are not lost to a reset;
 * at most linger_ms, then it is cut. The caller's pointer is gone at once. */
void loop_stream_close(struct loop_stream *s, int64_t linger_ms);
/* Cuts at once (RST when data is unsent). NULL is allowed. */
void loop_stream_free(struct loop_stream *s);

/* ---- readiness of a descriptor that a library owns (libpq, libunbound) ---- */

/* Level-triggered, like poll(2); an error on fd is reported as both. The watch
 * is to be freed before fd is closed. Real loop only. */
struct loop_watch *loop_watch_new(struct loop *l, int fd,
                                  void (*on_ready)(void *arg, bool readable, bool writable), void *arg);
void loop_watch_set(struct loop_watch *w, bool readable, bool writable);
void loop_watch_free(struct loop_watch *w); /* NULL is allowed */

/* ---- processes ----
 *
 * A process starts with our environment, default signal dispositions, no
 * descriptor but stdin (what `input` gives, or /dev/null), stdout, stderr and
 * inherit_fds, and in a process group of its own, so that a terminal's Ctrl-C
 * comes to us and we end our children in order. Only children started here are reaped. */

struct loop_process_spec {
    const char *const *argv;      /* argv[0] is the file's path; NULL-terminated */
    const char *const *env_extra; /* NAME=value to add to ours, or to replace; NULL-terminated or NULL */
    struct str input;             /* written to its stdin, then closed; copied */
    bool inherit_stderr;          /* else captured */
    bool inherit_stdout;          /* a supervised role; else captured */
    bool detached;                /* a session of its own (setsid) */
    bool die_with_parent;         /* SIGKILL when the loop's thread ends (PR_SET_PDEATHSIG) */
    bool keep_capabilities;       /* our ambient ones; else the child of who is not root has none */
    const int *inherit_fds;       /* descriptors above 2 that it gets too, under the same numbers */
    size_t inherit_count;         /* 0: none */
    size_t output_max;            /* bytes captured of each, the rest is read and dropped */
    int64_t timeout_ms;           /* then SIGKILL to its whole process group; 0 is none */
};

struct loop_process_result {
    int err;           /* 0; ERR_TIMEOUT; ERR_NOT_FOUND, ERR_DENIED and the like when it did not start */
    int exit_status;   /* when it exited, else -1 */
    int signal;        /* that ended it, else 0 */
    struct str output; /* captured, valid during the callback */
    struct str error_output;
};

/* on_exit fires once, after the end and after what it had written until then
 * was read (children that it left behind are not waited for). A failure to
 * start is reported through on_exit, too. Waits until the program is executed,
 * which takes about a millisecond. */
struct loop_process *loop_process_spawn(struct loop *l, const struct loop_process_spec *spec,
                                        void (*on_exit)(void *arg, const struct loop_process_result *result),
                                        void *arg);
pid_t loop_process_pid(const struct loop_process *p);       /* 0 when it did not start */
void loop_process_kill(struct loop_process *p, int signum); /* nothing when it has ended */
/* Forgets it: no callback, the process goes on, its timeout still holds. Also
 * to be called after on_exit (or in it). NULL is allowed. */
void loop_process_free(struct loop_process *p);

/* ---- signals of this process ---- */

struct loop_signal *loop_signal_new(struct loop *l, int signum, void (*on_signal)(void *arg, int signum),
                                    void *arg);
void loop_signal_free(struct loop_signal *s);

#endif
