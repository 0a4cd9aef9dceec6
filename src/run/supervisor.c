#include "run/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "run/lifeline.h"
#include "run/restart.h"

struct child {
    struct supervisor *owner;
    struct supervisor_child spec;
    struct loop_process *process; /* NULL: does not run */
    struct loop_timer *timer;     /* of its restart */
    struct restart restart;
    struct mono_time started_at;
    bool started_again;
};

struct supervisor {
    struct loop *loop;
    struct supervisor_options options;
    struct supervisor_ops ops;
    void *arg;
    struct lifeline lifeline;
    char pid_env[sizeof(SUPERVISOR_PID_ENV) + 16];
    struct child *children;
    bool ending, gave_up;
    struct loop_timer *end_timer;  /* SIGTERM was not enough */
    struct loop_timer *done_timer; /* ops.ended, never from inside a call of ours */
};

static void on_child_exit(void *arg, const struct loop_process_result *result);

static void child_start(struct child *c)
{
    struct supervisor *s = c->owner;
    const char *const env[] = {s->lifeline.env, s->pid_env, NULL};
    struct loop_process_spec spec = {
        .argv = c->spec.argv,
        .env_extra = env,
        .inherit_stdout = true,
        .inherit_stderr = true,
        .die_with_parent = true,
        .keep_capabilities = true, /* each role gives up by itself what it does not need */
        .inherit_fds = &s->lifeline.read_fd,
        .inherit_count = 1,
    };
    c->started_at = loop_now(s->loop);
    c->process = loop_process_spawn(s->loop, &spec, on_child_exit, c);
}

static void on_restart_timer(void *arg)
{
    struct child *c = arg;
    c->started_again = true;
    child_start(c);
}

static bool any_runs(const struct supervisor *s)
{
    for (size_t i = 0; i < s->options.count; i++)
        if (s->children[i].process)
            return true;
    return false;
}

/* Asks the last that runs to end, or all of them. */
static void end_next(struct supervisor *s)
{
    for (size_t i = s->options.count; i-- > 0;) {
        if (!s->children[i].process)
            continue;
        loop_process_kill(s->children[i].process, SIGTERM);
        loop_timer_start(s->end_timer, s->options.end_wait_ms);
        if (!s->options.end_together)
            return;
    }
    if (any_runs(s))
        return;
    loop_timer_stop(s->end_timer);
    loop_timer_start(s->done_timer, 0);
}

/* Who was asked and did not go: without end_together only the last that runs. */
static void on_end_timer(void *arg)
{
    struct supervisor *s = arg;
    for (size_t i = s->options.count; i-- > 0;) {
        if (!s->children[i].process)
            continue;
        log_event(LOG_WARNING, "does not end: killed", LOG_TEXT("child", s->children[i].spec.name));
        loop_process_kill(s->children[i].process, SIGKILL);
        if (!s->options.end_together)
            return;
    }
}

static void on_done_timer(void *arg)
{
    struct supervisor *s = arg;
    s->ops.ended(s->arg);
}

static const char *death_name(const struct loop_process_result *result)
{
    if (result->err)
        return "cannot be started";
    return result->exit_status == EX_TEMPFAIL ? "ended, as what it needs is not there now; is tried again"
                                              : "died";
}

static void log_death(const struct child *c, const struct loop_process_result *result, int64_t again_ms)
{
    log_event(LOG_WARNING, death_name(result), LOG_TEXT("child", c->spec.name),
              LOG_TEXT("error", result->err ? err_name(result->err) : ""),
              LOG_I64("status", result->exit_status), LOG_I64("signal", result->signal),
              LOG_I64("again_ms", again_ms));
}

static void give_up(struct child *c)
{
    log_event(LOG_ERROR, "cannot start as it is configured: all ends", LOG_TEXT("child", c->spec.name));
    c->owner->gave_up = true;
    supervisor_end(c->owner);
}

static void on_child_exit(void *arg, const struct loop_process_result *result)
{
    struct child *c = arg;
    struct supervisor *s = c->owner;
    loop_process_free(c->process);
    c->process = NULL;
    if (s->ending) {
        if (!s->options.end_together || !any_runs(s))
            end_next(s);
        return;
    }
    if (!c->started_again && result->exit_status == SUPERVISOR_EXIT_CONFIG) {
        give_up(c);
        return;
    }
    if (s->options.restart) {
        int64_t lived_ms = mono_diff_ms(loop_now(s->loop), c->started_at);
        int64_t delay_ms = restart_next_ms(&c->restart, lived_ms);
        log_death(c, result, delay_ms);
        loop_timer_start(c->timer, delay_ms);
    }
    if (s->ops.died)
        s->ops.died(s->arg, (size_t)(c - s->children), result->exit_status, result->signal);
    if (!s->options.restart && !any_runs(s))
        loop_timer_start(s->done_timer, 0);
}

int supervisor_start(struct loop *l, const struct supervisor_options *options,
                     const struct supervisor_ops *ops, void *arg, struct supervisor **ret_supervisor,
                     struct err_buf *eb)
{
    struct lifeline lifeline;
    int rc = lifeline_open(&lifeline, eb);
    if (rc < 0)
        return rc;
    struct supervisor *s = mem_zalloc(sizeof(*s));
    *s = (struct supervisor){.loop = l, .options = *options, .ops = *ops, .arg = arg, .lifeline = lifeline};
    snprintf(s->pid_env, sizeof(s->pid_env), SUPERVISOR_PID_ENV "=%d", (int)getpid());
    s->end_timer = loop_timer_new(l, on_end_timer, s);
    s->done_timer = loop_timer_new(l, on_done_timer, s);
    s->children = mem_calloc(options->count, sizeof(*s->children));
    for (size_t i = 0; i < options->count; i++) {
        struct child *c = &s->children[i];
        *c = (struct child){.owner = s, .spec = options->children[i]};
        c->timer = loop_timer_new(l, on_restart_timer, c);
        child_start(c);
    }
    s->options.children = NULL;
    *ret_supervisor = s;
    return 0;
}

void supervisor_end(struct supervisor *s)
{
    bool again = s->ending;
    s->ending = true;
    for (size_t i = 0; i < s->options.count; i++) {
        loop_timer_stop(s->children[i].timer);
        if (again && s->children[i].process)
            loop_process_kill(s->children[i].process, SIGKILL);
    }
    if (!again)
        end_next(s);
}

bool supervisor_gave_up(const struct supervisor *s)
{
    return s->gave_up;
}

int supervisor_refusal(void)
{
    uint64_t pid;
    bool supervised =
        str_to_u64(str_from(getenv(SUPERVISOR_PID_ENV)), INT32_MAX, &pid) == 0 && (pid_t)pid == getppid();
    return supervised ? SUPERVISOR_EXIT_CONFIG : 1;
}

void supervisor_signal(struct supervisor *s, int signum)
{
    for (size_t i = 0; i < s->options.count; i++)
        if (s->children[i].process)
            loop_process_kill(s->children[i].process, signum);
}

pid_t supervisor_child_pid(const struct supervisor *s, size_t child)
{
    CHECK(child < s->options.count);
    return s->children[child].process ? loop_process_pid(s->children[child].process) : 0;
}

void supervisor_free(struct supervisor *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->options.count; i++) {
        struct child *c = &s->children[i];
        if (c->process)
            loop_process_kill(c->process, SIGKILL);
        loop_process_free(c->process);
        loop_timer_free(c->timer);
    }
    loop_timer_free(s->end_timer);
    loop_timer_free(s->done_timer);
    lifeline_close(&s->lifeline);
    free(s->children);
    free(s);
}
