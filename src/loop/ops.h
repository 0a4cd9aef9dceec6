/* What a kind of loop gives behind loop.h; only loop.c and the kinds know it, and
 * net/tls_stream.c and net/proxy_stream.c, which are kinds of streams over another.
 * Each object of loop.h begins with the struct of its name here, so that a call
 * finds its way from the object alone. */
#ifndef HOLDFAST_LOOP_OPS_H
#define HOLDFAST_LOOP_OPS_H

#include "loop/loop.h"

typedef void loop_accept_fn(void *arg, struct loop_stream *s, const struct addr *peer);
typedef void loop_connect_fn(void *arg, struct loop_stream *s, int err);
typedef void loop_read_fn(void *arg, const char *data, size_t len, int err);
typedef void loop_drain_fn(void *arg, int err);
typedef void loop_exit_fn(void *arg, const struct loop_process_result *result);

struct loop_ops {
    struct mono_time (*now)(struct loop *l);
    struct wall_time (*wall)(struct loop *l);
    void (*random)(struct loop *l, void *out, size_t len);
    void (*run)(struct loop *l);
    void (*stop)(struct loop *l);
    void (*post)(struct loop *l, void (*fn)(void *arg), void *arg);
    void (*work)(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void (*drop)(void *arg),
                 void *arg);

    struct loop_timer *(*timer_new)(struct loop *l, void (*on_timer)(void *arg), void *arg);
    void (*timer_start)(struct loop_timer *t, int64_t delay_ms);
    void (*timer_stop)(struct loop_timer *t);
    bool (*timer_active)(const struct loop_timer *t);
    void (*timer_free)(struct loop_timer *t);

    int (*listen)(struct loop *l, const struct addr *at, loop_accept_fn *on_accept, void *arg,
                  struct loop_listener **ret_listener, struct err_buf *eb);
    int (*listen_fd)(struct loop *l, int fd, loop_accept_fn *on_accept, void *arg,
                     struct loop_listener **ret_listener, struct err_buf *eb);
    void (*listener_pause)(struct loop_listener *li, bool paused);
    int (*listener_refuse)(struct loop_listener *li, bool refuse);
    void (*listener_local)(const struct loop_listener *li, struct addr *ret_addr);
    void (*listener_free)(struct loop_listener *li);

    void (*connect)(struct loop *l, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                    loop_connect_fn *on_connect, void *arg, struct loop_connect **ret_connect);
    void (*connect_cancel)(struct loop_connect *c);

    void (*stream_read_start)(struct loop_stream *s, loop_read_fn *on_read, void *arg);
    void (*stream_read_stop)(struct loop_stream *s);
    void (*stream_write)(struct loop_stream *s, const void *data, size_t len);
    void (*stream_on_drain)(struct loop_stream *s, loop_drain_fn *on_drain, void *arg);
    size_t (*stream_pending)(const struct loop_stream *s);
    bool (*stream_ask_room)(struct loop_stream *s);
    void (*stream_peer)(const struct loop_stream *s, struct addr *ret_addr);
    void (*stream_local)(const struct loop_stream *s, struct addr *ret_addr);
    void (*stream_close)(struct loop_stream *s, int64_t linger_ms);
    void (*stream_free)(struct loop_stream *s);

    struct loop_watch *(*watch_new)(struct loop *l, int fd,
                                    void (*on_ready)(void *arg, bool readable, bool writable), void *arg);
    void (*watch_set)(struct loop_watch *w, bool readable, bool writable);
    void (*watch_free)(struct loop_watch *w);

    struct loop_process *(*process_spawn)(struct loop *l, const struct loop_process_spec *spec,
                                          loop_exit_fn *on_exit, void *arg);
    pid_t (*process_pid)(const struct loop_process *p);
    void (*process_kill)(struct loop_process *p, int signum);
    void (*process_free)(struct loop_process *p);

    struct loop_signal *(*signal_new)(struct loop *l, int signum, void (*on_signal)(void *arg, int signum),
                                      void *arg);
    void (*signal_free)(struct loop_signal *s);
};

struct loop {
    const struct loop_ops *ops;
};
struct loop_timer {
    const struct loop_ops *ops;
};
struct loop_listener {
    const struct loop_ops *ops;
};
struct loop_connect {
    const struct loop_ops *ops;
};
struct loop_stream {
    const struct loop_ops *ops;
};
struct loop_watch {
    const struct loop_ops *ops;
};
struct loop_process {
    const struct loop_ops *ops;
};
struct loop_signal {
    const struct loop_ops *ops;
};

#endif
