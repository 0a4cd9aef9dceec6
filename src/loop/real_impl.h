/* The inside of the real loop. libuv gives readiness (uv_poll), wake-ups from
 * other threads (uv_async), the thread pool and signals; timers, streams,
 * listeners and processes are built on watches and timers of ours, so that a
 * freed object is gone at once and only watches wait for uv_close. */
#ifndef HOLDFAST_LOOP_REAL_IMPL_H
#define HOLDFAST_LOOP_REAL_IMPL_H

#include <uv.h>

#include "base/heap.h"
#include "base/list.h"
#include "loop/ops.h"

#define REAL_READ_BYTES 65536 /* of one recv(2); shared by all streams of a loop */

struct real_post {
    struct real_post *next;
    void (*fn)(void *arg);
    void *arg;
};

struct real_loop {
    struct loop base;
    uv_loop_t uv;
    bool closing; /* loop_real_free is under way: nothing calls back */

    uv_async_t wake;
    pthread_mutex_t post_lock;
    struct real_post *post_first, **post_last; /* under post_lock */

    struct heap timers;
    uint64_t timer_seq;
    int timer_fd;
    int64_t timer_armed_ns; /* what timer_fd is set to; INT64_MAX: not set */
    struct loop_watch *timer_watch;

    struct list objects; /* real_object, oldest first */
    char *read_mem;      /* REAL_READ_BYTES */
};

/* What is closed when the loop is freed first. A composite joins the list
 * before its parts, so that they are gone when their turn would come. */
struct real_object {
    struct list node;
    void (*dispose)(struct real_object *o);
};

static inline struct real_loop *real_of(struct loop *l)
{
    return CONTAINER_OF(l, struct real_loop, base);
}

static inline void real_object_init(struct real_loop *l, struct real_object *o,
                                    void (*dispose)(struct real_object *o))
{
    o->dispose = dispose;
    list_append(&l->objects, &o->node);
}

extern const struct loop_ops real_ops;

/* real_timer.c */
void real_timers_init(struct real_loop *l);
void real_timers_fini(struct real_loop *l);
struct loop_timer *real_timer_new(struct loop *l, void (*on_timer)(void *arg), void *arg);
void real_timer_start(struct loop_timer *base, int64_t delay_ms);
void real_timer_stop(struct loop_timer *base);
bool real_timer_active(const struct loop_timer *base);
void real_timer_free(struct loop_timer *base);
int64_t real_now_ns(void); /* CLOCK_BOOTTIME */

/* real_watch.c */
struct loop_watch *real_watch_new(struct loop *l, int fd,
                                  void (*on_ready)(void *arg, bool readable, bool writable), void *arg);
void real_watch_set(struct loop_watch *base, bool readable, bool writable);
void real_watch_free(struct loop_watch *base);

/* real_signal.c */
struct loop_signal *real_signal_new(struct loop *l, int signum, void (*on_signal)(void *arg, int signum),
                                    void *arg);
void real_signal_free(struct loop_signal *base);

/* real_listen.c */
int real_listen(struct loop *l, const struct addr *at, loop_accept_fn *on_accept, void *arg,
                struct loop_listener **ret_listener, struct err_buf *eb);
int real_listen_fd(struct loop *l, int fd, loop_accept_fn *on_accept, void *arg,
                   struct loop_listener **ret_listener, struct err_buf *eb);
void real_listener_pause(struct loop_listener *base, bool paused);
int real_listener_refuse(struct loop_listener *base, bool refuse);
void real_listener_local(const struct loop_listener *base, struct addr *ret_addr);
void real_listener_free(struct loop_listener *base);

/* real_connect.c */
void real_connect(struct loop *l, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                  loop_connect_fn *on_connect, void *arg, struct loop_connect **ret_connect);
void real_connect_cancel(struct loop_connect *base);

/* real_stream.c; real_stream_open takes a connected socket */
struct loop_stream *real_stream_open(struct real_loop *l, int fd, const struct addr *peer);
void real_stream_read_start(struct loop_stream *base, loop_read_fn *on_read, void *arg);
void real_stream_read_stop(struct loop_stream *base);
void real_stream_write(struct loop_stream *base, const void *data, size_t len);
void real_stream_on_drain(struct loop_stream *base, loop_drain_fn *on_drain, void *arg);
size_t real_stream_pending(const struct loop_stream *base);
bool real_stream_ask_room(struct loop_stream *base);
void real_stream_peer(const struct loop_stream *base, struct addr *ret_addr);
void real_stream_local(const struct loop_stream *base, struct addr *ret_addr);
void real_stream_close(struct loop_stream *base, int64_t linger_ms);
void real_stream_free(struct loop_stream *base);

/* real_process.c */
struct loop_process *real_process_spawn(struct loop *l, const struct loop_process_spec *spec,
                                        loop_exit_fn *on_exit, void *arg);
pid_t real_process_pid(const struct loop_process *base);
void real_process_kill(struct loop_process *base, int signum);
void real_process_free(struct loop_process *base);

/* real_spawn.c: starts the child. The descriptors are non-blocking and the
 * caller's; -1 where the child has /dev/null or inherits ours. */
struct real_child {
    pid_t pid;
    int pid_fd; /* readable when it has ended */
    int input_fd, output_fd, error_fd;
};
int real_spawn(const struct loop_process_spec *spec, struct real_child *ret_child) MUST_USE;

#endif
