#include "loop/loop.h"

#include "loop/ops.h"

struct mono_time loop_now(struct loop *l)
{
    return l->ops->now(l);
}

struct wall_time loop_wall(struct loop *l)
{
    return l->ops->wall(l);
}

void loop_random(struct loop *l, void *out, size_t len)
{
    l->ops->random(l, out, len);
}

void loop_run(struct loop *l)
{
    l->ops->run(l);
}

void loop_stop(struct loop *l)
{
    l->ops->stop(l);
}

void loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
    l->ops->post(l, fn, arg);
}

void loop_work(struct loop *l, void (*work)(void *arg), void (*done)(void *arg), void (*drop)(void *arg),
               void *arg)
{
    l->ops->work(l, work, done, drop, arg);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*on_timer)(void *arg), void *arg)
{
    return l->ops->timer_new(l, on_timer, arg);
}

void loop_timer_start(struct loop_timer *t, int64_t delay_ms)
{
    CHECK(delay_ms >= 0);
    t->ops->timer_start(t, delay_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    t->ops->timer_stop(t);
}

bool loop_timer_active(const struct loop_timer *t)
{
    return t->ops->timer_active(t);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t)
        t->ops->timer_free(t);
}

int loop_listen(struct loop *l, const struct addr *at, loop_accept_fn *on_accept, void *arg,
                struct loop_listener **ret_listener, struct err_buf *eb)
{
    return l->ops->listen(l, at, on_accept, arg, ret_listener, eb);
}

int loop_listen_fd(struct loop *l, int fd, loop_accept_fn *on_accept, void *arg,
                   struct loop_listener **ret_listener, struct err_buf *eb)
{
    return l->ops->listen_fd(l, fd, on_accept, arg, ret_listener, eb);
}

void loop_listener_pause(struct loop_listener *li, bool paused)
{
    li->ops->listener_pause(li, paused);
}

int loop_listener_refuse(struct loop_listener *li, bool refuse)
{
    return li->ops->listener_refuse(li, refuse);
}

void loop_listener_local(const struct loop_listener *li, struct addr *ret_addr)
{
    li->ops->listener_local(li, ret_addr);
}

void loop_listener_free(struct loop_listener *li)
{
    if (li)
        li->ops->listener_free(li);
}

void loop_connect(struct loop *l, const struct addr *to, const struct addr *from, int64_t timeout_ms,
                  loop_connect_fn *on_connect, void *arg, struct loop_connect **ret_connect)
{
    CHECK(timeout_ms > 0);
    l->ops->connect(l, to, from, timeout_ms, on_connect, arg, ret_connect);
}

void loop_connect_cancel(struct loop_connect *c)
{
    if (c)
        c->ops->connect_cancel(c);
}

void loop_stream_read_start(struct loop_stream *s, loop_read_fn *on_read, void *arg)
{
    s->ops->stream_read_start(s, on_read, arg);
}

void loop_stream_read_stop(struct loop_stream *s)
{
    s->ops->stream_read_stop(s);
}

void loop_stream_write(struct loop_stream *s, const void *data, size_t len)
{
    if (len > 0)
        s->ops->stream_write(s, data, len);
}

void loop_stream_on_drain(struct loop_stream *s, loop_drain_fn *on_drain, void *arg)
{
    s->ops->stream_on_drain(s, on_drain, arg);
}

bool loop_stream_ask_room(struct loop_stream *s)
{
    return s->ops->stream_ask_room(s);
}

size_t loop_stream_pending(const struct loop_stream *s)
{
    return s->ops->stream_pending(s);
}

void loop_stream_peer(const struct loop_stream *s, struct addr *ret_addr)
{
    s->ops->stream_peer(s, ret_addr);
}

void loop_stream_local(const struct loop_stream *s, struct addr *ret_addr)
{
    s->ops->stream_local(s, ret_addr);
}

void loop_stream_close(struct loop_stream *s, int64_t linger_ms)
{
    s->ops->stream_close(s, linger_ms);
}

void loop_stream_free(struct loop_stream *s)
{
    if (s)
        s->ops->stream_free(s);
}

struct loop_watch *loop_watch_new(struct loop *l, int fd,
                                  void (*on_ready)(void *arg, bool readable, bool writable), void *arg)
{
    return l->ops->watch_new(l, fd, on_ready, arg);
}

void loop_watch_set(struct loop_watch *w, bool readable, bool writable)
{
    w->ops->watch_set(w, readable, writable);
}

void loop_watch_free(struct loop_watch *w)
{
    if (w)
        w->ops->watch_free(w);
}

struct loop_process *loop_process_spawn(struct loop *l, const struct loop_process_spec *spec,
                                        loop_exit_fn *on_exit, void *arg)
{
    CHECK(spec->argv && spec->argv[0]);
    return l->ops->process_spawn(l, spec, on_exit, arg);
}

pid_t loop_process_pid(const struct loop_process *p)
{
    return p->ops->process_pid(p);
}

void loop_process_kill(struct loop_process *p, int signum)
{
    p->ops->process_kill(p, signum);
}

void loop_process_free(struct loop_process *p)
{
    if (p)
        p->ops->process_free(p);
}

struct loop_signal *loop_signal_new(struct loop *l, int signum, void (*on_signal)(void *arg, int signum),
                                    void *arg)
{
    return l->ops->signal_new(l, signum, on_signal, arg);
}

void loop_signal_free(struct loop_signal *s)
{
    if (s)
        s->ops->signal_free(s);
}
