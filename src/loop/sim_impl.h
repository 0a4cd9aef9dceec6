/* The inside of the simulated world. Everything that happens is an event in
 * one heap, ordered by true time and then by the order of scheduling; nothing
 * depends on addresses of memory or on real time. */
#ifndef HOLDFAST_LOOP_SIM_IMPL_H
#define HOLDFAST_LOOP_SIM_IMPL_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/list.h"
#include "loop/ops.h"
#include "loop/sim.h"
#include "loop/sim_random.h"

#define SIM_READ_BYTES   65536        /* of one read, as in the real loop */
#define SIM_WINDOW_BYTES (256 * 1024) /* sent and not yet read */
/* What a turn of a loop takes: a callback that asks for itself again cannot stop
 * the time. */
#define SIM_TURN_NS  1000
#define SIM_RETRY_NS (1000 * NS_PER_MS) /* a SYN is sent again, RFC 6298 section 2.1 */

struct sim_loop;

/* Owned by what embeds it. With a loop it is a callback of that process: held
 * back while that is frozen. */
struct sim_event {
    struct heap_node node;
    struct list held; /* in its loop's list while that is frozen */
    int64_t at_ns;
    uint64_t seq;
    struct sim_loop *loop;
    void (*fire)(struct sim_event *e);
    void (*drop)(struct sim_event *e); /* when the world ends first; NULL: its owner sees to it */
};

struct sim_world {
    struct heap events;
    uint64_t event_seq;
    int64_t now_ns;
    uint64_t trace_hash;
    uint64_t seed;
    struct sim_random random;
    struct sim_loop *running; /* whose event fires */
    struct list loops, hosts, cuts, addresses, listeners, conns, spawns;
    uint64_t loops_made;
    int64_t latency_min_ns, latency_max_ns;
    uint16_t next_port;
    pid_t next_pid;
    char *read_mem; /* SIM_READ_BYTES */
};

struct sim_host {
    struct list node;
    char *name;
    unsigned number;
    int64_t boot_ns; /* its clocks' start, ahead of true time */
    bool isolated;
};

/* What belongs to a process. kill: the process dies, the object stays as an
 * inert thing (or goes, when nobody outside has it). dispose: the loop goes. */
struct sim_object {
    struct list node;
    void (*kill)(struct sim_object *o);
    void (*dispose)(struct sim_object *o);
};

struct sim_loop {
    struct loop base;
    struct list node;
    struct sim_world *world;
    struct sim_host *host;
    bool alive, frozen, stopped;
    bool starved;                          /* without descriptors for its connects */
    int64_t clock_true_ns, clock_local_ns; /* one moment on both clocks */
    int32_t rate_ppm;
    int64_t wall_offset_ms;
    struct sim_random random;
    struct list objects, timers, held;
    void (*on_spawn)(void *arg, struct sim_spawn *s, const struct loop_process_spec *spec);
    void *on_spawn_arg;
};

extern const struct loop_ops sim_ops;

static inline struct sim_loop *sim_of(struct loop *l)
{
    return CONTAINER_OF(l, struct sim_loop, base);
}

/* sim.c */
void sim_event_init(struct sim_event *e, struct sim_loop *l, void (*fire)(struct sim_event *e));
void sim_event_schedule(struct sim_world *w, struct sim_event *e, int64_t at_ns); /* again, when it waits */
void sim_event_cancel(struct sim_world *w, struct sim_event *e);
bool sim_event_waits(const struct sim_event *e);

/* sim_loop.c */
void sim_object_init(struct sim_loop *l, struct sim_object *o, void (*kill)(struct sim_object *o),
                     void (*dispose)(struct sim_object *o));
int64_t sim_local_ns(const struct sim_loop *l);
int64_t sim_true_ns(const struct sim_loop *l,
                    int64_t local_ns); /* the first moment at which it is local_ns there */

/* sim_timer.c */
struct loop_timer *sim_timer_new(struct loop *l, void (*on_timer)(void *arg), void *arg);
void sim_timer_start(struct loop_timer *base, int64_t delay_ms);
void sim_timer_stop(struct loop_timer *base);
bool sim_timer_active(const struct loop_timer *base);
void sim_timer_free(struct loop_timer *base);
void sim_timers_clock_changed(struct sim_loop *l);

/* sim_net.c */
struct sim_host *sim_host_find(struct sim_world *w, const char *name); /* made when new */
bool sim_net_is_cut(const struct sim_world *w, const struct sim_host *from, const struct sim_host *to);
int64_t sim_net_delay_ns(struct sim_world *w);
void sim_net_fini(struct sim_world *w);
void sim_address_claim(struct sim_world *w, const struct addr *at, struct sim_host *h);
struct sim_host *sim_address_owner(const struct sim_world *w, const struct addr *at); /* NULL: nobody ever */
void sim_address_choose(struct sim_world *w, struct sim_host *h, sa_family_t family, struct addr *ret_addr);
uint16_t sim_port_choose(struct sim_world *w);

/* sim_listen.c */
struct sim_conn;
struct sim_listener;
struct sim_listener *sim_listener_at(const struct sim_world *w, const struct addr *at); /* or NULL */
/* A connection in its backlog; NULL when that is full. */
struct sim_conn *sim_listener_offer(struct sim_listener *li, struct sim_loop *from,
                                    const struct addr *from_at);
int sim_listen(struct loop *l, const struct addr *at, loop_accept_fn *on_accept, void *arg,
               struct loop_listener **ret_listener, struct err_buf *eb);
int sim_listen_fd(struct loop *l, int fd, loop_accept_fn *on_accept, void *arg,
                  struct loop_listener **ret_listener, struct err_buf *eb);
void sim_listener_pause(struct loop_listener *base, bool paused);
int sim_listener_refuse(struct loop_listener *base, bool refuse);
void sim_listener_local(const struct loop_listener *base, struct addr *ret_addr);
void sim_listener_free(struct loop_listener *base);

/* sim_connect.c */
void sim_connect(struct loop *l, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                 loop_connect_fn *on_connect, void *arg, struct loop_connect **ret_connect);
void sim_connect_cancel(struct loop_connect *base);

/* sim_conn.c: what the kernels know of a stream; see there */
struct sim_stream;
struct sim_segment;

struct sim_end {
    struct sim_conn *conn;
    struct sim_object object; /* of loop */
    struct sim_host *host;
    struct sim_loop *loop;     /* the process that has it; NULL: closed */
    struct sim_stream *stream; /* NULL: not accepted yet, or left to linger */
    struct addr local;

    struct buf unsent;       /* beyond the window */
    bool queued;             /* unsent was not empty: tell when it is */
    bool room_wanted;        /* tell when there is a part of the window */
    size_t unread_bytes;     /* sent, not yet read by the other end */
    int64_t last_arrival_ns; /* of what was sent: later ones do not overtake */
    struct list under_way;   /* segments that it sent, in order */

    struct buf inbox;
    int end_err;       /* what follows the inbox: 0 nothing yet, ERR_CLOSED, ERR_IO */
    bool end_reported; /* to the reader */
    bool broken;       /* writes are lost */

    bool lingering, fin_sent;
    struct loop_timer *linger;
};

struct sim_conn {
    struct list node;
    struct sim_world *world;
    struct list backlog;    /* in its listener's, until accepted */
    struct sim_end ends[2]; /* [0] connected, [1] accepted */
};

struct sim_conn *sim_conn_new(struct sim_loop *from, const struct addr *from_at, struct sim_loop *to,
                              const struct addr *to_at);
struct sim_end *sim_end_other(const struct sim_end *e);
void sim_end_write(struct sim_end *e, const void *data, size_t len);
bool sim_end_ask_room(struct sim_end *e);
void sim_end_read(struct sim_end *e, size_t len); /* len bytes of the inbox were read */
void sim_end_close(struct sim_end *e, bool reset);
void sim_end_linger(struct sim_end *e, int64_t linger_ms);
void sim_conn_reset(struct sim_conn *c);  /* by the network: both ends see it; both are established */
void sim_conn_healed(struct sim_conn *c); /* some cut was: lets go what stalled */
void sim_conn_drop(struct sim_conn *c);

/* sim_stream.c */
struct loop_stream *sim_stream_open(struct sim_end *e);
void sim_stream_on_input(struct sim_stream *s);
void sim_stream_on_drained(struct sim_stream *s, int err);
void sim_stream_detach(struct sim_stream *s); /* its end is gone */
void sim_stream_read_start(struct loop_stream *base, loop_read_fn *on_read, void *arg);
void sim_stream_read_stop(struct loop_stream *base);
void sim_stream_write(struct loop_stream *base, const void *data, size_t len);
void sim_stream_on_drain(struct loop_stream *base, loop_drain_fn *on_drain, void *arg);
size_t sim_stream_pending(const struct loop_stream *base);
bool sim_stream_ask_room(struct loop_stream *base);
void sim_stream_peer(const struct loop_stream *base, struct addr *ret_addr);
void sim_stream_local(const struct loop_stream *base, struct addr *ret_addr);
void sim_stream_close(struct loop_stream *base, int64_t linger_ms);
void sim_stream_free(struct loop_stream *base);

/* sim_process.c */
struct loop_process *sim_process_spawn(struct loop *l, const struct loop_process_spec *spec,
                                       loop_exit_fn *on_exit, void *arg);
pid_t sim_process_pid(const struct loop_process *base);
void sim_process_kill(struct loop_process *base, int signum);
void sim_process_free(struct loop_process *base);
void sim_spawns_fini(struct sim_world *w);

/* sim_signal.c */
struct loop_signal *sim_signal_new(struct loop *l, int signum, void (*on_signal)(void *arg, int signum),
                                   void *arg);
void sim_signal_free(struct loop_signal *base);

#endif
