/* Starting a child: fork and exec of our own, since uv_spawn can neither set
 * PR_SET_PDEATHSIG nor say which children are to be reaped by whom. Between
 * fork and exec only async-signal-safe calls are made (other threads of ours
 * may hold any lock); what needs memory is prepared before. All signals are
 * blocked meanwhile, so that none of our handlers runs in the child. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "loop/real_impl.h"

#define EXEC_FAILED 127 /* the shell's convention */

/* Pipes of one child, by what the child calls them. [0] is read, [1] written. */
struct pipes {
    int input[2], output[2], error[2], exec[2];
};

struct plan {
    const struct loop_process_spec *spec;
    char **env;
    pid_t parent;
    struct pipes pipes;
};

/* ---- the environment ---- */

static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return strncmp(a, b, len + 1) == 0;
}

static bool is_replaced(const char *entry, const char *const *extra)
{
    for (; extra && *extra; extra++)
        if (same_name(entry, *extra))
            return true;
    return false;
}

static size_t count_texts(const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    return count;
}

/* The array is the caller's to free, its texts are not. */
static char **env_new(const char *const *extra)
{
    size_t count = 0;
    char **env = mem_calloc(count_texts((const char *const *)environ) + count_texts(extra) + 1, sizeof(*env));
    for (char **entry = environ; entry && *entry; entry++)
        if (!is_replaced(*entry, extra))
            env[count++] = *entry;
    for (; extra && *extra; extra++)
        env[count++] = (char *)(uintptr_t)*extra;
    return env;
}

/* ---- pipes ---- */

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void pipes_close(struct pipes *p)
{
    int *all[] = {p->input, p->output, p->error, p->exec};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        close_if_open(&all[i][0]);
        close_if_open(&all[i][1]);
    }
}

/* All four in each case; what the child does not need it gets from elsewhere. */
static int pipes_open(struct pipes *p)
{
    int *all[] = {p->input, p->output, p->error, p->exec};
    memset(p, -1, sizeof(*p));
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (pipe2(all[i], O_CLOEXEC) != 0)
            return err_from_errno(errno);
    return 0;
}

/* ---- the child, until exec ---- */

static bool child_stdio(const struct plan *p)
{
    int input = p->pipes.input[0];
    if (p->spec->input.len == 0)
        input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0)
        return false;
    if (!p->spec->inherit_stdout && dup2(p->pipes.output[1], STDOUT_FILENO) < 0)
        return false;
    return p->spec->inherit_stderr || dup2(p->pipes.error[1], STDERR_FILENO) >= 0;
}

static bool child_inherit(const struct loop_process_spec *spec)
{
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return false;
    for (size_t i = 0; i < spec->inherit_count; i++)
        if (fcntl(spec->inherit_fds[i], F_SETFD, 0) != 0)
            return false;
    return true;
}

static void child_reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int signum = 1; signum < NSIG; signum++)
        sigaction(signum, &standard, NULL); /* fails for SIGKILL and SIGSTOP only */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False when our parent is already dead: it will send no signal any more. */
static bool child_die_with_parent(const struct plan *p)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == p->parent;
}

/* Fails only where the kernel knows no ambient capabilities. */
static void child_drop_ambient(void)
{
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static _Noreturn void child_exec(const struct plan *p)
{
    const struct loop_process_spec *spec = p->spec;
    bool ready = (spec->detached ? setsid() : setpgid(0, 0)) >= 0 && child_stdio(p) && child_inherit(spec) &&
                 (!spec->die_with_parent || child_die_with_parent(p));
    if (ready) {
        if (!spec->keep_capabilities)
            child_drop_ambient();
        child_reset_signals();
        execve(spec->argv[0], (char *const *)(uintptr_t)spec->argv, p->env);
    }
    int errno_value = errno;
    ssize_t written = write(p->pipes.exec[1], &errno_value, sizeof(errno_value));
    (void)written;
    _exit(EXEC_FAILED);
}

/* ---- the parent ---- */

static pid_t fork_child(const struct plan *p)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child_exec(p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

/* The pipe closes by itself when exec succeeds; else it brings the reason. */
static int wait_for_exec(struct pipes *p)
{
    int errno_value = 0;
    ssize_t got;
    close_if_open(&p->exec[1]);
    do
        got = read(p->exec[0], &errno_value, sizeof(errno_value));
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    return errno_value == ENOTDIR ? ERR_NOT_FOUND : err_from_errno(errno_value);
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    int flags = fcntl(taken, F_GETFL);
    CHECK(flags >= 0 && fcntl(taken, F_SETFL, flags | O_NONBLOCK) == 0);
    return taken;
}

static int start(struct plan *p, struct real_child *ret_child)
{
    const struct loop_process_spec *spec = p->spec;
    pid_t pid = fork_child(p);
    if (pid < 0)
        return err_from_errno(errno);
    int err = wait_for_exec(&p->pipes);
    int pid_fd = err ? -1 : pidfd_open(pid, 0);
    if (!err && pid_fd < 0) {
        err = err_from_errno(errno);
        kill(pid, SIGKILL);
    }
    if (err) {
        reap(pid);
        return err;
    }
    *ret_child = (struct real_child){
        .pid = pid,
        .pid_fd = pid_fd,
        .input_fd = spec->input.len > 0 ? take(&p->pipes.input[1]) : -1,
        .output_fd = spec->inherit_stdout ? -1 : take(&p->pipes.output[0]),
        .error_fd = spec->inherit_stderr ? -1 : take(&p->pipes.error[0]),
    };
    return 0;
}

int real_spawn(const struct loop_process_spec *spec, struct real_child *ret_child)
{
    struct plan plan = {.spec = spec, .parent = getpid()};
    int rc = pipes_open(&plan.pipes);
    if (rc == 0) {
        plan.env = env_new(spec->env_extra);
        rc = start(&plan, ret_child);
        free(plan.env);
    }
    pipes_close(&plan.pipes);
    return rc;
}
