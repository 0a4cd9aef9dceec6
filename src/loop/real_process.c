/* A child after its start: its pipes, its end by pidfd, its time limit. */
#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "loop/real_impl.h"

/* One of the child's pipes, our end; fd -1 when it is closed. */
struct pipe_end {
    int fd;
    struct loop_watch *watch;
    struct buf data; /* input still to write, or captured output */
};

struct real_process {
    struct loop_process base;
    struct real_object object;
    struct real_loop *loop;
    pid_t pid; /* 0: it did not start */
    int pid_fd;
    struct loop_watch *pid_watch;
    struct pipe_end input, output, error;
    struct loop_timer *timer; /* the limit; or, when it did not start, the report */
    struct loop_process_result result;
    bool ended;     /* reaped, or never started: pid means nothing any more */
    bool forgotten; /* freed by its owner while it ran */
    loop_exit_fn *on_exit;
    void *arg;
};

static struct real_process *process_of(struct loop_process *base)
{
    return CONTAINER_OF(base, struct real_process, base);
}

/* ---- pipes ---- */

static void pipe_close(struct pipe_end *e)
{
    loop_watch_free(e->watch);
    e->watch = NULL;
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
}

/* What the child does not read any more (EPIPE) it did not want. */
static void on_input_writable(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct pipe_end *e = arg;
    ssize_t written = write(e->fd, buf_data(&e->data), e->data.len);
    if (written > 0)
        buf_consume(&e->data, (size_t)written);
    else if (errno == EAGAIN || errno == EINTR)
        return;
    if (written <= 0 || e->data.len == 0)
        pipe_close(e);
}

/* Reads once; 0, ERR_BUSY when there is nothing more yet, or ERR_CLOSED. */
static int pipe_read(struct real_loop *l, struct pipe_end *e)
{
    ssize_t got = read(e->fd, l->read_mem, REAL_READ_BYTES);
    if (got < 0 && errno == EINTR)
        return 0;
    if (got < 0 && errno == EAGAIN)
        return ERR_BUSY;
    if (got <= 0)
        return ERR_CLOSED;
    size_t room = e->data.cap_max - e->data.len;
    size_t len = (size_t)got < room ? (size_t)got : room;
    CHECK(buf_append(&e->data, l->read_mem, len) == 0);
    return 0;
}

static void on_pipe_readable(struct real_process *p, struct pipe_end *e)
{
    if (pipe_read(p->loop, e) == ERR_CLOSED)
        pipe_close(e);
}

static void on_output(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct real_process *p = arg;
    on_pipe_readable(p, &p->output);
}

static void on_error_output(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct real_process *p = arg;
    on_pipe_readable(p, &p->error);
}

/* The rest of what the child wrote is in the pipe. A child of it that still
 * writes could keep us here: a bounded number of reads covers a full pipe. */
static void pipe_finish(struct real_loop *l, struct pipe_end *e)
{
    const int reads_max = 64;
    for (int i = 0; e->fd >= 0 && i < reads_max && pipe_read(l, e) == 0; i++)
        ;
    pipe_close(e);
}

/* ---- the end ---- */

static void process_release(struct real_process *p)
{
    list_remove(&p->object.node);
    pipe_close(&p->input);
    pipe_close(&p->output);
    pipe_close(&p->error);
    loop_watch_free(p->pid_watch);
    if (p->pid_fd >= 0)
        close(p->pid_fd);
    loop_timer_free(p->timer);
    buf_fini(&p->input.data);
    buf_fini(&p->output.data);
    buf_fini(&p->error.data);
    free(p);
}

static void report(struct real_process *p)
{
    if (p->forgotten) {
        process_release(p);
        return;
    }
    p->result.output = buf_str(&p->output.data);
    p->result.error_output = buf_str(&p->error.data);
    struct loop_process_result result = p->result;
    p->on_exit(p->arg, &result);
}

static void on_pid(void *arg, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    struct real_process *p = arg;
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)p->pid_fd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
        return;
    p->ended = true;
    loop_watch_set(p->pid_watch, false, false);
    loop_timer_stop(p->timer);
    p->result.exit_status = info.si_code == CLD_EXITED ? info.si_status : -1;
    p->result.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
    pipe_close(&p->input);
    pipe_finish(p->loop, &p->output);
    pipe_finish(p->loop, &p->error);
    report(p);
}

/* Its children, too: the group cannot have ended while its leader is not
 * reaped, so that its number is still its own. */
static void on_timer(void *arg)
{
    struct real_process *p = arg;
    if (p->pid == 0) {
        report(p);
        return;
    }
    p->result.err = ERR_TIMEOUT;
    kill(-p->pid, SIGKILL);
}

/* ---- life ---- */

static void process_dispose(struct real_object *o)
{
    process_release(CONTAINER_OF(o, struct real_process, object));
}

static struct loop_watch *watch(struct real_process *p, int fd, void (*on_ready)(void *, bool, bool),
                                void *arg, bool for_writing)
{
    struct loop_watch *w = loop_watch_new(&p->loop->base, fd, on_ready, arg);
    loop_watch_set(w, !for_writing, for_writing);
    return w;
}

static void process_watch(struct real_process *p, const struct real_child *child)
{
    p->pid = child->pid;
    p->pid_fd = child->pid_fd;
    p->pid_watch = watch(p, p->pid_fd, on_pid, p, false);
    p->input.fd = child->input_fd;
    if (p->input.fd >= 0)
        p->input.watch = watch(p, p->input.fd, on_input_writable, &p->input, true);
    p->output.fd = child->output_fd;
    if (p->output.fd >= 0)
        p->output.watch = watch(p, p->output.fd, on_output, p, false);
    p->error.fd = child->error_fd;
    if (p->error.fd >= 0)
        p->error.watch = watch(p, p->error.fd, on_error_output, p, false);
}

static struct real_process *process_new(struct real_loop *l, const struct loop_process_spec *spec,
                                        loop_exit_fn *on_exit, void *arg)
{
    struct real_process *p = mem_alloc(sizeof(*p));
    *p = (struct real_process){.base.ops = &real_ops,
                               .loop = l,
                               .pid_fd = -1,
                               .input.fd = -1,
                               .output.fd = -1,
                               .error.fd = -1,
                               .result.exit_status = -1,
                               .on_exit = on_exit,
                               .arg = arg};
    buf_init(&p->input.data, spec->input.len);
    CHECK(buf_append_str(&p->input.data, spec->input) == 0);
    buf_init(&p->output.data, spec->output_max);
    buf_init(&p->error.data, spec->output_max);
    real_object_init(l, &p->object, process_dispose);
    p->timer = loop_timer_new(&l->base, on_timer, p);
    return p;
}

struct loop_process *real_process_spawn(struct loop *base, const struct loop_process_spec *spec,
                                        loop_exit_fn *on_exit, void *arg)
{
    struct real_process *p = process_new(real_of(base), spec, on_exit, arg);
    struct real_child child;
    p->result.err = real_spawn(spec, &child);
    if (p->result.err) {
        p->ended = true;
        loop_timer_start(p->timer, 0);
        return &p->base;
    }
    process_watch(p, &child);
    if (spec->timeout_ms > 0)
        loop_timer_start(p->timer, spec->timeout_ms);
    return &p->base;
}

pid_t real_process_pid(const struct loop_process *base)
{
    return ((const struct real_process *)base)->pid;
}

void real_process_kill(struct loop_process *base, int signum)
{
    struct real_process *p = process_of(base);
    if (!p->ended)
        pidfd_send_signal(p->pid_fd, signum, NULL, 0);
}

void real_process_free(struct loop_process *base)
{
    struct real_process *p = process_of(base);
    if (p->ended)
        process_release(p);
    else
        p->forgotten = true;
}
